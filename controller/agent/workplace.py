"""What all attempts of one agent share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from controller.agent.departure import Departure
from controller.agent.identity import Identity
from controller.agent.journal import Journal
from controller.agent.memory import MemoryWatch
from controller.agent.options import AgentOptions
from controller.agent.post import Post
from controller.agent.steering import Steering
from controller.domain.replies import Joined


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """What all attempts of one agent share."""

    identity: Identity
    joined: Joined
    options: AgentOptions
    post: Post
    steering: Steering
    journal: Journal
    memory: MemoryWatch
    directory: Path
    """Where the sweep's runs lie."""
    give_up: Callable[[], bool]
    """Whether delivering has taken too long for an agent that must leave."""
    over_at: Callable[[], float | None]
    """The loop's time at which the job ends, once a warning told; None: not known."""
    departure: Callable[[], Awaitable[Departure | None]]
    """What the agent was signalled for; None outside of SLURM."""
