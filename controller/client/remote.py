"""The door over the controller's Unix socket.

One session, kept connections, no layers: an agent's request costs a fraction of a millisecond. The
server is held to be ours only when the kernel says that our own user listens: a socket's path may
have been taken by somebody else after its owner died.
"""

from __future__ import annotations

import asyncio
import os
import socket as sockets
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from aiohttp import ClientTimeout
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from controller.client.door import ClientError, DeniedError, ProtocolError, UnreachableError
from controller.client.parts import Joiner
from controller.domain.changes import FeedItem
from controller.domain.commands import Command
from controller.domain.events import AgentEvent
from controller.domain.queries import Answer, Query
from controller.domain.replies import Reply
from controller.domain.wire import WireError, decode, encode
from controller.domain.world import Snapshot

START_HINT = "start one with `tui-sweeps controller start`"

_HEADERS = {"Content-Type": "application/json"}
_BASE = URL("http://tui-sweeps/v1/")
_SEND, _ASK, _SNAPSHOT, _CHANGES = (_BASE / name for name in ("send", "ask", "snapshot", "changes"))

_N_CONNECTIONS = 256
"""An agent needs two or three; more only where one process plays many agents."""

_IDLE_S = 60.0
"""Shorter than the server's 75 s, so that no request meets a connection that is just being closed."""

_SILENCE_S = 35.0
"""The server writes an empty line every 10 s; three missing ones mean that it is gone."""

_PEER = struct.Struct("3i")

T = TypeVar("T")


class _OwnConnector(aiohttp.UnixConnector):
    async def _create_connection(self, req: Any, traces: Any, timeout: Any) -> ResponseHandler:  # noqa: ASYNC109 (aiohttp's name)
        protocol = await super()._create_connection(req, traces, timeout)
        assert protocol.transport is not None
        found = protocol.transport.get_extra_info("socket")
        _, uid, _ = _PEER.unpack(found.getsockopt(sockets.SOL_SOCKET, sockets.SO_PEERCRED, _PEER.size))
        if uid != os.getuid():
            protocol.close()
            raise DeniedError(
                f"uid {uid} listens at the controller's socket {self.path}",
                "nothing was sent; start your own controller again",
            )
        return protocol


class RemoteClient:
    """A `Client` over a Unix socket; belongs to the event loop that uses it first."""

    def __init__(self, socket: Path, *, timeout_s: float = 10.0) -> None:
        self.socket = socket
        self._timeout_s = timeout_s
        self._timeout = ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None
        self._is_closed = False

    async def snapshot(self) -> Snapshot:
        """Return all facts as of one batch.

        Raises:
            ClientError: there is no (proper) answer.
        """
        joiner = Joiner()
        with self._told(self._timeout_s):
            # A big one may take long, but never a long time between two parts.
            timeout = ClientTimeout(total=None, sock_connect=self._timeout_s, sock_read=self._timeout_s)
            async with self._opened().get(_SNAPSHOT, timeout=timeout) as response:
                await _check(response)
                async for line in _lines(response):
                    joiner.add(decode(line, Snapshot))
                    await asyncio.sleep(0)  # a screen may paint between two parts
            return joiner.whole()

    async def changes(self, since: int) -> AsyncIterator[FeedItem]:
        """Yield what the controller commits after batch `since`.

        Raises:
            UnreachableError: the stream ended; ask again from the last batch seen.
            ClientError: it could not begin.
        """
        timeout = ClientTimeout(total=None, sock_connect=self._timeout_s, sock_read=_SILENCE_S)
        with self._told(_SILENCE_S):
            url = _CHANGES.with_query(since=str(since))
            async with self._opened().get(url, timeout=timeout) as response:
                await _check(response)
                async for line in _lines(response):
                    item: FeedItem = decode(line, FeedItem)  # type: ignore[arg-type]
                    yield item
        raise UnreachableError("The controller ended the stream of changes.", "connect again")

    async def send(self, message: Command | AgentEvent) -> Reply:
        """Deliver a command or an agent's event and return the reply once it is durable.

        Raises:
            ClientError: there is no (proper) answer; the message may have arrived all the same.
        """
        held_s: float = getattr(message, "wait_s", 0.0)
        reply: Reply = await self._post(_SEND, message, Reply, held_s)
        return reply

    async def ask(self, query: Query) -> Answer:
        """Return the answer to a query.

        Raises:
            ClientError: there is no (proper) answer.
        """
        answer: Answer = await self._post(_ASK, query, Answer, 0.0)
        return answer

    async def close(self) -> None:
        """Let go of the connections."""
        self._is_closed = True
        if self._session is not None:
            await self._session.close()

    async def _post(self, url: URL, word: Any, kind: Any, held_s: float) -> Any:
        timeout = ClientTimeout(total=self._timeout_s + held_s) if held_s > 0 else self._timeout
        with self._told(self._timeout_s + held_s):
            body = encode(word).encode()
            async with self._opened().post(url, data=body, headers=_HEADERS, timeout=timeout) as response:
                if response.status not in (200, 507):
                    await _check(response)
                return decode(await response.read(), kind)

    def _opened(self) -> aiohttp.ClientSession:
        if self._is_closed:
            raise UnreachableError("This client is closed.")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=_OwnConnector(
                    os.fspath(self.socket), limit=_N_CONNECTIONS, keepalive_timeout=_IDLE_S
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
            )
        return self._session

    @contextmanager
    def _told(self, timeout_s: float) -> Iterator[None]:
        """Tell what goes wrong within as one of the door's errors."""
        try:
            yield
        except ClientError:
            raise
        except TimeoutError as error:
            raise UnreachableError(
                f"The controller at {self.socket} did not answer within {timeout_s:g} s.",
                "is it stopped, or the machine overloaded?",
            ) from error
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, PermissionError):
                raise DeniedError(f"You may not connect to {self.socket}.") from error
            raise UnreachableError(f"No controller answers at {self.socket}.", START_HINT) from error
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            raise UnreachableError("The controller went away during a request.", "try again") from error
        except (aiohttp.ClientError, WireError, ValueError) as error:
            raise ProtocolError(
                f"What was said is not understood: {error}", "are both sides of the same version?"
            ) from error


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Yield the lines that are not empty, however long they are."""
    parts: list[bytes] = []
    async for chunk in response.content.iter_any():
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            line = b"".join((*parts, end))
            parts.clear()
            if line:
                yield line
        if rest:
            parts.append(rest)
    if parts:
        raise ProtocolError("A line of the controller's answer is cut off.", "try again")


async def _check(response: aiohttp.ClientResponse) -> None:
    """Raise what a status other than 200 means."""
    if response.status == 200:
        return
    try:
        told = decode(await response.read(), dict[str, str])
    except WireError:
        told = {}
    message = told.get("error", f"The controller answered with status {response.status}.")
    hint = told.get("hint", "")
    if response.status == 503:
        raise UnreachableError(message, hint or "try again in a moment")
    if response.status in (401, 403):
        raise DeniedError(message, hint)
    raise ProtocolError(message, hint)
