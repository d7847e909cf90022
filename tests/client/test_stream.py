"""HTTP on the controller's socket, answered by somebody who answers oddly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from controller.client.door import ClientError, ProtocolError, UnreachableError
from controller.client.http import HttpClient
from controller.client.ways import SocketWay
from controller.domain.events import AgentBeat
from controller.domain.queries import GetStatus, NotFound
from controller.domain.replies import AgentOrder
from controller.domain.wire import encode

BODY = encode(AgentOrder()).encode()
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"4;note=1\r\n%s\r\n%x\r\n%s\r\n0\r\nTrailer: x\r\n\r\n" % (BODY[:4], len(BODY) - 4, BODY[4:])
)


class Odd:
    """Gives the answers in turn, one per request; counts its connections."""

    def __init__(self, answers: list[bytes], step: int, stays: bool) -> None:
        self.answers, self.step, self.stays = answers, step, stays
        self.n_connections = 0
        self.has_begun = asyncio.Event()
        self._serving: set[asyncio.Task[None]] = set()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.n_connections += 1
        self._serving.add(asyncio.create_task(self._serve(reader, writer)))

    async def end(self) -> None:
        """Wait until every connection is closed here too; an open one is complained of in some later test."""
        await asyncio.gather(*self._serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):  # the client has gone
            await self._answer(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            n_body = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            await reader.readexactly(n_body)
            answer = self.answers.pop(0)
            self.has_begun.set()
            for at in range(0, len(answer), self.step):
                writer.write(answer[at : at + self.step])
                await writer.drain()
                await asyncio.sleep(0)
            if not self.stays:
                break


@asynccontextmanager
async def odd_server(
    directory: Path, answers: list[bytes], *, step: int = 1 << 20, stays: bool = False
) -> AsyncIterator[tuple[HttpClient, Odd]]:
    odd = Odd(answers, step, stays)
    server = await asyncio.start_unix_server(odd.accept, directory / "c.sock")
    client = HttpClient(SocketWay(directory / "c.sock"), timeout_s=5.0)
    try:
        yield client, odd
    finally:
        await client.close()
        server.close()
        await server.wait_closed()
        await odd.end()


@pytest.mark.parametrize("answer", [WHOLE, CHUNKED])
@pytest.mark.parametrize("step", [1, 3, 1 << 20])
async def test_answer_is_read_in_whatever_pieces_it_comes(tmp_path: Path, answer: bytes, step: int) -> None:
    async with odd_server(tmp_path, [answer], step=step) as (client, _):
        assert await client.send(AgentBeat(agent_id="a")) == AgentOrder()


async def test_connection_serves_one_request_after_the_other(tmp_path: Path) -> None:
    answers = [WHOLE, CHUNKED, WHOLE]
    async with odd_server(tmp_path, answers, stays=True) as (client, odd):
        for _ in range(3):
            assert await client.send(AgentBeat(agent_id="a")) == AgentOrder()
        assert odd.n_connections == 1


async def test_connection_that_the_other_side_closes_is_not_used_again(tmp_path: Path) -> None:
    closing = WHOLE.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    async with odd_server(tmp_path, [closing, closing]) as (client, odd):
        for _ in range(2):
            assert await client.send(AgentBeat(agent_id="a")) == AgentOrder()
        assert odd.n_connections == 2


async def test_answer_that_was_given_up_is_not_taken_for_the_next_one(tmp_path: Path) -> None:
    late = encode(NotFound(reason="late")).encode()
    begun = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(late) + 1, late)
    async with odd_server(tmp_path, [begun, WHOLE], stays=True) as (client, odd):
        asking = asyncio.create_task(client.ask(GetStatus()))
        await odd.has_begun.wait()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert await client.send(AgentBeat(agent_id="a")) == AgentOrder()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", UnreachableError),
        (WHOLE[:-1], UnreachableError),
        (WHOLE[:30], UnreachableError),
        (CHUNKED[:-2], UnreachableError),
        (CHUNKED[:60], UnreachableError),
        (CHUNKED.replace(b"4;note", b"four"), ProtocolError),
        (b"SSH-2.0-OpenSSH\r\n\r\n", ProtocolError),
        (b"HTTP/1.1 200 OK\r\n\r\n", ProtocolError),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 600_000, ProtocolError),
        (WHOLE.replace(BODY, b"x" * len(BODY)), ProtocolError),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\n{}", UnreachableError),
        (b"HTTP/1.1 500 No\r\nContent-Length: 4\r\n\r\nwell", ProtocolError),
    ],
)
async def test_odd_answer_is_an_error_of_the_door(
    tmp_path: Path, answer: bytes, error: type[ClientError]
) -> None:
    async with odd_server(tmp_path, [answer]) as (client, _):
        with pytest.raises(error) as caught:
            await client.send(AgentBeat(agent_id="a"))
        assert caught.value.hint


async def test_snapshot_that_is_cut_off_says_so(tmp_path: Path) -> None:
    answer = b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"type":"'
    async with odd_server(tmp_path, [answer]) as (client, _):
        with pytest.raises(ProtocolError, match="cut off"):
            await client.snapshot()
