"""The embedded door: the engine behind the `Client` interface, from its own loop or from another thread's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

from controller.client.door import UnreachableError
from controller.domain.commands import Command
from controller.domain.events import AgentEvent
from controller.domain.feed import FeedItem
from controller.domain.queries import Answer, GetBelief, GetImportance, GetStatus, Query, Status
from controller.domain.replies import Reply
from controller.domain.world import Snapshot
from controller.engine.engine import Engine
from controller.engine.explaining import Explainer

T = TypeVar("T")


class EngineDoor:
    """A `Client` on the engine's own loop."""

    def __init__(self, engine: Engine, explainer: Explainer, status: Callable[[], Status]) -> None:
        self._engine = engine
        self._explainer = explainer
        self._status = status

    async def snapshot(self) -> Snapshot:
        """Return all facts as of one batch."""
        return await self._engine.snapshot()

    def changes(self, since: int) -> AsyncIterator[FeedItem]:
        """Yield committed batches after `since`."""
        return self._engine.changes(since)

    async def send(self, message: Command | AgentEvent) -> Reply:
        """Return the reply once it is durable."""
        return await self._engine.submit(message)

    async def ask(self, query: Query) -> Answer:
        """Answer a query; slow reading and computing happen beside the loop."""
        match query:
            case GetStatus():
                return self._status()
            case GetImportance():
                return await self._explainer.importance(query, self._engine.world)
            case GetBelief():
                return await self._explainer.belief(query, self._engine.world)
            case _:
                return await asyncio.to_thread(self._engine.store.ask, query)

    async def close(self) -> None:
        """Nothing to let go of: the engine is closed by whoever opened it."""


class ThreadDoor:
    """A `Client` for another thread's loop: every call crosses over to the engine's loop and back."""

    def __init__(self, door: EngineDoor, loop: asyncio.AbstractEventLoop) -> None:
        self._door = door
        self._loop = loop
        self._closed = False

    async def snapshot(self) -> Snapshot:
        """Return all facts as of one batch."""
        return await self._cross(self._door.snapshot())

    async def send(self, message: Command | AgentEvent) -> Reply:
        """Return the reply once it is durable."""
        return await self._cross(self._door.send(message))

    async def ask(self, query: Query) -> Answer:
        """Answer a query."""
        return await self._cross(self._door.ask(query))

    async def changes(self, since: int) -> AsyncIterator[FeedItem]:
        """Yield committed batches after `since`."""
        batches = self._door.changes(since).__aiter__()
        while True:
            item = await self._cross(_next(batches))
            if item is None:
                raise UnreachableError("the controller was closed")
            yield item

    async def close(self) -> None:
        """Answer nothing any more; the controller goes on."""
        self._closed = True

    async def _cross(self, work: Coroutine[Any, Any, T]) -> T:
        if self._closed or self._loop.is_closed():
            work.close()
            raise UnreachableError("this client is closed" if self._closed else "the controller was closed")
        try:
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))
        except RuntimeError as error:
            work.close()
            raise UnreachableError("the controller was closed") from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Nobody cancels us: it is the controller's loop that ended in the middle of the work.
            raise UnreachableError("the controller was closed") from None


async def _next(batches: AsyncIterator[FeedItem]) -> FeedItem | None:
    return await anext(batches, None)
