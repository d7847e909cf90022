"""What happened outside and has just arrived: from agents, from the clock, from computations."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from controller.domain.agents import JobState
from controller.domain.arrays import Fate, TaskState
from controller.domain.runs import LogLines, Point, Verdict
from controller.domain.states import AttemptState
from controller.domain.sweeps import Suggestion


class AgentJoined(Struct, frozen=True, kw_only=True, tag=True):
    """A worker came and wants runs of a sweep. Reply: `Joined`. Idempotent by `agent_id`."""

    agent_id: str
    sweep_id: str
    """Bare id, `project/id` or `entity/project/id`."""
    host: str
    pid: int
    boot_id: str = ""
    job_id: str | None = None
    job: str = ""
    """SLURM's name of the task, `12345_7`, or of the job."""
    node: str = ""
    cluster: str = ""
    array_job: str = ""
    array_task: str = ""
    slurm_job: str = ""
    """The raw job id."""
    restart: int = 0
    """How often SLURM has requeued the task."""
    time_left_s: float | None = None
    """Until the job's time limit; a duration, because clocks of hosts differ."""
    n_gpus: int = 0
    """GPUs that its runs may use."""


class RunAsked(Struct, frozen=True, kw_only=True, tag=True):
    """An agent wants its next run. Reply: `RunOrder`, `WaitOrder` or `ExitOrder`.

    The same `ask` gets the same answer: a lost answer costs nothing.
    """

    agent_id: str
    ask: int
    """The agent's count of its asks, from 1."""
    wait_s: float = 0.0
    """How long the controller may hold the answer until there is a run."""
    time_left_s: float | None = None
    """Until the job's time limit: too little of it, and there is no run."""


class RunStarted(Struct, frozen=True, kw_only=True, tag=True):
    """The agent is ready to execute. Reply: `Granted`, or `Superseded`: then throw the run away.

    Sent before the program is executed: nothing runs that was not granted durably.
    """

    agent_id: str
    token: int
    host: str
    directory: str = ""
    argv: tuple[str, ...] = ()


class RunReported(Struct, frozen=True, kw_only=True, tag=True):
    """Points and console lines of a run. Reply: `Acked` or `Superseded`. Replays insert nothing twice."""

    agent_id: str
    token: int
    last_seq: int = 0
    """Sequence of the last report line this message covers; lines that carry no point count too."""
    first_seq: int = 1
    """Sequence of the first report line it covers."""
    from_client: bool = False
    """The lines are W&B's client's, counted beside the agent's own report (`Attempt.client_seq`)."""
    points: tuple[Point, ...] = ()
    lines: tuple[LogLines, ...] = ()
    summary: dict[str, Any] = {}
    """Keys the program set itself."""
    own_config: dict[str, Any] = {}
    """Keys of the program's config that were not assigned."""
    tags: tuple[str, ...] | None = None
    """Words the program put on the run; None: as before."""
    system: dict[str, Any] = {}
    """Latest system metrics."""
    pid: int | None = None
    preempting: bool = False
    stop_obeyed: bool = False
    """The stop signal has been sent to the process tree."""


class RunEnded(Struct, frozen=True, kw_only=True, tag=True):
    """The program is gone. Reply: `Acked`, `MissingFrom` (report first) or `Superseded`."""

    agent_id: str
    token: int
    state: AttemptState
    """`finished`, `failed`, `killed`, `preempted` or `crashed`, as the supervising agent saw it."""
    last_seq: int
    exit_code: int | None = None
    signal: int | None = None
    cause: str = ""
    comes_back: bool = False
    """SLURM puts the agent's task into its queue again: a preempted run is kept for it for a while."""
    out_of_time: bool = False
    """The job's time limit ended it."""


class AgentBeat(Struct, frozen=True, kw_only=True, tag=True):
    """An agent is alive. Reply: `AgentOrder`."""

    agent_id: str
    token: int | None = None
    """The attempt it is executing."""
    wait_s: float = 0.0
    """How long the controller may hold the answer while the order equals `order`."""
    order: str = ""
    """The order the agent knows (`AgentOrder.wish`)."""
    time_left_s: float | None = None
    """Until the job's time limit, once the agent has found out."""


class AgentLeft(Struct, frozen=True, kw_only=True, tag=True):
    """An agent goes away by itself. Reply: `Acked`."""

    agent_id: str
    cause: str = ""


AgentEvent = AgentJoined | RunAsked | RunStarted | RunReported | RunEnded | AgentBeat | AgentLeft
"""What comes over the wire from workers."""


class Ticked(Struct, frozen=True, kw_only=True, tag=True):
    """Time went by; leases may have run out."""


class Restarted(Struct, frozen=True, kw_only=True, tag=True):
    """The controller loaded its store, or noticed that it slept: every lease is full again."""


class Suggested(Struct, frozen=True, kw_only=True, tag=True):
    """Search answered."""

    sweep_id: str
    suggestions: tuple[Suggestion, ...]
    exhausted: bool = False
    first_number: int = 0
    """Number of the first suggestion that was asked for. Grid and random search walk a fixed path: an
    answer that starts elsewhere is dropped."""
    fresh: bool = False
    """These know new results: they go in front of the shelf."""
    last_run: int = 0
    """Number of the sweep's last run when search was asked; later ones may have taken the same configs."""
    error: str = ""
    """Search failed: a sentence; the sweep pauses."""


class Judged(Struct, frozen=True, kw_only=True, tag=True):
    """Early termination judged a run."""

    run_id: str
    token: int
    verdict: Verdict


class JobSeen(Struct, frozen=True, kw_only=True, tag=True):
    """The launch room started a job, or saw it end."""

    job_id: str
    state: JobState
    pid: int | None = None
    started_ticks: int | None = None
    log: str = ""
    cause: str = ""
    slurm_id: str = ""
    """SLURM's id of the array, once sbatch or a look at the queue has told it."""
    cluster: str = ""
    submitted_at: float | None = None


class JobSteered(Struct, frozen=True, kw_only=True, tag=True):
    """SLURM obeyed a wish about an array, or refused it (`problem`)."""

    job_id: str
    throttle: int | None = None
    """The new throttle; 0: none."""
    held: bool | None = None
    problem: str = ""


class TaskSeen(Struct, frozen=True, kw_only=True):
    """One task as SLURM told of it."""

    index: int
    state: TaskState
    fate: Fate = Fate.KEEP
    raw: str = ""
    reason: str = ""
    exit: str = ""
    cause: str = ""
    slurm_job: str = ""
    node: str = ""
    restart: int | None = None
    """None: not told."""
    ran_s: float | None = None
    """How long it has run, or ran."""
    left_s: float | None = None
    """How much of its time is left."""


class TasksSeen(Struct, frozen=True, kw_only=True, tag=True):
    """SLURM was asked about an array."""

    job_id: str
    tasks: tuple[TaskSeen, ...]
    complete: bool
    """SLURM answered in full: a task that is not among them is one it keeps no record of."""
    asked_at: float
    """Moment of the question; what an agent said later is newer."""


EngineEvent = Ticked | Restarted | Suggested | Judged | JobSeen | JobSteered | TasksSeen
Event = AgentEvent | EngineEvent
