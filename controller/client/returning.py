"""A door that finds the controller, remembers the way, and looks it up again after every failure.

A controller that was started anew may be on another host or port: the connection file says where. Agents
meet it through this door, and so does every command on a host that the controller does not run on.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar, cast

from controller.client import letters
from controller.client.addresses import meet, pinned
from controller.client.announced import Connection, fault_for_nodes, is_near, read, this_machine
from controller.client.door import START_HINT, Client, ClientError, DeniedError, UnreachableError
from controller.client.http import HttpClient
from controller.client.private import read_private
from controller.client.spooled import TIMEOUT_S, SpooledClient
from controller.client.ways import SocketWay, TlsWay
from controller.domain.commands import Command
from controller.domain.events import AgentEvent
from controller.domain.feed import FeedItem
from controller.domain.queries import Answer, Query
from controller.domain.replies import Reply
from controller.domain.runkeys import agent_key, owner_key
from controller.domain.world import Snapshot
from controller.settings import Home

VIA_VARIABLE = "TUI_SWEEPS_VIA"

AGAIN_S = 300.0
"""How often an agent that goes through the spool looks whether an address answers by now."""

T = TypeVar("T")


class Via(StrEnum):
    """Which ways are tried."""

    AUTO = "auto"
    """The socket where it is there, else every address, else the spool."""
    SOCKET = "socket"
    TCP = "tcp"
    SPOOL = "spool"


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
        self.is_slow = False
        """No address works: everything goes through the spool."""


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
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        """Make a door that is good for a sweep's agents, or without `sweep_id` for everything.

        `say` is told when the slow way is taken, and when it is left again.
        """
        self._home = home
        self._sweep_id = sweep_id
        self._via = via
        self._timeout_s = timeout_s
        self._reach = reach or Reach()
        self._say = say
        self._client: Client | None = None
        self._again_s = float("inf")
        """When to look for a faster way than the spool."""
        self._is_slow = False
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
            elif time.monotonic() >= self._again_s:
                self._client = await self._faster(self._client)
            return self._client

    async def _find(self) -> Client:
        found = read(self._home.connection)
        if found is None:
            raise UnreachableError(f"No controller runs for {self._home.path}.", START_HINT)
        if self._via in (Via.AUTO, Via.SOCKET) and is_near(found):
            self._reach.address, self._reach.is_slow = "", False
            return HttpClient(SocketWay(Path(found.socket)), timeout_s=self._timeout_s)
        if self._via is Via.SOCKET:
            raise UnreachableError(f"The socket {found.socket} of {found.host} is not here.", START_HINT)
        return await self._find_far(found)

    async def _find_far(self, found: Connection) -> Client:
        if self._via is Via.SPOOL:
            return self._spooled()
        try:
            return await self._meet(found)
        except UnreachableError as error:
            if self._via is not Via.AUTO or not is_spool(self._home):
                raise
            if not self._is_slow:
                self._say(f"{error} {error.hint}; going through {self._home.spool}, which is slower".strip())
            self._is_slow = True
            self._again_s = time.monotonic() + AGAIN_S
            return self._spooled()

    async def _meet(self, found: Connection) -> Client:
        known = addresses_of(found)
        if not known:
            raise UnreachableError(*(fault_for_nodes(found) or ("The controller listens nowhere.", "")))
        # The one that worked comes first, if it still is one of them.
        known = tuple(sorted(known, key=lambda address: address != self._reach.address))
        pin = pinned(found.authority)
        self._reach.address, self._reach.is_slow = await meet(known, pin), False
        self._again_s, self._is_slow = float("inf"), False
        way = TlsWay(self._reach.address, pin, key_of(self._home, self._sweep_id))
        return HttpClient(way, timeout_s=self._timeout_s)

    def _spooled(self) -> Client:
        self._reach.address, self._reach.is_slow = "", True
        return SpooledClient(self._home.spool, timeout_s=max(TIMEOUT_S, self._timeout_s))

    async def _faster(self, slow: Client) -> Client:
        """Return a way that does not lead through the spool, if there is one by now."""
        self._again_s = time.monotonic() + AGAIN_S
        found = read(self._home.connection)
        if found is None:
            return slow
        try:
            fast = await self._meet(found)
        except UnreachableError:
            return slow
        self._say(f"the controller is reached at {self._reach.address} now")
        with contextlib.suppress(ClientError):
            await slow.close()
        return fast


def key_of(home: Home, sweep_id: str | None = None) -> str:
    """Return the key of a sweep's agents, or without `sweep_id` the one that may do everything.

    Raises:
        DeniedError: what keys are derived from is not ours alone.
        UnreachableError: it is not there.
    """
    text = read_private(home.secret)
    if text is None:
        raise UnreachableError(f"{home.secret} is missing.", "start the controller again; it makes one")
    secret = text.decode("ascii", "replace").strip()
    return owner_key(secret) if sweep_id is None else agent_key(secret, sweep_id)


def is_spool(home: Home) -> bool:
    """Say whether a controller has made a spool in this home."""
    return (home.spool / letters.REQUESTS).is_dir()


def addresses_of(found: Connection) -> tuple[str, ...]:
    """Return where the controller answers our wire over TLS; on its own machine that may be loopback."""
    if found.addresses or not this_machine().is_same(found.host, found.boot_id):
        return found.addresses
    scheme, _, address = found.wandb_url.partition("://")
    return (address,) if scheme == "https" else ()
