"""What the controller answers."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct


class Accepted(Struct, frozen=True, kw_only=True, tag=True):
    """A command was recorded."""

    ids: tuple[str, ...] = ()
    """What was created or touched."""
    text: str = ""
    """A sentence for the operator."""


class Refused(Struct, frozen=True, kw_only=True, tag=True):
    """Nothing changed; the reason and what is possible instead."""

    reason: str
    hint: str = ""
    code: str = "refused"
    """`refused`, `unknown` (no such id), `gone` (for an agent whose sweep is no more), `full` (disk)."""


class Joined(Struct, frozen=True, kw_only=True, tag=True):
    """An agent is welcome; all it needs to start runs."""

    sweep_id: str
    project: str
    entity: str
    sweep_name: str
    command: tuple[str, ...]
    program: str | None
    directory: str
    """Working directory the sweep was created in."""
    heartbeat_s: float
    lease_s: float
    on_lost: str = "keep"
    capture: tuple[str, ...] = ()
    time_matters: bool = False
    """Whether there is a run only for who has enough time left: to be told with every ask."""


class RunOrder(Struct, frozen=True, kw_only=True, tag=True):
    """Execute this config."""

    run_id: str
    name: str
    number: int
    token: int
    attempt: int
    config: dict[str, Any]
    resume: bool = False
    """A preempted run continues: the program should load its checkpoint."""


class WaitOrder(Struct, frozen=True, kw_only=True, tag=True):
    """Nothing now; ask again (the same ask number)."""

    retry_s: float = 1.0
    reason: str = ""


class ExitOrder(Struct, frozen=True, kw_only=True, tag=True):
    """The sweep can give this agent nothing more; leave with exit code 0."""

    reason: str = ""


class Granted(Struct, frozen=True, kw_only=True, tag=True):
    """Execute now: the grant is durable."""


class Acked(Struct, frozen=True, kw_only=True, tag=True):
    """Recorded up to and including `last_seq`."""

    last_seq: int = 0


class MissingFrom(Struct, frozen=True, kw_only=True, tag=True):
    """Report from this sequence on first."""

    seq: int


class Superseded(Struct, frozen=True, kw_only=True, tag=True):
    """The token is stale: end the training, its data never counts."""

    reason: str


class Wish(StrEnum):
    """What the controller wants of an agent now."""

    GO_ON = "go_on"
    STOP = "stop"
    """End the run gracefully, then take the next."""
    KILL = "kill"
    """End the run at once, then go on asking (the answer may be to leave)."""
    LEAVE = "leave"
    """Leave when the run has ended; at once when idle."""
    STOP_LEAVE = "stop_leave"
    """End the run gracefully and leave."""
    KILL_LEAVE = "kill_leave"
    """End the run at once and leave."""


class AgentOrder(Struct, frozen=True, kw_only=True, tag=True):
    """The desired state, told in answer to every heartbeat."""

    wish: Wish = Wish.GO_ON
    token: int | None = None
    """The attempt the wish is about."""
    heartbeat_s: float = 10.0


Reply = (
    Accepted
    | Refused
    | Joined
    | RunOrder
    | WaitOrder
    | ExitOrder
    | Granted
    | Acked
    | MissingFrom
    | Superseded
    | AgentOrder
)
