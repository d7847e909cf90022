"""Our own wire without a network: questions and answers as files in the home (`controller.client.letters`).

Whoever can put a file there is our own user, so everything may be said. One directory is looked at, rarely
while nobody uses it and often while somebody does; each question is answered beside the others, and dropped
when it was taken back. A question stays until its answer lies there: a controller that dies in between
answers it again after the next start, and answers the same, as it does on every other wire.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import time
from collections.abc import AsyncGenerator, Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from controller.api.connection import QUIET_S
from controller.api.listener import private_directory
from controller.api.pieces import answer_pieces
from controller.client import letters
from controller.client.door import Client, DeniedError, UnreachableError
from controller.client.letters import LetterError
from controller.client.parts import line_of, split_snapshot
from controller.domain.commands import Command
from controller.domain.events import AgentEvent
from controller.domain.feed import FeedItem
from controller.domain.queries import Query
from controller.domain.wire import WireError, decode, encode

log = logging.getLogger(__name__)


class Pace(Struct, frozen=True, kw_only=True):
    """How often the spool is looked at, and how much of it at once."""

    busy_s: float = 0.05
    idle_s: float = 2.0
    growth: float = 1.5
    """Of the pause, with every look that finds nothing new."""
    anyway_s: float = 30.0
    """The directory is read this often even when it seems unchanged: clocks of file systems are coarse."""
    stale_s: float = 120.0
    """An older question has nobody who waits for the answer: clients take theirs back sooner."""
    left_s: float = 86400.0
    """What was left behind is removed after so long."""
    trouble_s: float = 5.0
    """Pause after the file system refused something."""
    away_s: float = 60.0
    """Pause when the spool itself cannot be used."""
    n_open: int = 1024
    """Questions worked on at once; a held one counts."""
    n_changes: int = 256
    """Batches in one answer."""


PACE = Pace()

N_UNCHANGED = 3
"""Looks that see the same modification time before it is believed: a file may come within the same tick."""


class SpoolServer:
    """Answers what lies in a home's spool."""

    def __init__(self, door: Client, spool: Path, pace: Pace = PACE) -> None:
        self._door = door
        self._spool = spool
        self._pace = pace
        self._working: dict[str, asyncio.Task[None]] = {}
        self._seen = _Seen()
        self._swept_s = float("-inf")
        self._complained_s = float("-inf")

    async def run(self) -> None:
        """Look and answer until cancelled."""
        pause_s = self._pace.busy_s
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    is_new = await self._look(group)
                except OSError as error:  # also a `ListenError`: the directory is not ours alone
                    log.warning("the spool %s cannot be used: %s", self._spool, error)
                    self._seen = _Seen()
                    await asyncio.sleep(self._pace.away_s)
                    continue
                pause_s = self._pace.busy_s if is_new else min(pause_s * self._pace.growth, self._pace.idle_s)
                await asyncio.sleep(pause_s)

    async def _look(self, group: asyncio.TaskGroup) -> bool:
        """Begin what is new, drop what was taken back; say whether there was anything new."""
        if not self._seen.is_made:
            await asyncio.to_thread(_make, self._spool)
            self._seen.is_made = True
        now_s = time.monotonic()
        if now_s - self._swept_s >= self._pace.left_s / 24:
            self._swept_s = now_s
            await asyncio.to_thread(_sweep, self._spool, self._pace.left_s)
        names = await asyncio.to_thread(self._seen.names, self._spool, now_s, self._pace.anyway_s)
        if names is None:
            return False
        for name in self._working.keys() - names:
            self._working[name].cancel()
        fresh = [name for name in names if name not in self._working and letters.instance_and_number(name)]
        n_free = self._pace.n_open - len(self._working)
        if len(fresh) > n_free:
            self._seen.forget()
        for name in fresh[:n_free]:
            self._working[name] = group.create_task(self._serve(name))
        return bool(fresh)

    async def _serve(self, name: str) -> None:
        try:
            await self._answer(name)
        except Exception as error:  # whatever lies there must not end the controller
            self._complain(error)
            self._seen.forget()
            await asyncio.sleep(self._pace.trouble_s)
        finally:
            del self._working[name]

    def _complain(self, error: Exception) -> None:
        """Write down once a minute what happens to every question while a disk is full."""
        now_s = time.monotonic()
        if now_s - self._complained_s >= QUIET_S:
            self._complained_s = now_s
            log.warning("questions in the spool %s could not be answered: %s", self._spool, error)

    async def _answer(self, name: str) -> None:
        try:
            letter = await asyncio.to_thread(_take, self._spool, name, self._pace.stale_s)
        except LetterError as error:
            await self._put(name, letters.STRANGE, (_told(f"The request cannot be taken: {error}."),))
            return
        if letter is None:
            return
        kind, body = await self._reply(*letter)
        await self._put(name, kind, body)

    async def _reply(self, words: str, body: bytes) -> tuple[str, Iterable[bytes]]:
        """Return the first word of the answer and its body."""
        try:
            return letters.OK, await self._through_the_door(words, body)
        except UnreachableError as error:
            return letters.UNREACHABLE, (_told(str(error), error.hint),)
        except DeniedError as error:
            return letters.DENIED, (_told(str(error), error.hint),)
        except (WireError, ValueError) as error:
            return letters.STRANGE, (_told(f"The request is not understood: {error}"),)
        except Exception:
            log.exception("a question in the spool failed")
            return letters.STRANGE, (
                _told("The controller failed on this request.", "its log has the details"),
            )

    async def _through_the_door(self, words: str, body: bytes) -> Iterable[bytes]:
        match words.split():
            case ["send"]:
                reply = await self._door.send(decode(body, Command | AgentEvent))  # type: ignore[arg-type]
                return (encode(reply).encode(),)
            case ["ask"]:
                answer = await self._door.ask(decode(body, Query))  # type: ignore[arg-type]
                return (piece.encode() for piece in answer_pieces(answer))
            case ["snapshot"]:
                snapshot = await self._door.snapshot()
                return (line_of(part).encode() + b"\n" for part in split_snapshot(snapshot))
            case ["changes", since, wait_s]:
                items = await self._changes(int(since), float(wait_s))
                return [encode(item).encode() + b"\n" for item in items]
            case _:
                raise ValueError(f"there is no {words[:40]!r}")

    async def _changes(self, since: int, wait_s: float) -> list[FeedItem]:
        """Return what came after a batch, at once when there is something."""
        found: list[FeedItem] = []
        items = self._door.changes(since)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(max(wait_s, 0.0), 60.0)):
                    found.append(await anext(items))
                async with asyncio.timeout(0.0):  # and what lies there already; the rest is asked for again
                    while len(found) < self._pace.n_changes:
                        found.append(await anext(items))
        except StopAsyncIteration:
            pass
        finally:
            if isinstance(items, AsyncGenerator):
                await items.aclose()
        return found

    async def _put(self, name: str, kind: str, body: Iterable[bytes]) -> None:
        await asyncio.to_thread(_put, self._spool, name, kind, body)


