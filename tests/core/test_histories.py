"""Random histories of everything that can happen: the invariants hold after every single step."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from controller.domain.agents import JobState
from controller.domain.arrays import Fate, TaskState
from controller.domain.commands import (
    CancelSweep,
    DeleteRuns,
    DrainAgents,
    IgnoreRuns,
    LaunchAgents,
    PauseSweep,
    ResumeSweep,
    RetryRuns,
    SetRunCap,
    StopAgents,
    StopRuns,
    StopSweep,
)
from controller.domain.events import AgentLeft, JobSeen, Restarted, TaskSeen, TasksSeen, Ticked
from controller.domain.replies import (
    Accepted,
    Acked,
    Granted,
    MissingFrom,
    RunOrder,
    Superseded,
    Wish,
)
from controller.domain.states import (
    SWEEP_OPEN,
)
from controller.domain.sweeps import Metric, Retry
from controller.domain.world import Facts, World
from tests.core.invariants import Invariants
from tests.core.shop import Shop

SLOTS = ("a", "b", "c")
PICK = st.integers(0, 10**6)


class Histories(Invariants):
    def new_shop(self, n_cells: int, **config: Any) -> Shop:
        return Shop(n_cells, **config)

    @initialize(
        n_cells=st.integers(1, 6),
        retries=st.integers(0, 2),
        run_cap=st.none() | st.integers(1, 6),
        on_lost=st.sampled_from(["keep", "fence"]),
        aim=st.none() | st.just(-8.0),
    )
    def begin(self, n_cells: int, retries: int, run_cap: int | None, on_lost: str, aim: float | None) -> None:
        metric = Metric(name="loss", target=aim)
        self.shop = self.new_shop(
            n_cells, retry=Retry(max=retries), run_cap=run_cap, on_lost=on_lost, metric=metric
        )
        self.sweep = self.shop.create()
        launched = self.shop.tell(LaunchAgents(sweep_id=self.sweep, n_agents=len(SLOTS)))
        assert isinstance(launched, Accepted)
        self.agents = dict(zip(SLOTS, SLOTS, strict=True))
        """The present agent of each slot; a new process is a new agent."""
        self.jobs = dict(zip(SLOTS, launched.ids, strict=True))
        self.restarts: Counter[str] = Counter()
        self.told: list[tuple[str, RunOrder]] = []
        """Every order that was ever given."""
        self.asks: Counter[str] = Counter()
        self.held: dict[str, RunOrder] = {}
        self.granted: set[int] = set()
        self.witness = Counter()
        self.accepted = {}
        self.max_token = 0
        self.raised_after_end = False
        self.mirror = World(self.shop.world.facts())
        self.n_seen = len(self.shop.decisions)

    # What agents do.

    @rule(slot=st.sampled_from(SLOTS))
    def join(self, slot: str) -> None:
        self.shop.join(self.agents[slot], self.sweep, job_id=self.jobs[slot])

    @rule(slot=st.sampled_from(SLOTS))
    def come_anew(self, slot: str) -> None:
        """Another process takes the slot; nothing more is heard of the one before."""
        launched = self.shop.tell(LaunchAgents(sweep_id=self.sweep))
        if isinstance(launched, Accepted):
            self.agents[slot] += "'"
            self.jobs[slot] = launched.ids[0]
            self.join(slot=slot)

    @rule(slot=st.sampled_from(SLOTS))
    def task_comes_back(self, slot: str) -> None:
        """SLURM runs the slot's task again; the instance before may live on, cut off."""
        self.restarts[slot] += 1
        self.agents[slot] += "+"
        self.shop.join_task(self.agents[slot], self.sweep, SLOTS.index(slot), restart=self.restarts[slot])

    @rule(slot=st.sampled_from(SLOTS), again=st.booleans())
    def ask(self, slot: str, again: bool) -> None:
        agent = self.agents[slot]
        if agent in self.held and not again:
            return
        if not again or not self.asks[agent]:
            self.asks[agent] += 1
        reply = self.shop.ask(agent, self.asks[agent])
        if isinstance(reply, RunOrder):
            held = self.held.get(agent)
            if again and held is not None and held.token in self.shop.world.attempts:
                # An answer that was given up and handed to somebody else cannot be given again.
                assert reply == held, "the same ask got another answer"
            self.held[agent] = reply
            self.told.append((agent, reply))

    @rule(slot=st.sampled_from(SLOTS))
    def answer_is_lost(self, slot: str) -> None:
        """The agent never learns what it was handed, and asks under a new number next time."""
        agent = self.agents[slot]
        order = self.held.get(agent)
        if order is not None and order.token not in self.granted:
            self.held.pop(agent)

    @rule(slot=st.sampled_from(SLOTS))
    def start(self, slot: str) -> None:
        agent = self.agents[slot]
        order = self.held.get(agent)
        if order is None:
            return
        reply = self.shop.start(agent, order.token)
        if isinstance(reply, Granted):
            assert order.token in self.shop.world.attempts, "granted though another attempt replaced it"
            if order.token not in self.granted:
                self.witness[order.token] += 1
            self.granted.add(order.token)
        else:
            assert isinstance(reply, Superseded)
            self.held.pop(agent)

    @rule(
        slot=st.sampled_from(SLOTS),
        losses=st.lists(st.floats(-9, 9), max_size=3),
        overlap=st.integers(0, 2),
    )
    def report(self, slot: str, losses: list[float], overlap: int) -> None:
        agent = self.agents[slot]
        order = self.held.get(agent)
        if order is None or order.token not in self.granted:
            return
        known = self.accepted.setdefault(order.token, [])
        back = known[len(known) - min(overlap, len(known)) :] if overlap else []
        first = len(known) - len(back) + 1
        reply = self.shop.report(agent, order.token, first, back + losses)
        if isinstance(reply, Acked):
            known += losses
            assert reply.last_seq == len(known)

    @rule(slot=st.sampled_from(SLOTS), state=st.sampled_from(["finished", "failed", "killed", "preempted"]))
    def end(self, slot: str, state: str) -> None:
        agent = self.agents[slot]
        order = self.held.get(agent)
        if order is None or order.token not in self.granted:
            return
        n_known = len(self.accepted.get(order.token, []))
        ahead = self.shop.end(agent, order.token, state, last_seq=n_known + 1)
        assert isinstance(ahead, MissingFrom | Superseded | Acked)
        reply = self.shop.end(agent, order.token, state, last_seq=n_known)
        assert isinstance(reply, Acked | Superseded)
        assert self.shop.end(agent, order.token, state, last_seq=n_known) == reply
        self.held.pop(agent)

    @rule(slot=st.sampled_from(SLOTS))
    def beat(self, slot: str) -> None:
        agent = self.agents[slot]
        if agent in self.shop.world.agents:
            order = self.held.get(agent)
            self.shop.beat(agent, order.token if order and order.token in self.granted else None)

    @rule(slot=st.sampled_from(SLOTS), state=st.sampled_from(["finished", "finished", "failed", "preempted"]))
    def work(self, slot: str, state: str) -> None:
        """A run from its ask to its end, so that histories get far."""
        self.join(slot=slot)
        self.ask(slot=slot, again=False)
        self.start(slot=slot)
        self.report(slot=slot, losses=[1.0], overlap=0)
        self.end(slot=slot, state=state)

    @rule(pick=PICK, word=st.sampled_from(["start", "beat", "report", "end"]))
    def late_word(self, pick: int, word: str) -> None:
        """Something said long ago arrives, or arrives again."""
        if not self.told:
            return
        agent, order = self.told[pick % len(self.told)]
        world = self.shop.world
        replaced = order.token not in world.attempts
        deleted = world.runs[order.run_id].deleted
        match word:
            case "start":
                reply = self.shop.start(agent, order.token)
                assert not (isinstance(reply, Granted) and replaced)
                if isinstance(reply, Granted):
                    self.witness[order.token] += order.token not in self.granted
                    self.granted.add(order.token)
            case "beat" if agent in self.shop.world.agents:
                told = self.shop.beat(agent, order.token)
                if replaced:
                    assert told.token == order.token
                    assert told.wish in (Wish.KILL, Wish.KILL_LEAVE)
            case "report" if order.token in self.granted:
                reply = self.shop.report(agent, order.token, 1, self.accepted.get(order.token, []))
                assert isinstance(reply, Superseded) is (replaced or deleted)
            case "end" if replaced:
                assert isinstance(self.shop.end(agent, order.token), Superseded)
            case _:
                pass

    @rule(slot=st.sampled_from(SLOTS))
    def leave(self, slot: str) -> None:
        agent = self.agents[slot]
        self.shop.tell(AgentLeft(agent_id=agent))

    # What operators do.

    @rule(verb=st.sampled_from([PauseSweep, ResumeSweep, StopSweep, CancelSweep]))
    def steer(self, verb: type[PauseSweep]) -> None:
        self.shop.tell(verb(sweep_id=self.sweep))

    @rule(pick=PICK, verb=st.sampled_from(["stop", "retry", "force", "delete", "ignore", "mind"]))
    def steer_run(self, pick: int, verb: str) -> None:
        runs = sorted(self.shop.world.runs)
        if not runs:
            return
        chosen = (runs[pick % len(runs)],)
        match verb:
            case "stop":
                self.shop.tell(StopRuns(run_ids=chosen))
            case "retry" | "force":
                self.shop.tell(RetryRuns(run_ids=chosen, force=verb == "force"))
            case "ignore" | "mind":
                self.shop.tell(IgnoreRuns(run_ids=chosen, ignored=verb == "ignore"))
            case _:
                reply = self.shop.tell(DeleteRuns(run_ids=chosen))
                if isinstance(reply, Accepted) and self.shop.world.sweeps[self.sweep].state not in SWEEP_OPEN:
                    self.raised_after_end = True

    @rule(pick=PICK, stop=st.booleans())
    def dismiss(self, pick: int, stop: bool) -> None:
        agents = sorted(self.shop.world.agents)
        if agents:
            chosen = (agents[pick % len(agents)],)
            self.shop.tell(StopAgents(agent_ids=chosen) if stop else DrainAgents(agent_ids=chosen))

    @rule(cap=st.none() | st.integers(1, 7))
    def set_cap(self, cap: int | None) -> None:
        reply = self.shop.tell(SetRunCap(sweep_id=self.sweep, run_cap=cap))
        if isinstance(reply, Accepted) and self.shop.world.sweeps[self.sweep].state not in SWEEP_OPEN:
            # A finished sweep stays finished until it is resumed, though there is more to give now.
            self.raised_after_end = True

    # What happens.

    @rule(seconds=st.sampled_from([1.0, 30.0, 61.0, 301.0, 4000.0]))
    def tick(self, seconds: float) -> None:
        self.shop.wait(seconds)
        self.shop.tell(Ticked())

    @rule(slot=st.sampled_from(SLOTS))
    def job_dies(self, slot: str) -> None:
        self.shop.tell(JobSeen(job_id=self.jobs[slot], state=JobState.ENDED))

    @rule(
        slot=st.sampled_from(SLOTS),
        state=st.sampled_from(TaskState),
        fate=st.sampled_from(Fate),
        restart=st.none() | st.integers(0, 2),
        age_s=st.sampled_from([0.0, 50.0]),
    )
    def slurm_says(self, slot: str, state: TaskState, fate: Fate, restart: int | None, age_s: float) -> None:
        """SLURM tells anything at all of a slot's task: right, late, wrong."""
        index = SLOTS.index(slot)
        seen = TaskSeen(index=index, state=state, fate=fate, restart=restart, ran_s=1.0, cause="said SLURM")
        for job in tuple(self.shop.world.jobs.values()):
            if job.array is not None:
                tasks, asked_at = (seen,), self.shop.at - age_s
                self.shop.tell(TasksSeen(job_id=job.id, tasks=tasks, complete=True, asked_at=asked_at))

    @rule()
    def restart(self) -> None:
        facts = self.shop.world.facts()
        self.shop.world = World(self.recorded())
        assert self.shop.world.facts() == facts
        self.shop.tell(Restarted())

    def recorded(self) -> Facts:
        """Return what a controller that starts now finds."""
        return self.shop.world.facts()


Histories.TestCase.settings = settings(
    max_examples=60, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
TestHistories = Histories.TestCase


class ManyHistories(Histories):
    pass


ManyHistories.TestCase.settings = settings(Histories.TestCase.settings, max_examples=1500)
TestManyHistories = pytest.mark.torture(pytest.mark.timeout(3600)(ManyHistories.TestCase))
