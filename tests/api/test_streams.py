"""Long answers: to readers that are patient, stopped or gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from controller.api.connection import Limits
from controller.client.door import UnreachableError
from controller.domain.changes import NoteAdded
from controller.domain.commands import Command, PauseSweep
from controller.domain.events import AgentEvent
from controller.domain.feed import Batch, FeedItem, Resync
from controller.domain.replies import Reply
from controller.domain.wire import decode, encode
from controller.domain.world import Snapshot
from tests.api.raw import dialled, request, say, send_request, served
from tests.client.fake import FakeDoor

PAUSE = encode(PauseSweep(sweep_id="x")).encode()


def test_broken_snapshot_never_looks_whole(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class BrokenDoor(FakeDoor):
        async def snapshot(self) -> Any:
            whole = await super().snapshot()
            return Snapshot(seq=0, facts=type(whole.facts)(shelves=cast("Any", {"s": (object(),)})))

    async def script() -> None:
        async with (
            served(BrokenDoor(), tmp_path) as server,
            dialled(server) as (reader, writer),
            asyncio.timeout(20),
        ):
            writer.write(request("GET", "/v1/snapshot"))
            try:
                data = await reader.read()
            except ConnectionResetError:
                data = b""
            assert not data.endswith(b"0\r\n\r\n")
        assert "/v1/snapshot broke off" in caplog.text

    asyncio.run(script())


async def lines_of(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Yield the lines of a chunked answer."""
    await reader.readuntil(b"\r\n\r\n")
    rest = b""
    while n_bytes := int(await reader.readline(), 16):
        chunk = await reader.readexactly(n_bytes)
        await reader.readexactly(2)
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line


def test_changes_are_one_a_line_and_an_empty_line_when_there_is_nothing(tmp_path: Path) -> None:
    async def script() -> None:
        door = FakeDoor()
        async with (
            served(door, tmp_path, Limits(keep_alive_s=0.01)) as server,
            dialled(server) as (reader, writer),
            asyncio.timeout(20),
        ):
            writer.write(request("GET", "/v1/changes?since=0"))
            lines = lines_of(reader)
            assert [await anext(lines) for _ in range(3)] == [b"", b"", b""]
            note = NoteAdded(at=1.0, actor="a", text="two\nlines")
            await door.publish(note)
            while not (line := await anext(lines)):
                pass
            item: FeedItem = decode(line, FeedItem)  # type: ignore[arg-type]
            assert item == Batch(seq=1, changes=(note,))

    asyncio.run(script())


def test_streams_end_properly_when_the_server_closes(tmp_path: Path) -> None:
    async def script() -> None:
        async with asyncio.timeout(20):
            async with served(FakeDoor(), tmp_path) as server:
                reader, writer = await asyncio.open_unix_connection(server.socket)
                writer.write(request("GET", "/v1/changes?since=0"))
                lines = lines_of(reader)
                assert await anext(lines) == b""
            assert [line async for line in lines] == []
            writer.close()

    asyncio.run(script())


def test_held_request_does_not_keep_the_server_from_closing(tmp_path: Path) -> None:
    async def script() -> None:
        asked = asyncio.Event()

        class HoldingDoor(FakeDoor):
            async def send(self, message: Command | AgentEvent) -> Reply:
                asked.set()
                await asyncio.Event().wait()
                raise AssertionError

        async with served(HoldingDoor(), tmp_path, Limits(close_s=0.02)) as server:
            reader, writer = await asyncio.open_unix_connection(server.socket)
            writer.write(send_request(PAUSE))
            await asked.wait()
        assert await reader.read() == b""
        writer.close()

    asyncio.run(script())


class FloodingDoor(FakeDoor):
    """Commits without end, and notes when its reader is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = asyncio.Event()
        self.n_read = 0

    async def changes(self, since: int) -> AsyncIterator[FeedItem]:
        try:
            while True:
                await asyncio.sleep(0)
                self.n_read += 1
                yield Batch(seq=self.n_read, changes=(NoteAdded(at=0.0, actor="", text="x" * 10_000),))
        finally:
            self.let_go.set()


def test_reader_that_takes_nothing_is_cut_off_and_slows_nobody(tmp_path: Path) -> None:
    async def script() -> None:
        door = FloodingDoor()
        async with (
            served(door, tmp_path, Limits(drain_s=0.2)) as server,
            dialled(server) as (_, writer),
            asyncio.timeout(20),
        ):
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(request("GET", "/v1/changes?since=0"))
            assert (await say(server, send_request(PAUSE))).status == 200
            await door.let_go.wait()
            # What fits in the socket's and the server's buffers, and no more.
            assert 0 < door.n_read < 200

    asyncio.run(script())


def test_door_is_let_go_when_the_reader_hangs_up(tmp_path: Path) -> None:
    async def script() -> None:
        gone = asyncio.Event()
        begun = asyncio.Event()

        class WatchingDoor(FakeDoor):
            async def changes(self, since: int) -> AsyncIterator[FeedItem]:
                begun.set()
                try:
                    await asyncio.Event().wait()
                    yield Resync(seq=0)
                finally:
                    gone.set()

        async with served(WatchingDoor(), tmp_path) as server, asyncio.timeout(20):
            async with dialled(server) as (_, writer):
                writer.write(request("GET", "/v1/changes?since=0"))
                await begun.wait()
            await gone.wait()

    asyncio.run(script())


def test_stream_ends_when_the_door_closes(tmp_path: Path) -> None:
    async def script() -> None:
        door = FakeDoor()
        async with served(door, tmp_path) as server, dialled(server) as (reader, writer), asyncio.timeout(20):
            writer.write(request("GET", "/v1/changes?since=0"))
            lines = lines_of(reader)
            assert await anext(lines) == b""
            await door.close()
            assert [line async for line in lines] == []
        with pytest.raises(UnreachableError):
            await door.send(PauseSweep(sweep_id="x"))

    asyncio.run(script())
