"""Agents and the jobs that host them."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from controller.domain.arrays import Array


class AgentState(StrEnum):
    """What an agent is doing, or why it is no longer there."""

    ACTIVE = "active"
    DRAINING = "draining"
    """Leaves when its run has ended."""
    QUARANTINED = "quarantined"
    """Three quick failures in a row; it was told to leave."""
    LOST = "lost"
    """Not heard of for the lease, or evidence of its death."""
    SUPERSEDED = "superseded"
    """A later instance of its SLURM task took over; whatever it still says never counts."""
    LEFT = "left"


AGENT_LIVE = frozenset({AgentState.ACTIVE, AgentState.DRAINING, AgentState.QUARANTINED})


class Agent(Struct, frozen=True, kw_only=True):
    """One agent process; a new process is a new agent."""

    id: str
    """Chosen by the agent itself, new for every process: its incarnation."""
    sweep_id: str
    host: str
    pid: int
    boot_id: str = ""
    """Changes when the host restarts: evidence that everything before is dead."""
    job_id: str | None = None
    """The controller's own job that hosts it, if it started one."""
    job: str = ""
    """SLURM's name of the array task (`12345_7`) or job, or empty."""
    node: str = ""
    cluster: str = ""
    array_job: str = ""
    array_task: str = ""
    slurm_job: str = ""
    """The raw job id. Never to be cancelled or requeued: the last task of an array carries the id of the
    whole array."""
    restart: int = 0
    """How often SLURM has requeued the task; a later instance supersedes an earlier one."""
    end_at: float | None = None
    """When the job's time limit ends it, by the controller's clock; None: not known."""
    n_gpus: int = 0
    """GPUs that its runs may use; 0: none, or not known."""
    state: AgentState = AgentState.ACTIVE
    cause: str = ""
    token: int | None = None
    """Attempt it is executing."""
    kill: bool = False
    """Leave at once, together with the run."""
    n_runs: int = 0
    """Attempts it ended."""
    n_failures: int = 0
    n_quick_failures: int = 0
    """Failures in a row, each shorter than a minute."""
    joined_at: float = 0.0
    heard_at: float = 0.0
    left_at: float | None = None


TaskKey = tuple[str, str, str]
"""Cluster, (array) job and array task: the same for every restart of one SLURM task."""


def task_of(agent: Agent) -> TaskKey | None:
    """Return which SLURM task an agent is; None outside of SLURM."""
    if not agent.slurm_job:
        return None
    return agent.cluster, agent.array_job or agent.slurm_job, agent.array_task


def cancel_command(agent: Agent) -> str:
    """Return the command that cancels exactly this agent's SLURM task; empty outside of SLURM."""
    return f"scancel {agent.job}" if agent.slurm_job else ""


class JobKind(StrEnum):
    """Where agents are started."""

    LOCAL = "local"
    SLURM = "slurm"


class JobState(StrEnum):
    """The life of a local process or SLURM array that hosts agents."""

    SUBMITTING = "submitting"
    """Written down before anything is started."""
    RUNNING = "running"
    """Its process runs, or SLURM took it."""
    ENDED = "ended"
    FAILED = "failed"
    """It could not be started."""


JOB_OPEN = frozenset({JobState.SUBMITTING, JobState.RUNNING})


class Job(Struct, frozen=True, kw_only=True):
    """One local agent process that the controller started, or one SLURM array."""

    id: str
    kind: JobKind
    sweep_id: str
    state: JobState = JobState.SUBMITTING
    pid: int | None = None
    started_ticks: int | None = None
    """The process's start time in the kernel's ticks: tells a reused pid apart."""
    log: str = ""
    """Path of the agent's own log; for an array sbatch's pattern of it (`%A_%a`)."""
    cause: str = ""
    count: int | None = None
    """Runs the agent takes before it leaves; None: until the sweep is done."""
    created_at: float = 0.0
    ended_at: float | None = None
    array: Array | None = None
    """What SLURM was given; None for a local process."""
