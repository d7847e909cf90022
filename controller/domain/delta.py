"""What one transaction writes: the records that the changes touched, as they are afterwards.

Entities are frozen, so a delta can be handed to the store's writer thread while the World goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from msgspec import Struct

from controller.domain.agents import Agent, Job
from controller.domain.arrays import Task
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
    Record,
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
from controller.domain.runs import Attempt, Run
from controller.domain.sweeps import Suggestion, Sweep
from controller.domain.world import World


class Delta(Struct, frozen=True, kw_only=True):
    """Rows to write; a key that exists already is replaced."""

    sweeps: dict[str, Sweep]
    runs: dict[str, Run]
    attempts: dict[int, Attempt]
    agents: dict[str, Agent]
    jobs: dict[str, Job]
    tasks: dict[str, Task]
    shelves: dict[str, tuple[Suggestion, ...]]
    notes: tuple[NoteAdded, ...]
    records: tuple[Record, ...]
    last_token: int


class Collector:
    """Gathers the delta of one transaction, decision by decision.

    It must see the World after every single decision: an attempt that ended leaves the World as
    soon as its run is handed out again, which may be the next decision of the same transaction.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._sweeps: dict[str, Sweep] = {}
        self._runs: dict[str, Run] = {}
        self._attempts: dict[int, Attempt] = {}
        self._agents: dict[str, Agent] = {}
        self._jobs: dict[str, Job] = {}
        self._tasks: dict[str, Task] = {}
        self._shelves: dict[str, tuple[Suggestion, ...]] = {}
        self._notes: list[NoteAdded] = []
        self._records: list[Record] = []

    def add(
        self, changes: Iterable[Change], records: Iterable[Record] = (), gone: Iterable[Attempt] = ()
    ) -> None:
        """Take in one decision that the World has just followed; `gone` left it within that decision."""
        self._records.extend(records)
        self._attempts.update((attempt.token, attempt) for attempt in gone)
        for change in changes:
            match change:
                case SweepAdded(sweep=sweep):
                    self._touch_sweep(sweep.id)
                case RunAdded(run=run):
                    self._touch_run(run.id)
                case AttemptAdded(attempt=attempt):
                    self._touch_attempt(attempt.token)
                case AgentAdded(agent=agent) | AgentSet(agent=agent):
                    self._agents[agent.id] = agent
                case JobAdded(job=job) | JobSet(job=job):
                    self._jobs[job.id] = job
                case TasksSet(tasks=tasks):
                    self._tasks.update((task.id, task) for task in tasks)
                case NoteAdded():
                    self._notes.append(change)
                case AttemptStarted() | AttemptPidSet() | AttemptStateSet():
                    self._touch_attempt(change.token)
                case HistoryGrew() | LogGrew():
                    self._touch_attempt(change.token)
                case RunStateSet() | RunFaultsSet() | StopAskSet() | RunJudged():
                    self._touch_run(change.run_id)
                case RunIgnoredSet() | RunRemoved():
                    self._touch_run(change.run_id)
                case SweepStateSet() | AskedSet() | SweepConfigSet() | SearchAdvanced() | TargetReachedSet():
                    self._touch_sweep(change.sweep_id)
                case _:
                    assert_never(change)

    def build(self) -> Delta:
        """Return everything gathered."""
        return Delta(
            sweeps=self._sweeps,
            runs=self._runs,
            attempts=self._attempts,
            agents=self._agents,
            jobs=self._jobs,
            tasks=self._tasks,
            shelves=self._shelves,
            notes=tuple(self._notes),
            records=tuple(self._records),
            last_token=self._world.last_token,
        )

    def _touch_sweep(self, sweep_id: str) -> None:
        self._sweeps[sweep_id] = self._world.sweeps[sweep_id]
        self._shelves[sweep_id] = self._world.shelves.get(sweep_id, ())

    def _touch_run(self, run_id: str) -> None:
        run = self._runs[run_id] = self._world.runs[run_id]
        self._touch_sweep(run.sweep_id)

    def _touch_attempt(self, token: int) -> None:
        attempt = self._world.attempts.get(token, self._attempts.get(token))
        assert attempt is not None
        self._attempts[token] = attempt
        self._touch_run(attempt.run_id)
