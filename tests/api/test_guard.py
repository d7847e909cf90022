"""Who is refused: other users, web pages, other hosts, other types, on every path by every method."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from itertools import product
from pathlib import Path

import pytest

from controller.api.connection import Limits
from controller.domain.commands import PauseSweep
from controller.domain.wire import encode
from tests.api.raw import answer_of, dialled, request, say, send_request, served
from tests.client.fake import FakeDoor

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "PROPFIND")
PATHS = ("/v1/send", "/v1/ask", "/v1/snapshot", "/v1/changes?since=0", "/", "/v1/nothing")
WEB_PAGES = (
    "Origin: http://localhost",
    "Origin: null",
    "origin: https://evil.example",
    "Sec-Fetch-Site: cross-site",
    "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-Site: same-site",
    "Sec-Fetch-Site: none, cross-site",
    "Sec-Fetch-Site:",
)
HOSTS = ("evil.example", "localhost.evil.example", "localhost:80", "127.0.0.1", "[::1]", "", None)

PAUSE = encode(PauseSweep(sweep_id="x")).encode()


def test_web_pages_are_refused_on_every_path_by_every_method(tmp_path: Path) -> None:
    async def script() -> None:
        async with served(FakeDoor(), tmp_path) as server:
            for method, path, header in product(METHODS, PATHS, WEB_PAGES):
                answer = await say(server, request(method, path, [header]))
                assert answer.status == 403, (method, path, header)
                assert not any(name.startswith("access-control") for name in answer.headers)

    asyncio.run(script())


def test_other_hosts_are_refused_on_every_path_by_every_method(tmp_path: Path) -> None:
    async def script() -> None:
        async with served(FakeDoor(), tmp_path) as server:
            for method, path, host in product(METHODS, PATHS, HOSTS):
                answer = await say(server, request(method, path, host=host))
                assert answer.status in (400, 403), (method, path, host)
            twice = await say(server, request("GET", "/v1/snapshot", ["Host: localhost"]))
            assert twice.status in (400, 403)

    asyncio.run(script())


@pytest.mark.parametrize("host", ["localhost", "tui-sweeps", "LocalHost"])
def test_own_hosts_are_served(tmp_path: Path, host: str) -> None:
    async def script() -> None:
        async with served(FakeDoor(), tmp_path) as server:
            headers = ["Content-Type: application/json; charset=utf-8", "Sec-Fetch-Site: none"]
            answer = await say(server, request("POST", "/v1/send", headers, PAUSE, host))
            assert answer.status == 200
            assert answer.told["code"] == "unknown"

    asyncio.run(script())


@pytest.mark.parametrize(
    "headers",
    [
        [],
        ["Content-Type: text/plain"],
        ["Content-Type: application/x-www-form-urlencoded"],
        ["Content-Type: multipart/form-data; boundary=x"],
        ["Content-Type: application/jsonp"],
        ["Content-Type: application/json", "Content-Type: text/plain"],
        ["Content-Type: application/json", "Content-Encoding: gzip"],
    ],
)
def test_bodies_of_other_types_are_refused_by_every_method(tmp_path: Path, headers: list[str]) -> None:
    async def script() -> None:
        async with served(FakeDoor(), tmp_path) as server:
            for method, path in product(METHODS, PATHS):
                answer = await say(server, request(method, path, headers, PAUSE))
                assert answer.status in (400, 415), (method, path, headers)

    asyncio.run(script())


def test_other_methods_and_paths_are_refused(tmp_path: Path) -> None:
    served_by = {("POST", PATHS[0]), ("POST", PATHS[1]), ("GET", PATHS[2]), ("GET", PATHS[3])}

    async def script() -> None:
        async with served(FakeDoor(), tmp_path) as server:
            for method, path in sorted(set(product(METHODS, PATHS)) - served_by):
                answer = await say(server, request(method, path))
                assert answer.status == (405 if path in PATHS[:4] else 404), (method, path)
                if method != "HEAD":
                    assert set(answer.told) == {"error", "hint"}

    asyncio.run(script())


@pytest.mark.parametrize(
    "path",
    [
        "/v1/send/",
        "//v1/send",
        "/v1/../v1/send",
        "/v1/%73end",
        "/v1/%2573end",
        "/v1\\send",
        "/v1/send%00",
        "/v1/send;x",
        "/V1/SEND",
        "http://localhost/v1/send",
        "/" + "a" * 4000,
        "*",
    ],
)
def test_paths_are_known_only_as_they_are_written(tmp_path: Path, path: str) -> None:
    async def script() -> None:
        async with served(FakeDoor(), tmp_path) as server:
            answer = await say(server, request("POST", path, ["Content-Type: application/json"], PAUSE))
            assert answer.status in (400, 404)

    asyncio.run(script())


@pytest.mark.parametrize("protocol", ["websocket", "h2c"])
def test_protocol_is_never_changed(tmp_path: Path, protocol: str) -> None:
    async def script() -> None:
        async with served(FakeDoor(), tmp_path) as server:
            for path in PATHS:
                headers = ["Connection: Upgrade", f"Upgrade: {protocol}"]
                assert (await say(server, request("GET", path, headers))).status == 400

    asyncio.run(script())


def test_other_users_are_cut_off_before_they_are_heard(tmp_path: Path) -> None:
    async def script() -> None:
        async with (
            served(FakeDoor(), tmp_path, uid=os.getuid() + 1) as server,
            dialled(server) as (reader, writer),
            asyncio.timeout(20),
        ):
            writer.write(send_request(PAUSE))
            with suppress(ConnectionResetError):  # as good: cut off with its bytes unread
                assert await reader.read() == b""

    asyncio.run(script())


def test_connections_beyond_the_limit_are_closed_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def script() -> None:
        limits = Limits(n_connections=2)
        async with (
            served(FakeDoor(), tmp_path, limits) as server, dialled(server) as one, dialled(server) as two
        ):  # fmt: skip
            for reader, writer in (one, two):  # answered: so both are there
                writer.write(request("GET", "/v1/nothing"))
                assert (await answer_of(reader)).status == 404
            for _ in range(3):
                async with dialled(server) as (reader, _writer):
                    with suppress(ConnectionResetError):
                        assert await reader.read() == b""
            one[1].write(request("GET", "/v1/nothing"))
            assert (await answer_of(one[0])).status == 404

    asyncio.run(script())
    assert caplog.text.count("connections are refused: 2 are open") == 1
