"""What a batch of changes touched, so that a screen repaints these rows and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import assert_never

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
from controller.domain.world import World


@dataclass(slots=True)
class Touched:
    """Ids of what is different since the last look."""

    everything: bool = False
    """A new snapshot: nothing seen before can be relied on."""
    sweeps: set[str] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)
    agents: set[str] = field(default_factory=set)
    notes: bool = False

    def __bool__(self) -> bool:
        return bool(self.everything or self.sweeps or self.runs or self.agents or self.notes)

    def run(self, world: World, run_id: str) -> None:
        """Mark a run and its sweep."""
        self.runs.add(run_id)
        self.sweeps.add(world.runs[run_id].sweep_id)

    def agent(self, agent_id: str, sweep_id: str) -> None:
        """Mark an agent (or job) and its sweep."""
        self.agents.add(agent_id)
        self.sweeps.add(sweep_id)


def touched_by(world: World, changes: Iterable[Change], touched: Touched) -> None:
    """Mark in `touched` what these changes are about; the world has followed them already."""
    for change in changes:
        match change:
            case SweepAdded(sweep=sweep):
                touched.sweeps.add(sweep.id)
            case SweepStateSet() | AskedSet() | SweepConfigSet() | SearchAdvanced() | TargetReachedSet():
                touched.sweeps.add(change.sweep_id)
            case RunAdded(run=run):
                touched.run(world, run.id)
            case RunStateSet() | RunFaultsSet() | StopAskSet() | RunJudged() | HistoryGrew() | LogGrew():
                touched.run(world, change.run_id)
            case RunIgnoredSet():
                touched.run(world, change.run_id)
            case RunRemoved():
                touched.everything = True
            case AttemptAdded(attempt=attempt):
                touched.run(world, attempt.run_id)
            case AttemptStarted() | AttemptPidSet() | AttemptStateSet():
                # A later attempt in the same batch may have replaced this one in the world.
                if (found := world.attempts.get(change.token)) is not None:
                    touched.run(world, found.run_id)
            case AgentAdded(agent=agent) | AgentSet(agent=agent):
                touched.agent(agent.id, agent.sweep_id)
            case JobAdded(job=job) | JobSet(job=job):
                touched.agent(job.id, job.sweep_id)
            case TasksSet():
                touched.agent(change.job_id, world.jobs[change.job_id].sweep_id)
            case NoteAdded():
                touched.notes = True
            case _:
                assert_never(change)
