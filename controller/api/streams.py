"""One long answer, written to a reader that may be slow, stopped or gone.

The reader never slows anybody: while its socket takes nothing the door's iterator is not asked, and
tells it to look again later; after ten seconds it is cut off.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiohttp import web

from controller.api.connection import Limits
from controller.client.door import ClientError
from controller.domain.feed import FeedItem
from controller.domain.wire import encode

log = logging.getLogger(__name__)


class Stream:
    """Writes lines to one reader."""

    def __init__(self, request: web.BaseRequest, kind: str, limits: Limits) -> None:
        self._request = request
        self.response = web.StreamResponse(headers={"Content-Type": kind})
        self._keep_alive_s = limits.keep_alive_s
        self._drain_s = limits.drain_s
        self._n_written = 0
        self._carrying: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def begun(self) -> AsyncIterator[None]:
        """Send the headers; hang up when what is written after them fails.

        Raises:
            ConnectionError: the reader is gone, or the answer could not be written to its end.
        """
        await self.response.prepare(self._request)
        try:
            yield
        except ConnectionError:
            raise
        except Exception as error:
            log.error("%s broke off", self._request.raw_path.partition("?")[0], exc_info=error)
            self.cut()
            raise ConnectionResetError("broke off") from error

    async def write(self, data: bytes) -> None:
        """Write and wait until the reader took most of it.

        Raises:
            ConnectionError: the reader is gone, or was cut off because it took nothing.
        """
        self._n_written += 1
        try:
            async with asyncio.timeout(self._drain_s):
                await self.response.write(data)
        except TimeoutError:
            self.cut()
            raise ConnectionResetError("the reader took nothing") from None

    async def carry(self, items: AsyncIterator[FeedItem]) -> None:
        """Write every item as a line, and an empty line when there was nothing for a while."""
        await self.write(b"\n")  # the headers leave with the first byte
        async with asyncio.TaskGroup() as group:
            self._carrying = group.create_task(self._carry(items))
            keeping = group.create_task(self._keep_alive())
            self._carrying.add_done_callback(lambda _: keeping.cancel())

    def end(self) -> None:
        """Let the stream end after the line it is writing."""
        if self._carrying is not None:
            self._carrying.cancel()

    async def _carry(self, items: AsyncIterator[FeedItem]) -> None:
        try:
            with suppress(ConnectionError, ClientError):
                async for item in items:
                    await self.write(encode(item).encode() + b"\n")
        finally:
            if isinstance(items, AsyncGenerator):
                await items.aclose()

    async def _keep_alive(self) -> None:
        with suppress(ConnectionError):
            while True:
                n_before = self._n_written
                await asyncio.sleep(self._keep_alive_s)
                if self._n_written == n_before:
                    await self.write(b"\n")
        self.end()

    def cut(self) -> None:
        """Hang up at once: half an answer must not look like a whole one."""
        if self._request.transport is not None:
            self._request.transport.abort()
