"""What a client says over HTTP, whatever carries it: the same words on a Unix socket and over TLS."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

from controller.client.answers import fault_of
from controller.client.door import UnreachableError
from controller.client.parts import Joiner
from controller.domain.commands import Command
from controller.domain.events import AgentEvent
from controller.domain.feed import FeedItem
from controller.domain.queries import Answer, Query
from controller.domain.replies import Reply
from controller.domain.wire import decode, encode
from controller.domain.world import Snapshot

SILENCE_S = 35.0
"""The server writes an empty line every 10 s; three missing ones mean that it is gone."""


class HttpClient(ABC):
    """A `Client` but for what carries it; belongs to the event loop that uses it first."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s

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

    @abstractmethod
    async def _post(self, name: str, body: bytes, limit_s: float) -> tuple[int, bytes]:
        """Post to a path of the wire; return status and body of the answer, within `limit_s`."""

    @abstractmethod
    def _stream(self, target: str, silence_s: float) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Get a path of the wire and give its lines; `silence_s` without a word is a time-out."""

    @abstractmethod
    def _told(self, timeout_s: float) -> AbstractContextManager[None]:
        """Tell what goes wrong within as one of the door's errors."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of the connections."""
