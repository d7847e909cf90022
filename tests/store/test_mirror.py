"""Memory, database and a client's mirror follow the same changes and are equal at every commit."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.domain import wire
from controller.domain.agents import Agent, AgentState, Job, JobKind, JobState
from controller.domain.arrays import Task, TaskState
from controller.domain.changes import (
    AgentAdded,
    AgentSet,
    AskedSet,
    AttemptAdded,
    AttemptPidSet,
    AttemptStarted,
    AttemptStateSet,
    Change,
    HistoryGrew,
    JobAdded,
    JobSet,
    LogGrew,
    NoteAdded,
    RunAdded,
    RunFaultsSet,
    RunIgnoredSet,
    RunJudged,
    RunRemoved,
    RunStateSet,
    SearchAdvanced,
    StopAskSet,
    SweepAdded,
    SweepConfigSet,
    SweepStateSet,
    TargetReachedSet,
    TasksSet,
)
from controller.domain.extremes import pairs_of
from controller.domain.feed import Batch
from controller.domain.runs import Point, StopAsk, Verdict
from controller.domain.states import ATTEMPT_OPEN, RUN_MOVES, SWEEP_MOVES, AttemptState, Verb
from controller.domain.sweeps import Asked, Suggestion
from controller.domain.world import World
from controller.store import Store
from tests.store.scene import Scene, a_run, a_sweep, an_attempt, console, points

N_SWEEPS = 2
NUMBERS = [0, 1, -0.0, 0.1, math.nan, math.inf, -math.inf, 2**63, 10**40, True, None, "null", "\ud800"]
numbers = st.sampled_from(NUMBERS)
floats = st.sampled_from([0.0, -1.5, 1e300, math.nan, math.inf])


class Teller:
    """Tells changes that may follow from where the World stands; one method per kind of thing."""

    def __init__(self, data: st.DataObject) -> None:
        self.scene = Scene()
        self.told: list[Change] = []
        self.draw = data.draw
        self.at = 0.0

    def tell(self, *changes: Change, records: tuple = ()) -> None:  # type: ignore[type-arg]
        self.scene.tell(*changes, records=records)
        self.told += changes

    def one(self, things: object) -> object:
        return self.draw(st.sampled_from(sorted(things)))  # type: ignore[call-overload]

    def step(self) -> None:
        self.at += 1.0
        world = self.scene.world
        kinds = [self.sweep]
        if world.sweeps:
            kinds += [self.search, self.agent, self.note, self.run]
        if world.runs:
            kinds += [self.fate, self.attempt]
        if world.attempts:
            kinds += [self.progress, self.data, self.data]
        self.draw(st.sampled_from(kinds))()

    def sweep(self) -> None:
        world = self.scene.world
        if len(world.sweeps) < N_SWEEPS:
            self.tell(SweepAdded(sweep=a_sweep(f"sweep{len(world.sweeps)}", source=self.draw(st.text()))))
            return
        old = world.sweeps[self.one(world.sweeps)]  # type: ignore[index]
        state = self.draw(st.sampled_from(sorted(SWEEP_MOVES[old.state])))
        asked = Asked(verb=self.draw(st.sampled_from(Verb)), actor="me", at=self.at)
        changes = [
            SweepStateSet(sweep_id=old.id, state=state, cause="because", at=self.at),
            AskedSet(sweep_id=old.id, asked=asked),
            SweepConfigSet(sweep_id=old.id, config=old.config, n_expected=7, at=self.at),
            TargetReachedSet(sweep_id=old.id, reached=self.draw(st.booleans())),
        ]
        self.tell(self.draw(st.sampled_from(changes)))

    def search(self) -> None:
        sweep = self.scene.world.sweeps[self.one(self.scene.world.sweeps)]  # type: ignore[index]
        first = sweep.n_suggested
        n_added = self.draw(st.integers(0, 3))
        added = tuple(
            Suggestion(number=first + n, config={"x": self.draw(numbers)}, reason={"mu": math.nan})
            for n in range(n_added)
        )
        shelf = [one.number for one in self.scene.world.shelves.get(sweep.id, ())]
        dropped = tuple(self.draw(st.lists(st.sampled_from(shelf), unique=True))) if shelf else ()
        front = self.draw(st.booleans())
        self.tell(
            SearchAdvanced(
                sweep_id=sweep.id, added=added, exhausted=n_added == 0, front=front, dropped=dropped
            )
        )

    def run(self) -> None:
        world = self.scene.world
        sweep_id = str(self.one(world.sweeps))
        shelf = world.shelves.get(sweep_id, ())
        suggestion = shelf[0].number if shelf else 99
        run = a_run(
            len(world.runs) + 1,
            sweep_id=sweep_id,
            suggestion=suggestion,
            config={"x": self.draw(numbers), "deep": {"y": [self.draw(numbers)]}},
            queued=self.draw(st.booleans()),
        )
        self.tell(RunAdded(run=run))

    def fate(self) -> None:
        run = self.scene.world.runs[self.one(self.scene.world.runs)]  # type: ignore[index]
        state = self.draw(st.sampled_from([run.state, *sorted(RUN_MOVES[run.state])]))
        verdict = Verdict(stop=True, band=3, value=self.draw(floats), threshold=None, n_at_band=2)
        changes = [
            RunStateSet(run_id=run.id, state=state, cause="\ud800", exit_code=3, at=self.at),
            RunStateSet(run_id=run.id, state=state, queued=True, at=self.at),
            RunFaultsSet(run_id=run.id, n_failures=1, n_crashes=2, failed_on=("a",), set_aside=True),
            StopAskSet(run_id=run.id, stop=StopAsk(actor="me", at=self.at)),
            StopAskSet(run_id=run.id, stop=None, obeyed_at=self.at),
            RunJudged(run_id=run.id, verdict=verdict),
            RunIgnoredSet(run_id=run.id, ignored=self.draw(st.booleans())),
        ]
        if run.id in self.scene.world.runs_of[run.sweep_id]:
            back = Suggestion(number=run.suggestion, config=run.config) if self.draw(st.booleans()) else None
            changes.append(RunRemoved(run_id=run.id, at=self.at, back=back))
        self.tell(self.draw(st.sampled_from(changes)))

    def attempt(self) -> None:
        """A config has at most one open attempt."""
        world = self.scene.world
        run = world.runs[self.one(world.runs)]  # type: ignore[index]
        if run.token is not None and world.attempts[run.token].state in ATTEMPT_OPEN:
            ended = sorted(set(AttemptState) - ATTEMPT_OPEN)
            state = self.draw(st.sampled_from(ended))
            self.tell(AttemptStateSet(token=run.token, state=state, signal=9, at=self.at))
        else:
            made = an_attempt(world.last_token + 1, run.number, run.attempt + 1, assigned_at=self.at)
            self.tell(AttemptAdded(attempt=type(made)(**{**as_fields(made), "sweep_id": run.sweep_id})))

    def progress(self) -> None:
        token = int(self.one(self.scene.world.attempts))  # type: ignore[call-overload]
        argv = ("python", "\udcff")
        changes = [
            AttemptStarted(token=token, host="h", job="1_2", directory="/d", argv=argv, at=self.at),
            AttemptPidSet(token=token, pid=77),
            AttemptStateSet(token=token, state=AttemptState.CRASHED, at=self.at),
            AttemptStateSet(token=token, state=AttemptState.RUNNING, at=self.at),
        ]
        self.tell(self.draw(st.sampled_from(changes)))

    def data(self) -> None:
        world = self.scene.world
        attempt = world.attempts[self.one(world.attempts)]  # type: ignore[index]
        run = world.runs[attempt.run_id]
        if self.draw(st.booleans()):
            n_lines = run.n_log_lines + 1
            record = console(attempt.token, run.n_log_lines, "line", run=run.number)
            self.tell(LogGrew(run_id=run.id, token=attempt.token, n_lines=n_lines), records=(record,))
            return
        seq, value, best = attempt.last_seq + 1, self.draw(numbers), self.draw(floats)
        record = points(attempt.token, Point(seq, seq, self.at, {"loss": value}), run=run.number)
        grew = HistoryGrew(
            run_id=run.id,
            token=attempt.token,
            last_seq=seq,
            n_points=1,
            last_step=seq,
            best=best if math.isfinite(best) else None,
            latest=best,
            n_metric_values=1,
            summary={"loss": value},
            extremes=run.extremes.wider(pairs_of([{"loss": value, "at": self.at}])),
            at=self.at,
        )
        self.tell(grew, records=(record,))

    def agent(self) -> None:
        world = self.scene.world
        sweep_id = str(self.one(world.sweeps))
        agent = Agent(id=self.draw(st.sampled_from("abc")), sweep_id=sweep_id, host="h\0", pid=1)
        job = Job(id=self.draw(st.sampled_from("jk")), kind=JobKind.LOCAL, sweep_id=sweep_id)
        if agent.id in world.agents:
            left = Agent(id=agent.id, sweep_id=sweep_id, host="h", pid=1, state=AgentState.LEFT)
            self.tell(AgentSet(agent=left))
        elif job.id in world.jobs and self.draw(st.booleans()):
            index, state = self.draw(st.integers(1, 12)), self.draw(st.sampled_from(TaskState))
            self.tell(TasksSet(job_id=job.id, tasks=(Task(job_id=job.id, index=index, state=state),)))
        elif job.id in world.jobs:
            done = Job(id=job.id, kind=JobKind.SLURM, sweep_id=sweep_id, state=JobState.ENDED)
            self.tell(JobSet(job=done))
        else:
            self.tell(AgentAdded(agent=agent), JobAdded(job=job))

    def note(self) -> None:
        self.tell(NoteAdded(at=self.at, actor="me", text=self.draw(st.text())))


def as_fields(struct: object) -> dict[str, object]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}  # type: ignore[attr-defined]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_memory_database_and_mirror_are_equal(data: st.DataObject) -> None:
    teller = Teller(data)
    mirror = World()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "store.sqlite3"
        store = Store.open(path)
        for seq in range(data.draw(st.integers(1, 6))):
            futures = []
            for _ in range(data.draw(st.integers(1, 4))):
                for _ in range(data.draw(st.integers(1, 6))):
                    teller.step()
                futures.append(store.commit(teller.scene.delta()))
                batch = wire.encode(Batch(seq=seq, changes=tuple(teller.told)))
                mirror.evolve(wire.decode(batch, Batch).changes)
                teller.told.clear()
            for future in futures:
                future.result()
            if data.draw(st.booleans()):
                store.close()
                store = Store.open(path)
            memory = wire.encode(teller.scene.world.facts())
            assert wire.encode(World(store.load()).facts()) == memory
            assert wire.encode(mirror.facts()) == memory
        store.close()
