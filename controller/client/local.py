"""The door on the controller's own machine: HTTP on its Unix socket, in plain asyncio.

The wire is that of `remote`; what is spared is a client library, whose 12 MB and tenth of a second every
command, every agent and every dashboard would pay. Connections are kept for the next request.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from pathlib import Path

from controller.client.answers import fault_of, whole_lines
from controller.client.door import START_HINT, ClientError, DeniedError, UnreachableError
from controller.client.http import HttpClient
from controller.client.refusals import not_understood
from controller.client.stream import GoneError, Line
from controller.domain.wire import WireError

__all__ = ["LocalClient"]

N_LINES = 256
"""An agent needs two or three; more only where one process plays many agents."""

IDLE_S = 60.0
"""Shorter than the server's 75 s, so that no request meets a connection that is just being closed."""


class LocalClient(HttpClient):
    """A `Client` over a Unix socket; belongs to the event loop that uses it first."""

    def __init__(self, socket: Path, *, timeout_s: float = 10.0) -> None:
        super().__init__(timeout_s)
        self._socket = socket
        self._idle: list[Line] = []
        self._lines: set[Line] = set()
        self._room = asyncio.Semaphore(N_LINES)
        self._is_closed = False

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
        line = await Line.open(self._socket)
        self._lines.add(line)
        return line

    @contextmanager
    def _told(self, timeout_s: float) -> Iterator[None]:
        """Tell what goes wrong within as one of the door's errors."""
        try:
            yield
        except ClientError:
            raise
        except TimeoutError as error:
            raise UnreachableError(
                f"The controller at {self._socket} did not answer within {timeout_s:g} s.",
                "is it stopped, or the machine overloaded?",
            ) from error
        except PermissionError as error:
            raise DeniedError(f"You may not connect to {self._socket}.") from error
        except (GoneError, ConnectionResetError, BrokenPipeError) as error:
            raise UnreachableError("The controller went away during a request.", "try again") from error
        except OSError as error:
            raise UnreachableError(f"No controller answers at {self._socket}.", START_HINT) from error
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
