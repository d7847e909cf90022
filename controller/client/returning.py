"""A door that finds the controller, remembers the way, and looks it up again after every failure.

A controller that was started anew may be on another host or port: the connection file says where. Agents
meet it through this door, and so does every command on a host that the controller does not run on.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar, cast

from controller.client.addresses import meet, pinned
from controller.client.announced import Connection, fault_for_nodes, is_near, read, this_machine
from controller.client.door import Client, ClientError, DeniedError, UnreachableError
from controller.client.private import read_private
from controller.client.remote import START_HINT, RemoteClient
from controller.client.ways import TlsWay
from controller.domain.changes import FeedItem
from controller.domain.commands import Command
from controller.domain.events import AgentEvent
from controller.domain.queries import Answer, Query
from controller.domain.replies import Reply
from controller.domain.runkeys import agent_key, owner_key
from controller.domain.world import Snapshot
from controller.settings import Home

VIA_VARIABLE = "TUI_SWEEPS_VIA"

T = TypeVar("T")


class Via(StrEnum):
    """Which ways are tried."""

    AUTO = "auto"
    """The socket where it is there, else every address."""
    SOCKET = "socket"
    TCP = "tcp"


def via_of(given: str | None) -> Via:
    """Return what was asked for, or what the environment asks for.

    Raises:
        DeniedError: there is no such way.
    """
    text = given or os.environ.get(VIA_VARIABLE) or Via.AUTO
    try:
        return Via(text)
    except ValueError:
        raise DeniedError(f"there is no way {text!r}", f"one of: {', '.join(Via)}") from None


class Reach:
    """What is known of the way to the controller, for those who must tell others."""

    def __init__(self) -> None:
        self.address = ""
        """The address that works; empty on the controller's own machine."""


class ReturningClient:
    """A `Client` of one home's controller, wherever it is; belongs to the event loop that uses it first."""

    def __init__(
        self,
        home: Home,
        *,
        sweep_id: str | None = None,
        via: Via = Via.AUTO,
        timeout_s: float = 10.0,
        reach: Reach | None = None,
    ) -> None:
        """Make a door that is good for a sweep's agents, or without `sweep_id` for everything."""
        self._home = home
        self._sweep_id = sweep_id
        self._via = via
        self._timeout_s = timeout_s
        self._reach = reach or Reach()
        self._client: Client | None = None
        self._finding = asyncio.Lock()
        self._is_closed = False

    async def snapshot(self) -> Snapshot:
        """Return all facts as of one batch.

        Raises:
            ClientError: no controller can be met.
        """
        return await self._through(lambda client: client.snapshot())

    async def changes(self, since: int) -> AsyncIterator[FeedItem]:
        """Yield what the controller commits after batch `since`.

        Raises:
            ClientError: no controller can be met, or it went away.
        """
        client = await self._found()
        try:
            async with contextlib.aclosing(cast("Any", client.changes(since))) as items:
                async for item in items:
                    yield item
        except ClientError:
            await self._lose(client)
            raise

    async def send(self, message: Command | AgentEvent) -> Reply:
        """Deliver a command or an agent's event.

        Raises:
            ClientError: no controller can be met; the message may have arrived all the same.
        """
        return await self._through(lambda client: client.send(message))

    async def ask(self, query: Query) -> Answer:
        """Return the answer to a query.

        Raises:
            ClientError: no controller can be met.
        """
        return await self._through(lambda client: client.ask(query))

    async def close(self) -> None:
        """Let go of the connection."""
        self._is_closed = True
        if self._client is not None:
            await self._client.close()

    async def _through(self, act: Callable[[Client], Awaitable[T]]) -> T:
        client = await self._found()
        try:
            return await act(client)
        except ClientError:
            await self._lose(client)
            raise

    async def _lose(self, client: Client) -> None:
        if self._client is client:
            self._client = None
        # Others may still wait on it; they fail by themselves and come back through the new one.
        with contextlib.suppress(ClientError):
            await client.close()

    async def _found(self) -> Client:
        async with self._finding:
            if self._is_closed:
                raise UnreachableError("This client is closed.")
            if self._client is None:
                self._client = await self._find()
            return self._client

    async def _find(self) -> Client:
        found = read(self._home.connection)
        if found is None:
            raise UnreachableError(f"No controller runs for {self._home.path}.", START_HINT)
        if self._via in (Via.AUTO, Via.SOCKET) and is_near(found):
            self._reach.address = ""
            return RemoteClient(Path(found.socket), timeout_s=self._timeout_s)
        if self._via is Via.SOCKET:
            raise UnreachableError(f"The socket {found.socket} of {found.host} is not here.", START_HINT)
        return await self._find_far(found)

    async def _find_far(self, found: Connection) -> Client:
        known = addresses_of(found)
        if not known:
            raise UnreachableError(*(fault_for_nodes(found) or ("The controller listens nowhere.", "")))
        # The one that worked comes first, if it still is one of them.
        known = tuple(sorted(known, key=lambda address: address != self._reach.address))
        pin = pinned(found.authority)
        self._reach.address = await meet(known, pin)
        way = TlsWay(self._reach.address, pin, self._key())
        return RemoteClient(way, timeout_s=self._timeout_s)

    def _key(self) -> str:
        text = read_private(self._home.secret)
        if text is None:
            raise UnreachableError(
                f"{self._home.secret} is missing.", "start the controller again; it makes one"
            )
        secret = text.decode("ascii", "replace").strip()
        return owner_key(secret) if self._sweep_id is None else agent_key(secret, self._sweep_id)


def addresses_of(found: Connection) -> tuple[str, ...]:
    """Return where the controller answers our wire over TLS; on its own machine that may be loopback."""
    if found.addresses or not this_machine().is_same(found.host, found.boot_id):
        return found.addresses
    scheme, _, address = found.wandb_url.partition("://")
    return (address,) if scheme == "https" else ()
