"""The one door: how the dashboard and every command of the CLI meet the controller.

Three implementations, one contract suite: `controller.engine.door` in the controller's own process,
`controller.client.http` over its Unix socket and over TLS, `controller.client.spooled` over files.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from controller.domain.commands import Command
from controller.domain.events import AgentEvent
from controller.domain.feed import FeedItem
from controller.domain.queries import Answer, Query
from controller.domain.replies import Reply
from controller.domain.world import Snapshot

START_HINT = "start one with `tui-sweeps controller start`"


class ClientError(Exception):
    """The controller cannot be met.

    ::

        ClientError
        ├── UnreachableError   nobody answers: try again later
        ├── DeniedError        somebody answers and does not let us in
        └── ProtocolError      what was answered makes no sense (another version?)
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UnreachableError(ClientError):
    """Nobody answers at the socket, or the answer did not come in time."""


class DeniedError(ClientError):
    """The caller may not do this."""


class ProtocolError(ClientError):
    """The answer is not one of ours."""


class Client(Protocol):
    """What every door can do.

    Every method raises `UnreachableError` when the controller is away.
    """

    async def snapshot(self) -> Snapshot:
        """Return all facts as of one batch."""
        ...

    def changes(self, since: int) -> AsyncIterator[FeedItem]:
        """Yield committed batches after `since`, and `Resync` when some of them are gone."""
        ...

    async def send(self, message: Command | AgentEvent) -> Reply:
        """Deliver a command or an agent's event and return the reply once it is durable."""
        ...

    async def ask(self, query: Query) -> Answer:
        """Return the answer to a query."""
        ...

    async def close(self) -> None:
        """Let go of the connection."""
        ...