class _Seen:
    """What is remembered of the directory of requests."""

    def __init__(self) -> None:
        self.is_made = False
        self._mark: tuple[int, int] | None = None
        self._n_unchanged = 0
        self._read_s = float("-inf")

    def forget(self) -> None:
        """Have the directory read at the next look."""
        self._mark = None

    def names(self, spool: Path, now_s: float, anyway_s: float) -> set[str] | None:
        """Return the files that are there; None when nothing seems to have changed."""
        with letters.opened(spool / letters.REQUESTS) as directory:
            found = os.fstat(directory)
            mark = (found.st_mtime_ns, found.st_ino)
            self._n_unchanged = self._n_unchanged + 1 if mark == self._mark else 0
            if self._n_unchanged > N_UNCHANGED and now_s - self._read_s < anyway_s:
                return None
            self._mark, self._read_s = mark, now_s
            with os.scandir(directory) as entries:
                return {entry.name for entry in entries}


def _make(spool: Path) -> None:
    for directory in (spool, spool / letters.REQUESTS, spool / letters.ANSWERS):
        private_directory(directory)


def _take(spool: Path, name: str, stale_s: float) -> tuple[str, bytes] | None:
    with letters.opened(spool / letters.REQUESTS) as directory:
        try:
            written_at = os.stat(name, dir_fd=directory, follow_symlinks=False).st_mtime
        except FileNotFoundError:
            return None
        if abs(time.time() - written_at) > stale_s and _now_there(spool) - written_at > stale_s:
            letters.remove(directory, name)
            return None
        return letters.read(directory, name, letters.MOST_REQUEST_BYTES)


def _now_there(spool: Path) -> float:
    """Return the time by the clock that stamps the letters: the file server's."""
    clock = spool / "clock"
    clock.touch(mode=0o600)
    os.utime(clock)
    return clock.stat().st_mtime


def _put(spool: Path, name: str, kind: str, body: Iterable[bytes]) -> None:
    """Lay the answer down, then take the question away."""
    found = letters.instance_and_number(name)
    assert found is not None
    instance, number = found
    with contextlib.suppress(FileNotFoundError), letters.opened(spool / letters.ANSWERS / instance) as place:
        letters.write(place, number, kind, body)
    with letters.opened(spool / letters.REQUESTS) as directory:
        letters.remove(directory, name)


def _sweep(spool: Path, left_s: float) -> None:
    """Remove what clients that died left behind."""
    before = _now_there(spool) - left_s
    for entry in _entries(spool / letters.REQUESTS):
        if entry.stat(follow_symlinks=False).st_mtime < before and not entry.is_dir(follow_symlinks=False):
            Path(entry.path).unlink(missing_ok=True)
    for entry in _entries(spool / letters.ANSWERS):
        if entry.is_dir(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_mtime < before:
            shutil.rmtree(entry.path, ignore_errors=True)


def _entries(directory: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(directory) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                yield entry


def _told(error: str, hint: str = "") -> bytes:
    return encode({"error": error, "hint": hint}).encode()
