"""The door over HTTP in plain asyncio: the same words on the controller's socket and, from afar, over TLS.

What is spared is a client library, whose 12 MB and tenth of a second every command, every agent and every
dashboard would pay. Connections are kept for the next request.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from typing import Any

from controller.client.answers import fault_of, whole_lines
from controller.client.door import START_HINT, ClientError, DeniedError, UnreachableError
from controller.client.parts import Joiner
from controller.client.refusals import not_understood
from controller.client.stream import Line
from controller.client.ways import Pair, Way
from controller.domain.commands import Command
from controller.domain.events import AgentEvent
from controller.domain.feed import FeedItem
from controller.domain.queries import Answer, Query
from controller.domain.replies import Reply
from controller.domain.wire import WireError, decode, encode
from controller.domain.world import Snapshot

SILENCE_S = 35.0
"""The server writes an empty line every 10 s; three missing ones mean that it is gone."""


N_LINES = 256
"""An agent needs two or three; more only where one process plays many agents."""

IDLE_S = 60.0
"""Shorter than the server's 75 s, so that no request meets a connection that is just being closed."""


class HttpClient:
    """A `Client` on one way to the controller; belongs to the event loop that uses it first."""

    def __init__(self, way: Way, *, timeout_s: float = 10.0) -> None:
        self._way = way
        self._timeout_s = timeout_s
        self._idle: list[Line] = []
        self._lines: set[Line] = set()
        self._room = asyncio.Semaphore(N_LINES)
        self._is_closed = False

    async def snapshot(self) -> Snapshot:
        """Return all facts as of one batch.

        Raises:
            ClientError: there is no (proper) answer.
        """
        joiner = Joiner()
        with self._told(self._timeout_s):
            # A big one may take long, but never a long time between two parts.
            async with self._stream("snapshot", self._timeout_s) as lines:
                async for line in lines:
                    joiner.add(decode(line, Snapshot))
                    await asyncio.sleep(0)  # a screen may paint between two parts
            return joiner.whole()

    async def changes(self, since: int) -> AsyncIterator[FeedItem]:
        """Yield what the controller commits after batch `since`.

        Raises:
            UnreachableError: the stream ended; ask again from the last batch seen.
            ClientError: it could not begin.
        """
        with self._told(SILENCE_S):
            async with self._stream(f"changes?since={since}", SILENCE_S) as lines:
                async for line in lines:
                    item: FeedItem = decode(line, FeedItem)  # type: ignore[arg-type]
                    yield item
        raise UnreachableError("The controller ended the stream of changes.", "connect again")

    async def send(self, message: Command | AgentEvent) -> Reply:
        """Deliver a command or an agent's event and return the reply once it is durable.

        Raises:
            ClientError: there is no (proper) answer; the message may have arrived all the same.
        """
        held_s: float = getattr(message, "wait_s", 0.0)
        reply: Reply = await self._asked("send", message, Reply, held_s)
        return reply

    async def ask(self, query: Query) -> Answer:
        """Return the answer to a query.

        Raises:
            ClientError: there is no (proper) answer.
        """
        answer: Answer = await self._asked("ask", query, Answer, 0.0)
        return answer

    async def _asked(self, name: str, word: Any, kind: Any, held_s: float) -> Any:
        limit_s = self._timeout_s + held_s
        with self._told(limit_s):
            status, answer = await self._post(name, encode(word).encode(), limit_s)
            if status not in (200, 507):
                raise fault_of(status, answer)
            return decode(answer, kind)

    async def close(self) -> None:
        """Let go of the connections."""
        self._is_closed = True
        self._idle.clear()
        await asyncio.gather(*(line.close() for line in tuple(self._lines)))

    async def _post(self, name: str, body: bytes, limit_s: float) -> tuple[int, bytes]:
        async with asyncio.timeout(limit_s), self._line() as line:
            status = await line.request("POST", f"/v1/{name}", body)
            return status, b"".join([piece async for piece in line.pieces()])

    @asynccontextmanager
    async def _stream(self, target: str, silence_s: float) -> AsyncIterator[AsyncIterator[bytes]]:
        """Get a path of the wire and give its lines; `silence_s` without a word is a time-out."""
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(self._timeout_s):
                line = await stack.enter_async_context(self._line(anew=True))
                status = await line.request("GET", f"/v1/{target}")
            pieces = await stack.enter_async_context(aclosing(line.pieces()))
            heard = await stack.enter_async_context(aclosing(_heard(pieces, silence_s)))
            if status != 200:
                raise fault_of(status, b"".join([piece async for piece in heard]))
            yield await stack.enter_async_context(aclosing(whole_lines(heard)))

    @asynccontextmanager
    async def _line(self, *, anew: bool = False) -> AsyncIterator[Line]:
        """Lend a connection: one of its own, or a kept one if there is any and it was read to its end."""
        async with self._room:
            line = await self._free(anew)
            try:
                yield line
            finally:
                if line.is_free and not anew and not self._is_closed:
                    self._idle.append(line)
                else:
                    self._lines.discard(line)
                    await line.close()

    async def _free(self, anew: bool) -> Line:
        if self._is_closed:
            raise UnreachableError("This client is closed.")
        while self._idle and not anew:
            line = self._idle.pop()
            if line.is_open() and time.monotonic() - line.free_since_s < IDLE_S:
                return line
            self._lines.discard(line)
            await line.close()
        async with asyncio.timeout(self._way.connect_s):
            line = Line(*await self._connected(), self._way.fields)
        self._lines.add(line)
        return line

    async def _connected(self) -> Pair:
        try:
            return await self._way.connect()
        except TimeoutError:
            raise
        except PermissionError as error:
            raise DeniedError(f"You may not connect to {self._way}.") from error
        except ssl.SSLError as error:
            raise UnreachableError(
                f"Somebody else answers at {self._way}, not this controller.",
                "nothing was sent; the connection file says where it is",
            ) from error
        except OSError as error:
            raise UnreachableError(f"No controller answers at {self._way}.", START_HINT) from error

    @contextmanager
    def _told(self, timeout_s: float) -> Iterator[None]:
        """Tell what goes wrong within as one of the door's errors."""
        try:
            yield
        except ClientError:
            raise
        except TimeoutError as error:
            raise UnreachableError(
                f"The controller at {self._way} did not answer within {timeout_s:g} s.",
                "is it stopped, or the machine overloaded?",
            ) from error
        except OSError as error:
            raise UnreachableError("The controller went away during a request.", "try again") from error
        except (WireError, ValueError) as error:
            raise not_understood(error) from error


async def _heard(pieces: AsyncIterator[bytes], silence_s: float) -> AsyncGenerator[bytes, None]:
    """Yield the pieces; each may be waited for as long as that."""
    while True:
        try:
            async with asyncio.timeout(silence_s):
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        yield piece
