"""What can be turned about one agent; every default has its reason under it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from controller.client.returning import Reach
from controller.settings import Home


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentOptions:
    """How one agent works."""

    sweep_id: str
    """Bare id, `project/id` or `entity/project/id`."""
    count: int | None = None
    """Runs to take before leaving; None: until the sweep can give nothing more."""
    job_id: str | None = None
    """The controller's own job that this agent is; such an agent ignores hang-ups."""
    directory: Path | None = None
    """Where run directories go, instead of the sweep's own directory."""
    home: Home | None = None
    """Whose controller the agent works for: programs that use W&B's client report there."""
    via: str | None = None
    """Which ways to the controller are tried (`controller.client.returning.Via`); None: the environment's."""
    reach: Reach = field(default_factory=Reach)
    """The address that works from here, once one is found: programs that use W&B's client report there."""
    grace_s: float = 30.0
    """From SIGTERM to SIGKILL: time for a checkpoint."""
    leftover_s: float = 5.0
    """The same for what a program left running when it had exited itself."""
    wait_s: float = 25.0
    """How long the controller may hold an answer; below the idle limits of proxies."""
    connect_s: float = 60.0
    """How long to look for the controller at start."""
    flush_s: float = 30.0
    """How long an agent that must leave tries to deliver; the rest stays in the run directory."""
    retry_s: float = 0.5
    """First pause before trying again while the controller is away; doubles."""
    tick_s: float = 0.25
    """How often the program's files are looked at."""
    fence_margin_s: float = 5.0
    """Under `on_lost: fence`, kept free for the signals themselves."""
