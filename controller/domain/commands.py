"""What an operator wants: imperative, refused with a reason or accepted."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from controller.domain.states import Verb
from controller.domain.sweeps import SweepConfig


class _Command(Struct, frozen=True, kw_only=True, tag=True):
    actor: str = "user"
    """Who asks, as it will stand in the log of events: `user@host (dashboard)`."""


class CreateSweep(_Command, frozen=True, kw_only=True, tag=True):
    """Register a sweep; the reply's `id` is the new sweep's."""

    config: SweepConfig
    source: str
    directory: str
    n_expected: int | None = None
    """Points of the space; None where it is unbounded."""
    project: str = "uncategorized"
    entity: str = "local"
    name: str = ""
    parent: str | None = None
    prior_runs: tuple[str, ...] = ()


class _SweepCommand(_Command, frozen=True, kw_only=True, tag=True):
    sweep_id: str


class PauseSweep(_SweepCommand, frozen=True, kw_only=True, tag=True):
    """No new runs; running ones go on; agents wait."""

    verb: ClassVar[Verb] = Verb.PAUSE


class ResumeSweep(_SweepCommand, frozen=True, kw_only=True, tag=True):
    """New runs again, by the same search."""

    verb: ClassVar[Verb] = Verb.RESUME


class StopSweep(_SweepCommand, frozen=True, kw_only=True, tag=True):
    """No new runs for good; running ones finish; agents leave."""

    verb: ClassVar[Verb] = Verb.STOP


class CancelSweep(_SweepCommand, frozen=True, kw_only=True, tag=True):
    """No new runs; active runs are killed at once; agents leave."""

    verb: ClassVar[Verb] = Verb.CANCEL


class SetRunCap(_SweepCommand, frozen=True, kw_only=True, tag=True):
    """Change how many configs the sweep may start."""

    run_cap: int | None


class StopRuns(_Command, frozen=True, kw_only=True, tag=True):
    """End these runs: SIGTERM to the process tree, 30 s grace, SIGKILL."""

    run_ids: tuple[str, ...]


class RetryRuns(_Command, frozen=True, kw_only=True, tag=True):
    """Queue these ended runs for another attempt of the same config."""

    run_ids: tuple[str, ...]
    force: bool = False
    """Also runs that finished."""


class IgnoreRuns(_Command, frozen=True, kw_only=True, tag=True):
    """Leave these runs out of search, best and importance, or take them in again."""

    run_ids: tuple[str, ...]
    ignored: bool = True


class DeleteRuns(_Command, frozen=True, kw_only=True, tag=True):
    """Take these ended runs out of their sweep; a grid cell is handed out again."""

    run_ids: tuple[str, ...]


class LaunchAgents(_SweepCommand, frozen=True, kw_only=True, tag=True):
    """Start agents on this machine."""

    n_agents: int = 1
    count: int | None = None


class SubmitArray(_SweepCommand, frozen=True, kw_only=True, tag=True):
    """Start agents as a SLURM array; `controller.domain.batch` makes this. The reply's `id` is the job's."""

    array: str
    """Task numbers, without the throttle."""
    throttle: int | None = None
    """Most tasks at a time."""
    count: int | None = None
    """Runs each agent takes; for people, the script says it too."""
    script: str
    """The whole batch script."""
    options: tuple[str, ...] = ()
    """Further arguments of sbatch, which override the script's."""
    directory: str = "/"
    """Where sbatch is called; must exist on the nodes, too."""
    log: str = ""
    """Pattern of the tasks' output."""


class _JobCommand(_Command, frozen=True, kw_only=True, tag=True):
    job_id: str


class CancelJob(_JobCommand, frozen=True, kw_only=True, tag=True):
    """Cancel an array's tasks: the waiting ones, or all of them together with their runs."""

    waiting_only: bool = False


class SetThrottle(_JobCommand, frozen=True, kw_only=True, tag=True):
    """Change how many tasks of an array may run at a time; 0: as many as there are."""

    throttle: int


class HoldJob(_JobCommand, frozen=True, kw_only=True, tag=True):
    """Start no more of an array's tasks for now; those that run go on."""


class ReleaseJob(_JobCommand, frozen=True, kw_only=True, tag=True):
    """Let held tasks start again."""


class DrainAgents(_Command, frozen=True, kw_only=True, tag=True):
    """Let these agents leave when their run has ended."""

    agent_ids: tuple[str, ...]


class StopAgents(_Command, frozen=True, kw_only=True, tag=True):
    """Let these agents stop their run and leave."""

    agent_ids: tuple[str, ...]


SweepVerb = PauseSweep | ResumeSweep | StopSweep | CancelSweep
RunCommand = StopRuns | RetryRuns | IgnoreRuns | DeleteRuns
JobCommand = CancelJob | SetThrottle | HoldJob | ReleaseJob
Command = (
    CreateSweep
    | SweepVerb
    | SetRunCap
    | RunCommand
    | LaunchAgents
    | SubmitArray
    | JobCommand
    | DrainAgents
    | StopAgents
)
