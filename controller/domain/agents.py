"""Agents and the jobs that host them."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class AgentState(StrEnum):
    """What an agent is doing, or why it is no longer there."""

    ACTIVE = "active"
    DRAINING = "draining"
    """Leaves when its run has ended."""
    QUARANTINED = "quarantined"
    """Three quick failures in a row; it was told to leave."""
    LOST = "lost"
    """Not heard of for the lease, or evidence of its death."""
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
    """SLURM's name of the array task (`12345_7`), or empty."""
    node: str = ""
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


class JobKind(StrEnum):
    """Where agents are started."""

    LOCAL = "local"
    SLURM = "slurm"


class JobState(StrEnum):
    """The life of a local process or SLURM array that hosts agents."""

    SUBMITTING = "submitting"
    """Written down before anything is started."""
    RUNNING = "running"
    ENDED = "ended"
    FAILED = "failed"
    """It could not be started."""


class Job(Struct, frozen=True, kw_only=True):
    """One local agent process (or SLURM array) that the controller started."""

    id: str
    kind: JobKind
    sweep_id: str
    state: JobState = JobState.SUBMITTING
    pid: int | None = None
    started_ticks: int | None = None
    """The process's start time in the kernel's ticks: tells a reused pid apart."""
    log: str = ""
    """Path of the agent's own log."""
    cause: str = ""
    count: int | None = None
    """Runs the agent takes before it leaves; None: until the sweep is done."""
    created_at: float = 0.0
    ended_at: float | None = None
