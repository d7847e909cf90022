"""The World: all that is true now, and the one fold that follows changes.

The controller's memory and every client's mirror are Worlds; the database stores the same facts
row by row. What is derived (indexes, counts) is kept up to date here and nowhere else. Histories
and console lines are not in the World: a run knows only its summary and how much there is.

The lease clocks (`heard_s`) are not facts but the controller's own sense of time; they are full
after every restart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from controller.domain.agents import AGENT_LIVE, Agent, Job
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
    RunJudged,
    RunStateSet,
    SearchAdvanced,
    StopAskSet,
    SweepAdded,
    SweepConfigSet,
    SweepStateSet,
    TargetReachedSet,
)
from controller.domain.runs import Attempt, Run
from controller.domain.states import (
    ATTEMPT_OPEN,
    RUN_ACTIVE,
    RUN_ENDED,
    SWEEP_OPEN,
    AttemptState,
    RunState,
    move_run,
    move_sweep,
)
from controller.domain.sweeps import Suggestion, Sweep


class Facts(Struct, frozen=True, kw_only=True):
    """A World as plain values: what the store loads and what a snapshot carries."""

    sweeps: tuple[Sweep, ...] = ()
    runs: tuple[Run, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    """Open attempts always; closed ones may be left to the store."""
    agents: tuple[Agent, ...] = ()
    jobs: tuple[Job, ...] = ()
    shelves: dict[str, tuple[Suggestion, ...]] = {}
    last_token: int = 0


class Snapshot(Struct, frozen=True, kw_only=True, tag=True):
    """All facts as of one batch."""

    seq: int
    facts: Facts


class World:
    """All that is true now."""

    def __init__(self, facts: Facts | None = None) -> None:
        facts = facts or Facts()
        self.sweeps: dict[str, Sweep] = {}
        self.runs: dict[str, Run] = {}
        self.attempts: dict[int, Attempt] = {}
        """Open attempts and the latest closed one of each run."""
        self.agents: dict[str, Agent] = {}
        self.jobs: dict[str, Job] = {}
        self.shelves: dict[str, tuple[Suggestion, ...]] = {}
        self.last_token = facts.last_token
        self.runs_of: dict[str, dict[str, None]] = {}
        """Run ids of each sweep in the order of their numbers."""
        self.open_of: dict[str, dict[int, None]] = {}
        """Tokens of each sweep's open attempts."""
        self.queue_of: dict[str, dict[str, None]] = {}
        """Run ids of each sweep that wait to be handed out again, first come first."""
        self.counts_of: dict[str, Counter[RunState]] = {}
        self.best_of: dict[str, str | None] = {}
        """Run id with the best value of the sweep's metric."""
        self.asks: dict[tuple[str, int], int] = {}
        """Token of the attempt that answered an agent's ask."""
        self.agents_of: dict[str, dict[str, None]] = {}
        """Live agents of each sweep."""
        self.heard_s: dict[str, float] = {}
        """Monotonic moment at which each agent was last heard."""
        self.token_heard_s: dict[int, float] = {}
        """Monotonic moment at which each open attempt was last heard of."""
        self.deserted_s: dict[str, float] = {}
        """Monotonic moment at which each sweep lost its last agent with runs open."""
        for sweep in facts.sweeps:
            self._put_sweep(sweep)
        for run in sorted(facts.runs, key=lambda run: run.number):
            self._put_run(run)
        for attempt in facts.attempts:
            self._put_attempt(attempt)
        for agent in facts.agents:
            self._put_agent(agent)
        self.jobs.update({job.id: job for job in facts.jobs})
        self.shelves.update(facts.shelves)

    def facts(self) -> Facts:
        """Return the facts in a canonical order, for a snapshot or a comparison."""
        return Facts(
            sweeps=tuple(self.sweeps[key] for key in sorted(self.sweeps)),
            runs=tuple(self.runs[key] for key in sorted(self.runs)),
            attempts=tuple(self.attempts[key] for key in sorted(self.attempts)),
            agents=tuple(self.agents[key] for key in sorted(self.agents)),
            jobs=tuple(self.jobs[key] for key in sorted(self.jobs)),
            shelves={key: self.shelves[key] for key in sorted(self.shelves) if self.shelves[key]},
            last_token=self.last_token,
        )

    def evolve(self, changes: Iterable[Change]) -> None:
        """Follow these changes, in their order."""
        for change in changes:
            self.follow(change)

    def follow(self, change: Change) -> None:
        """Follow one change."""
        match change:
            case SweepAdded() | SweepStateSet() | AskedSet() | SweepConfigSet() | TargetReachedSet():
                self._follow_sweep(change)
            case SearchAdvanced():
                self._follow_search(change)
            case RunAdded() | RunStateSet() | RunFaultsSet() | StopAskSet() | RunJudged():
                self._follow_run(change)
            case HistoryGrew() | LogGrew():
                self._follow_data(change)
            case AttemptAdded() | AttemptStarted() | AttemptPidSet() | AttemptStateSet():
                self._follow_attempt(change)
            case AgentAdded(agent=agent) | AgentSet(agent=agent):
                self._put_agent(agent)
            case JobAdded(job=job) | JobSet(job=job):
                self.jobs[job.id] = job
            case NoteAdded():
                pass  # the log of events is kept by the store alone
            case _:
                assert_never(change)

    def _follow_sweep(
        self, change: SweepAdded | SweepStateSet | AskedSet | SweepConfigSet | TargetReachedSet
    ) -> None:
        match change:
            case SweepAdded(sweep=sweep):
                self._put_sweep(sweep)
            case SweepStateSet():
                old = self.sweeps[change.sweep_id]
                self.sweeps[old.id] = replace(
                    old,
                    state=move_sweep(old.state, change.state),
                    cause=change.cause,
                    updated_at=change.at,
                    ended_at=None if change.state in SWEEP_OPEN else change.at,
                    breaker=change.breaker,
                    since_token=old.since_token if change.since_token is None else change.since_token,
                )
            case AskedSet():
                old = self.sweeps[change.sweep_id]
                self.sweeps[old.id] = replace(old, asked=change.asked, updated_at=change.asked.at)
            case SweepConfigSet():
                old = self.sweeps[change.sweep_id]
                self.sweeps[old.id] = replace(
                    old, config=change.config, n_expected=change.n_expected, updated_at=change.at
                )
            case TargetReachedSet():
                old = self.sweeps[change.sweep_id]
                self.sweeps[old.id] = replace(old, target_reached=change.reached)

    def _follow_search(self, change: SearchAdvanced) -> None:
        old = self.sweeps[change.sweep_id]
        kept = tuple(s for s in self.shelves.get(old.id, ()) if s.number not in change.dropped)
        self.shelves[old.id] = change.added + kept if change.front else kept + change.added
        self.sweeps[old.id] = replace(
            old, n_suggested=old.n_suggested + len(change.added), exhausted=change.exhausted
        )

    def _follow_run(self, change: RunAdded | RunStateSet | RunFaultsSet | StopAskSet | RunJudged) -> None:
        match change:
            case RunAdded(run=run):
                shelf = self.shelves.get(run.sweep_id, ())
                self.shelves[run.sweep_id] = tuple(s for s in shelf if s.number != run.suggestion)
                self._put_run(run)
                self._touch(run.sweep_id, run.created_at)
            case RunStateSet():
                self._set_run_state(change)
            case RunFaultsSet():
                self.runs[change.run_id] = replace(
                    self.runs[change.run_id],
                    n_failures=change.n_failures,
                    n_crashes=change.n_crashes,
                    failed_on=change.failed_on,
                    set_aside=change.set_aside,
                )
            case StopAskSet():
                self.runs[change.run_id] = replace(
                    self.runs[change.run_id], stop=change.stop, stop_obeyed_at=change.obeyed_at
                )
            case RunJudged():
                self.runs[change.run_id] = replace(self.runs[change.run_id], verdict=change.verdict)

    def _set_run_state(self, change: RunStateSet) -> None:
        old = self.runs[change.run_id]
        state = move_run(old.state, change.state)
        started = old.started_at
        if state in RUN_ACTIVE and old.state not in RUN_ACTIVE and old.state is not RunState.CRASHED:
            started = change.at
        run = replace(
            old,
            state=state,
            cause=change.cause,
            exit_code=change.exit_code,
            signal=change.signal,
            actor=change.actor,
            queued=change.queued,
            started_at=started,
            ended_at=change.at if state in RUN_ENDED else None,
        )
        self.runs[run.id] = run
        counts = self.counts_of[run.sweep_id]
        counts[old.state] -= 1
        counts[state] += 1
        queue = self.queue_of[run.sweep_id]
        if run.queued:
            queue.setdefault(run.id)
        else:
            queue.pop(run.id, None)
        self._touch(run.sweep_id, change.at)

    def _follow_data(self, change: HistoryGrew | LogGrew) -> None:
        run = self.runs[change.run_id]
        match change:
            case HistoryGrew():
                self.attempts[change.token] = replace(self.attempts[change.token], last_seq=change.last_seq)
                self.runs[run.id] = replace(
                    run,
                    n_points=run.n_points + change.n_points,
                    last_step=change.last_step,
                    best=change.best,
                    latest=change.latest,
                    n_metric_values=run.n_metric_values + change.n_metric_values,
                    summary={**run.summary, **change.summary} if change.summary else run.summary,
                )
                if change.best is not None and change.best != run.best:
                    self._consider_best(self.runs[run.id])
                self._touch(run.sweep_id, change.at)
            case LogGrew():
                self.runs[run.id] = replace(run, n_log_lines=change.n_lines)

    def _follow_attempt(
        self, change: AttemptAdded | AttemptStarted | AttemptPidSet | AttemptStateSet
    ) -> None:
        match change:
            case AttemptAdded(attempt=attempt):
                self._add_attempt(attempt)
            case AttemptStarted():
                old = self.attempts[change.token]
                self.attempts[old.token] = replace(
                    old, state=AttemptState.RUNNING, host=change.host, started_at=change.at
                )
                self.runs[old.run_id] = replace(
                    self.runs[old.run_id],
                    host=change.host,
                    job=change.job,
                    directory=change.directory,
                    argv=change.argv,
                )
            case AttemptPidSet():
                old = self.attempts[change.token]
                self.attempts[old.token] = replace(old, pid=change.pid)
                self.runs[old.run_id] = replace(self.runs[old.run_id], pid=change.pid)
            case AttemptStateSet():
                old = self.attempts[change.token]
                is_open = change.state in ATTEMPT_OPEN
                self._put_attempt(
                    replace(
                        old,
                        state=change.state,
                        cause=change.cause,
                        exit_code=change.exit_code,
                        signal=change.signal,
                        ended_at=None if is_open else change.at,
                    )
                )

    def _add_attempt(self, attempt: Attempt) -> None:
        run = self.runs[attempt.run_id]
        if run.token is not None and run.token in self.attempts:
            earlier = self.attempts.pop(run.token)
            self.asks.pop((earlier.agent_id, earlier.ask), None)
        self.last_token = max(self.last_token, attempt.token)
        self._put_attempt(attempt)
        self.queue_of[run.sweep_id].pop(run.id, None)
        self.runs[run.id] = replace(
            run,
            attempt=attempt.number,
            token=attempt.token,
            agent_id=attempt.agent_id,
            host="",
            job="",
            pid=None,
            queued=False,
            n_metric_values=0,
            n_log_lines=0,
        )

    def _put_sweep(self, sweep: Sweep) -> None:
        self.sweeps[sweep.id] = sweep
        self.runs_of.setdefault(sweep.id, {})
        self.open_of.setdefault(sweep.id, {})
        self.queue_of.setdefault(sweep.id, {})
        self.agents_of.setdefault(sweep.id, {})
        self.counts_of.setdefault(sweep.id, Counter())
        self.best_of.setdefault(sweep.id, None)

    def _put_run(self, run: Run) -> None:
        self.runs[run.id] = run
        self.runs_of[run.sweep_id].setdefault(run.id)
        self.counts_of[run.sweep_id][run.state] += 1
        if run.queued:
            self.queue_of[run.sweep_id].setdefault(run.id)
        if run.best is not None:
            self._consider_best(run)

    def _put_attempt(self, attempt: Attempt) -> None:
        self.attempts[attempt.token] = attempt
        self.asks[attempt.agent_id, attempt.ask] = attempt.token
        if attempt.state in ATTEMPT_OPEN:
            self.open_of[attempt.sweep_id].setdefault(attempt.token)
        else:
            self.open_of[attempt.sweep_id].pop(attempt.token, None)
            self.token_heard_s.pop(attempt.token, None)

    def _put_agent(self, agent: Agent) -> None:
        self.agents[agent.id] = agent
        if agent.state in AGENT_LIVE:
            self.agents_of[agent.sweep_id].setdefault(agent.id)
        else:
            self.agents_of[agent.sweep_id].pop(agent.id, None)
            self.heard_s.pop(agent.id, None)

    def _consider_best(self, run: Run) -> None:
        metric = self.sweeps[run.sweep_id].config.metric
        if metric is None or run.best is None:
            return
        holder = self.best_of.get(run.sweep_id)
        best = None if holder is None else self.runs[holder].best
        if best is None or metric.better(run.best, best):
            self.best_of[run.sweep_id] = run.id

    def _touch(self, sweep_id: str, at: float) -> None:
        sweep = self.sweeps[sweep_id]
        if at > sweep.updated_at:
            self.sweeps[sweep_id] = replace(sweep, updated_at=at)
