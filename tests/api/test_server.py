"""The server under clients that are wrong, slow or gone."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from controller.api.connection import Limits
from controller.domain.commands import Command, PauseSweep
from controller.domain.events import AgentEvent
from controller.domain.replies import Refused, Reply
from controller.domain.wire import encode
from tests.api.raw import answer_of, dialled, request, say, send_request, served
from tests.client.fake import FakeDoor

PAUSE = encode(PauseSweep(sweep_id="x")).encode()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", "line 1 column 2"),
        (b'{"type":"PauseSweep","sweep_id":}', "line 1 column 33"),
        (b'{"type":"PauseSweep","sweep_id":1}', "$.sweep_id"),
        (b'{"type":"PauseSweep"}', "sweep_id"),
        (b'{"type":"DropTables"}', "DropTables"),
        (b"{}", "type"),
        (b"[]", "array"),
        (b"\xff\xfe\xff", "understood"),
        (b"[" * 100_000, "depth"),
        (b'{"a":' * 100_000, "depth"),
        (b"1" * 5000, "digits"),
        (b"\x00", "understood"),
    ],
)
def test_bad_bodies_are_answered_with_the_place(tmp_path: Path, body: bytes, told: str) -> None:
    async def script() -> None:
        async with served(FakeDoor(), tmp_path) as server:
            answer = await say(server, send_request(body))
            assert answer.status == 400
            assert answer.headers["content-type"].startswith("application/json")
            assert told in answer.told["error"]
            assert (await say(server, send_request(PAUSE))).status == 200

    asyncio.run(script())


def test_deep_values_never_end_the_server(tmp_path: Path) -> None:
    deep = b'{"type":"RunReported","agent_id":"a","token":1,"summary":{"x":' + b"[" * 900 + b"]" * 900 + b"}}"

    async def script() -> None:
        async with served(FakeDoor(), tmp_path) as server:
            assert (await say(server, send_request(deep))).status in (200, 400)
            assert (await say(server, send_request(PAUSE))).status == 200

    asyncio.run(script())


def test_body_over_the_limit_is_refused_whether_announced_or_not(tmp_path: Path) -> None:
    body = b" " * 5_000_000

    async def script() -> None:
        async with served(FakeDoor(), tmp_path) as server:
            announced = await say(server, send_request(body))
            assert announced.status == 413
            assert "4,000,000" in announced.told["error"]
            headers = ["Content-Type: application/json", "Transfer-Encoding: chunked"]
            chunks = b"".join(b"%x\r\n%s\r\n" % (len(body) // 5, body[: len(body) // 5]) for _ in range(5))
            streamed = request("POST", "/v1/send", headers) + chunks + b"0\r\n\r\n"
            assert (await say(server, streamed)).status == 413
            assert (await say(server, send_request(PAUSE.ljust(3_999_999)))).status == 200

    asyncio.run(script())


def test_limit_of_bodies_can_be_set(tmp_path: Path) -> None:
    async def script() -> None:
        async with served(FakeDoor(), tmp_path, Limits(body_bytes=100)) as server:
            assert (await say(server, send_request(PAUSE.ljust(100)))).status == 200
            assert (await say(server, send_request(PAUSE.ljust(101)))).status == 413

    asyncio.run(script())


@pytest.mark.parametrize(
    "query",
    [
        "",
        "since",
        "since=",
        "since=-1",
        "since=x",
        "since=1&since=2",
        "since=1&x=2",
        "since=%",
        "since=" + "9" * 30,
    ],
)
def test_changes_need_the_number_of_a_batch(tmp_path: Path, query: str) -> None:
    async def script() -> None:
        async with served(FakeDoor(), tmp_path) as server:
            answer = await say(server, request("GET", f"/v1/changes?{query}"))
            assert answer.status == 400
            assert answer.told["hint"]

    asyncio.run(script())


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: " + b"x" * 100_000 + b"\r\n\r\n",
    ],
)
def test_what_is_not_http_is_answered_as_json(tmp_path: Path, data: bytes) -> None:
    async def script() -> None:
        async with served(FakeDoor(), tmp_path) as server:
            answer = await say(server, data)
            assert answer.status == 400
            assert answer.told["error"] == "This is not a proper HTTP request."

    asyncio.run(script())


@pytest.mark.parametrize("data", [b"G", b"POST /v1/send HTTP/1.1\r\nHost: local"])
def test_client_is_cut_off_when_its_headers_do_not_come(tmp_path: Path, data: bytes) -> None:
    async def script() -> None:
        async with (
            served(FakeDoor(), tmp_path, Limits(head_s=0.01)) as server,
            dialled(server) as (reader, writer),
            asyncio.timeout(20),
        ):
            writer.write(data)
            assert await reader.read() == b""

    asyncio.run(script())


def test_client_is_cut_off_when_it_says_nothing(tmp_path: Path) -> None:
    async def script() -> None:
        async with (
            served(FakeDoor(), tmp_path, Limits(idle_s=0.01)) as server,
            dialled(server) as (reader, _),
            asyncio.timeout(20),
        ):
            assert await reader.read() == b""

    asyncio.run(script())


def test_client_is_told_when_its_body_does_not_come(tmp_path: Path) -> None:
    async def script() -> None:
        async with served(FakeDoor(), tmp_path, Limits(body_s=0.01)) as server:
            answer = await say(server, send_request(PAUSE, "Content-Length: 1000")[: -len(PAUSE)])
            assert answer.status in (400, 408)
            headers = ["Content-Type: application/json", "Content-Length: 1000"]
            assert (await say(server, request("POST", "/v1/send", headers) + PAUSE)).status == 408

    asyncio.run(script())


def test_connection_is_kept_for_the_next_request(tmp_path: Path) -> None:
    async def script() -> None:
        async with (
            served(FakeDoor(), tmp_path, Limits(head_s=5.0)) as server,
            dialled(server) as (reader, writer),
            asyncio.timeout(20),
        ):
            for _ in range(3):
                for part in (send_request(PAUSE)[:20], send_request(PAUSE)[20:]):
                    writer.write(part)
                    await writer.drain()
                assert (await answer_of(reader)).status == 200
            writer.write(send_request(PAUSE) * 3)
            for _ in range(3):
                assert (await answer_of(reader)).status == 200
            assert server.n_connections == 1

    asyncio.run(script())


def test_full_disk_has_a_status_of_its_own(tmp_path: Path) -> None:
    class FullDoor(FakeDoor):
        async def send(self, message: Command | AgentEvent) -> Reply:
            return Refused(reason="The disk is full.", code="full")

    async def script() -> None:
        async with served(FullDoor(), tmp_path) as server:
            answer = await say(server, send_request(PAUSE))
            assert answer.status == 507
            assert answer.told == {
                "type": "Refused",
                "reason": "The disk is full.",
                "hint": "",
                "code": "full",
            }

    asyncio.run(script())


def test_busy_door_is_a_reason_to_come_again(tmp_path: Path) -> None:
    async def script() -> None:
        door = FakeDoor()
        await door.close()
        async with served(door, tmp_path) as server:
            answer = await say(server, send_request(PAUSE))
            assert answer.status == 503
            assert answer.headers["retry-after"] == "1"

    asyncio.run(script())


def test_answers_say_that_they_are_json(tmp_path: Path) -> None:
    async def script() -> None:
        async with served(FakeDoor(), tmp_path) as server:
            answer = await say(server, send_request(PAUSE))
            assert answer.headers["content-type"].startswith("application/json")
            assert json.loads(answer.body)["type"] == "Refused"

    asyncio.run(script())
