"""What became true: said once, followed by the controller's memory, the database and every mirror."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from controller.domain.agents import Agent, Job
from controller.domain.arrays import Task
from controller.domain.runs import Attempt, LogLines, Point, Run, StopAsk, Verdict
from controller.domain.states import AttemptState, RunState, SweepState
from controller.domain.sweeps import Asked, Suggestion, Sweep, SweepConfig


class SweepAdded(Struct, frozen=True, kw_only=True, tag=True):
    """A sweep was registered."""

    sweep: Sweep


class SweepStateSet(Struct, frozen=True, kw_only=True, tag=True):
    """A sweep is in another state."""

    sweep_id: str
    state: SweepState
    cause: str
    at: float
    breaker: bool = False
    since_token: int | None = None


class AskedSet(Struct, frozen=True, kw_only=True, tag=True):
    """An operator gave a verb, or it was obeyed."""

    sweep_id: str
    asked: Asked


class SweepConfigSet(Struct, frozen=True, kw_only=True, tag=True):
    """A sweep's configuration was changed by an operator."""

    sweep_id: str
    config: SweepConfig
    n_expected: int | None
    at: float


class SearchAdvanced(Struct, frozen=True, kw_only=True, tag=True):
    """Search put suggestions on the shelf, or said that it has no more."""

    sweep_id: str
    added: tuple[Suggestion, ...]
    exhausted: bool
    front: bool = False
    """They go in front of what lies there: they know more results."""
    dropped: tuple[int, ...] = ()
    """Numbers of suggestions that were taken off the shelf because better-informed ones replace them."""


class TargetReachedSet(Struct, frozen=True, kw_only=True, tag=True):
    """A run reached the metric's target, or the sweep was resumed in spite of it."""

    sweep_id: str
    reached: bool


class RunAdded(Struct, frozen=True, kw_only=True, tag=True):
    """A suggestion was taken from the shelf and became a run."""

    run: Run


class RunStateSet(Struct, frozen=True, kw_only=True, tag=True):
    """A run is in another state, with all that belongs to it."""

    run_id: str
    state: RunState
    cause: str = ""
    exit_code: int | None = None
    signal: int | None = None
    actor: str = ""
    queued: bool = False
    kept_for: str = ""
    at: float = 0.0


class RunFaultsSet(Struct, frozen=True, kw_only=True, tag=True):
    """What a run's failures add up to."""

    run_id: str
    n_failures: int
    n_crashes: int
    failed_on: tuple[str, ...]
    set_aside: bool
    n_preemptions: int = 0
    n_stuck: int = 0
    n_timeouts: int = 0
    reached_step: int | None = None


class StopAskSet(Struct, frozen=True, kw_only=True, tag=True):
    """Somebody wants the run to end, the agent obeyed, or the wish is over (`stop` None)."""

    run_id: str
    stop: StopAsk | None
    obeyed_at: float | None = None


class RunJudged(Struct, frozen=True, kw_only=True, tag=True):
    """Early termination's last word on a run."""

    run_id: str
    verdict: Verdict


class RunIgnoredSet(Struct, frozen=True, kw_only=True, tag=True):
    """An operator wants a run left out of the search, or in it again."""

    run_id: str
    ignored: bool


class RunRemoved(Struct, frozen=True, kw_only=True, tag=True):
    """A run is no longer one of its sweep's."""

    run_id: str
    at: float
    back: Suggestion | None = None
    """Its config in front of the shelf: a point of a finite space is not lost with its run."""


class AttemptAdded(Struct, frozen=True, kw_only=True, tag=True):
    """A run was handed to an agent."""

    attempt: Attempt


class AttemptStarted(Struct, frozen=True, kw_only=True, tag=True):
    """An attempt was granted; its program may run."""

    token: int
    host: str
    job: str
    directory: str
    argv: tuple[str, ...]
    at: float
    n_gpus: int = 0


class AttemptPidSet(Struct, frozen=True, kw_only=True, tag=True):
    """The program's process is known."""

    token: int
    pid: int


class AttemptStateSet(Struct, frozen=True, kw_only=True, tag=True):
    """An attempt is in another state."""

    token: int
    state: AttemptState
    cause: str = ""
    exit_code: int | None = None
    signal: int | None = None
    at: float = 0.0


class HistoryGrew(Struct, frozen=True, kw_only=True, tag=True):
    """Report lines of an attempt are recorded. The points themselves go to the store only."""

    run_id: str
    token: int
    last_seq: int
    n_points: int
    """How many were added."""
    last_step: int | None
    best: float | None
    latest: float | None
    n_metric_values: int
    """Values of the sweep's metric that were added."""
    summary: dict[str, Any]
    """Keys of the summary that changed."""
    at: float
    client_seq: int = 0
    extremes: dict[str, tuple[float, float]] = {}
    """Lowest and highest value of the metrics of which one of them is another now."""
    own_config: dict[str, Any] = {}
    """Keys of the program's own config that changed."""
    system: dict[str, Any] = {}
    """System metrics that changed."""
    tags: tuple[str, ...] | None = None
    """None: as before."""


class LogGrew(Struct, frozen=True, kw_only=True, tag=True):
    """Console lines of a run are recorded."""

    run_id: str
    token: int
    n_lines: int
    """Lines the attempt has now."""


class AgentAdded(Struct, frozen=True, kw_only=True, tag=True):
    """An agent joined."""

    agent: Agent


class AgentSet(Struct, frozen=True, kw_only=True, tag=True):
    """An agent's record changed."""

    agent: Agent


class JobAdded(Struct, frozen=True, kw_only=True, tag=True):
    """A job was written down, before it is started."""

    job: Job


class JobSet(Struct, frozen=True, kw_only=True, tag=True):
    """A job's record changed."""

    job: Job


class TasksSet(Struct, frozen=True, kw_only=True, tag=True):
    """Tasks of an array were added or changed; only those that did."""

    job_id: str
    tasks: tuple[Task, ...]


class NoteAdded(Struct, frozen=True, kw_only=True, tag=True):
    """A line of the log of events: who did what, what was decided and why."""

    at: float
    actor: str
    text: str
    sweep_id: str = ""
    run_id: str = ""


Change = (
    SweepAdded
    | SweepStateSet
    | AskedSet
    | SweepConfigSet
    | SearchAdvanced
    | TargetReachedSet
    | RunAdded
    | RunStateSet
    | RunFaultsSet
    | StopAskSet
    | RunJudged
    | RunIgnoredSet
    | RunRemoved
    | AttemptAdded
    | AttemptStarted
    | AttemptPidSet
    | AttemptStateSet
    | HistoryGrew
    | LogGrew
    | AgentAdded
    | AgentSet
    | JobAdded
    | JobSet
    | TasksSet
    | NoteAdded
)


class PointsRecord(Struct, frozen=True, kw_only=True, tag=True):
    """History rows on their way to the store."""

    run_id: str
    token: int
    points: tuple[Point, ...]


class LinesRecord(Struct, frozen=True, kw_only=True, tag=True):
    """Console lines on their way to the store; a line number that is there already is rewritten."""

    run_id: str
    token: int
    lines: LogLines


Record = PointsRecord | LinesRecord
"""What is kept with the changes in one transaction but is no part of the World."""
