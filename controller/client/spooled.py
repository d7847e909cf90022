"""The door over a spool directory on a shared file system, where no address of the controller can be reached.

Slower than a connection, and complete: every question is a file, every answer another, and both outlive a
restart of the other side. Nothing is said here that may not be said twice, so a question that was not
answered in time is taken back and asked anew by whoever asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from controller.client import letters
from controller.client.door import ClientError, DeniedError, ProtocolError, UnreachableError
from controller.client.letters import LetterError
from controller.client.parts import Joiner
from controller.client.refusals import not_understood, told
from controller.domain.commands import Command
from controller.domain.events import AgentEvent
from controller.domain.feed import FeedItem
from controller.domain.queries import Answer, Query
from controller.domain.replies import Reply
from controller.domain.wire import WireError, decode, encode
from controller.domain.world import Snapshot

TIMEOUT_S = 30.0
"""The controller may look only every two seconds, and a file server may take its time."""
WATCH_S = 20.0
"""How long the controller may hold a question for changes."""
FIRST_PAUSE_S, LONGEST_PAUSE_S, GROWTH = 0.02, 0.5, 1.4
"""Pauses between two looks for an answer."""
N_AT_ONCE = 64
"""Questions that lie there at the same time."""

_ERRORS: dict[str, type[ClientError]] = {
    letters.UNREACHABLE: UnreachableError,
    letters.DENIED: DeniedError,
    letters.STRANGE: ProtocolError,
}


class SpooledClient:
    """A `Client` over a home's spool; belongs to the event loop that uses it first."""

    def __init__(self, spool: Path, *, timeout_s: float = TIMEOUT_S) -> None:
        self._spool = spool
        self._timeout_s = timeout_s
        self._instance = letters.new_instance()
        self._answers = spool / letters.ANSWERS / self._instance
        self._number = 0
        self._pending: set[str] = set()
        self._arrived: dict[str, tuple[str, bytes]] = {}
        self._looking = asyncio.Lock()
        self._room = asyncio.Semaphore(N_AT_ONCE)
        self._is_closed = False

    async def snapshot(self) -> Snapshot:
        """Return all facts as of one batch.

        Raises:
            ClientError: there is no (proper) answer.
        """
        body = await self._ask("snapshot", "", 0.0)
        try:
            joiner = Joiner()
            for line in body.splitlines():
                joiner.add(decode(line, Snapshot))
                await asyncio.sleep(0)  # a screen may paint between two parts
            return joiner.whole()
        except (WireError, ValueError) as error:
            raise not_understood(error) from error

    async def changes(self, since: int) -> AsyncIterator[FeedItem]:
        """Yield what the controller commits after batch `since`.

        Raises:
            ClientError: it went away, or cannot be asked.
        """
        while True:
            body = await self._ask(f"changes {since} {WATCH_S}", "", WATCH_S)
            for line in body.splitlines():
                try:
                    item: FeedItem = decode(line, FeedItem)  # type: ignore[arg-type]
                except WireError as error:
                    raise not_understood(error) from error
                since = item.seq
                yield item

    async def send(self, message: Command | AgentEvent) -> Reply:
        """Deliver a command or an agent's event and return the reply once it is durable.

        Raises:
            ClientError: there is no (proper) answer; the message may have arrived all the same.
        """
        held_s: float = getattr(message, "wait_s", 0.0)
        reply: Reply = await self._said("send", message, Reply, held_s)
        return reply

    async def ask(self, query: Query) -> Answer:
        """Return the answer to a query.

        Raises:
            ClientError: there is no (proper) answer.
        """
        answer: Answer = await self._said("ask", query, Answer, 0.0)
        return answer

    async def close(self) -> None:
        """Leave nothing of ours in the spool."""
        if not self._is_closed:
            self._is_closed = True
            await asyncio.to_thread(shutil.rmtree, self._answers, ignore_errors=True)

    async def _said(self, kind: str, word: Any, expected: Any, held_s: float) -> Any:
        try:
            body = encode(word)
            return decode(await self._ask(kind, body, held_s), expected)
        except WireError as error:
            raise not_understood(error) from error

    async def _ask(self, words: str, body: str, held_s: float) -> bytes:
        """Return the body of the answer to one question."""
        async with self._room:
            if self._is_closed:
                raise UnreachableError("This client is closed.")
            self._number += 1
            number = str(self._number)
            self._pending.add(number)
            try:
                await asyncio.to_thread(self._put, number, words, body)
                async with asyncio.timeout(self._timeout_s + held_s):
                    kind, answer = await self._wait(number)
            except TimeoutError as error:
                raise UnreachableError(
                    f"The controller did not answer in {self._spool} within {self._timeout_s + held_s:g} s.",
                    "does it run, and does this host see the same home?",
                ) from error
            except LetterError as error:
                raise ProtocolError(f"The answer in {self._answers} cannot be taken: {error}") from error
            except OSError as error:
                raise UnreachableError(
                    f"The spool {self._spool} cannot be used: {error.strerror}.",
                    "the controller makes it when it starts",
                ) from error
            finally:
                self._pending.discard(number)
                if self._arrived.pop(number, None) is None:
                    self._take_back(number)
        if kind == letters.OK:
            return answer
        raise _error(kind, answer)

    def _put(self, number: str, words: str, body: str) -> None:
        with contextlib.suppress(FileExistsError):
            self._answers.mkdir(mode=0o700)
        with letters.opened(self._spool / letters.REQUESTS) as directory:
            letters.write(
                directory, letters.request_name(self._instance, number), words, (body.encode("ascii"),)
            )

    def _take_back(self, number: str) -> None:
        """Remove a question that nobody waits for any more."""
        with contextlib.suppress(OSError):
            (self._spool / letters.REQUESTS / letters.request_name(self._instance, number)).unlink()

    async def _wait(self, number: str) -> tuple[str, bytes]:
        pause_s = FIRST_PAUSE_S
        while number not in self._arrived:
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * GROWTH, LONGEST_PAUSE_S)
            if not self._looking.locked():  # one look serves all that wait
                async with self._looking:
                    self._arrived |= await asyncio.to_thread(self._collect)
        return self._arrived[number]

    def _collect(self) -> dict[str, tuple[str, bytes]]:
        """Take every answer that is there; those that nobody waits for any more are thrown away."""
        found = {}
        with letters.opened(self._answers) as directory:
            with os.scandir(directory) as entries:
                names = [entry.name for entry in entries]
            for name in names:
                if name in self._pending:
                    letter = letters.read(directory, name, letters.MOST_ANSWER_BYTES)
                    if letter is not None:
                        found[name] = letter
                if not name.startswith("."):
                    letters.remove(directory, name)
        return found


def _error(kind: str, body: bytes) -> ClientError:
    return _ERRORS.get(kind, ProtocolError)(*told(body, f"The controller answered {kind!r}."))
