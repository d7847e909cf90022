"""What the door on the socket says when the other side is away, slow, foreign or strange."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace

from controller.api.server import serve
from controller.client import ways
from controller.client.door import Client, DeniedError, ProtocolError, UnreachableError
from controller.client.http import HttpClient
from controller.client.parts import line_of
from controller.client.ways import SocketWay
from controller.domain.commands import PauseSweep
from controller.domain.events import AgentBeat, AgentEvent, RunAsked
from controller.domain.queries import GetHistory, GetStatus, History
from controller.domain.replies import AgentOrder, Refused
from controller.domain.runs import Point, Run
from controller.domain.sweeps import Suggestion
from controller.domain.wire import decode, encode
from controller.domain.world import Facts, Snapshot
from tests.client.fake import FakeDoor, OddDoor


@asynccontextmanager
async def client_to(door: Client, directory: Path, timeout_s: float = 10.0) -> AsyncIterator[HttpClient]:
    socket = directory / "d" / "c.sock"
    server = await serve(door, socket)
    client = HttpClient(SocketWay(socket), timeout_s=timeout_s)
    try:
        yield client
    finally:
        await client.close()
        await server.close()


async def never(_: Any) -> Any:
    await asyncio.Event().wait()


def test_local_client_is_unreachable_when_nobody_listens(tmp_path: Path) -> None:
    async def script() -> None:
        client = HttpClient(SocketWay(tmp_path / "no.sock"))
        with pytest.raises(UnreachableError, match="No controller answers") as caught:
            await client.ask(GetStatus())
        assert "controller start" in caught.value.hint
        await client.close()

    asyncio.run(script())


def test_local_client_is_unreachable_when_the_answer_takes_too_long(tmp_path: Path) -> None:
    async def script() -> None:
        async with client_to(OddDoor(never), tmp_path, timeout_s=0.05) as client:
            with pytest.raises(UnreachableError, match=r"within 0\.05 s"):
                await client.send(AgentBeat(agent_id="a"))

    asyncio.run(script())


@pytest.mark.parametrize(
    "message", [AgentBeat(agent_id="a", wait_s=5.0), RunAsked(agent_id="a", ask=1, wait_s=5.0)]
)
def test_local_client_waits_longer_when_the_answer_may_be_held(tmp_path: Path, message: AgentEvent) -> None:
    async def script() -> None:
        asked = asyncio.Event()
        news = asyncio.Event()

        async def hold(_: Any) -> Any:
            asked.set()
            await news.wait()
            return AgentOrder()

        # A limit of nothing at all: only the held time is left.
        async with (
            client_to(OddDoor(hold), tmp_path, timeout_s=0.001) as client,
            asyncio.TaskGroup() as group,
        ):
            reply = group.create_task(client.send(message))
            await asked.wait()
            news.set()
            assert await reply == AgentOrder()

    asyncio.run(script())


def test_local_client_is_denied_and_sends_nothing_when_another_user_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script() -> None:
        async def fail(_: Any) -> Any:
            raise AssertionError("a message reached the impostor")

        async with client_to(OddDoor(fail), tmp_path) as client:
            uid = os.getuid()
            monkeypatch.setattr(ways.os, "getuid", lambda: uid + 1)  # type: ignore[attr-defined]
            with pytest.raises(DeniedError, match=f"uid {uid} listens"):
                await client.send(AgentBeat(agent_id="a"))

    asyncio.run(script())


def test_local_client_gives_the_refusal_as_data_when_the_disk_is_full(tmp_path: Path) -> None:
    async def script() -> None:
        full = Refused(reason="The disk is full.", code="full")

        async def refuse(_: Any) -> Any:
            return full

        async with client_to(OddDoor(refuse), tmp_path) as client:
            assert await client.send(AgentBeat(agent_id="a")) == full

    asyncio.run(script())


@pytest.mark.parametrize(
    ("raised", "seen"),
    [
        (UnreachableError("The controller is starting.", "wait"), UnreachableError),
        (DeniedError("You may not.", "ask"), DeniedError),
        (ProtocolError("Strange.", "look"), ProtocolError),
        (ZeroDivisionError("secret"), ProtocolError),
    ],
)
def test_errors_of_the_door_arrive_as_errors_of_the_door(
    tmp_path: Path, raised: Exception, seen: type[Exception]
) -> None:
    async def script() -> None:
        async def fail(_: Any) -> Any:
            raise raised

        async with client_to(OddDoor(fail), tmp_path) as client:
            with pytest.raises(seen) as caught:
                await client.send(AgentBeat(agent_id="a"))
            assert "secret" not in str(caught.value)
            assert cast("Any", caught.value).hint

    asyncio.run(script())


def test_server_goes_on_when_the_door_fails(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def script() -> None:
        async def fail(message: Any) -> Any:
            if isinstance(message, PauseSweep):
                raise ZeroDivisionError("secret")
            return AgentOrder()

        async with client_to(OddDoor(fail), tmp_path) as client:
            with pytest.raises(ProtocolError):
                await client.send(PauseSweep(sweep_id="x"))
            assert await client.send(AgentBeat(agent_id="a")) == AgentOrder()
        assert "ZeroDivisionError: secret" in caplog.text

    asyncio.run(script())


def test_local_client_says_so_when_its_message_is_no_json(tmp_path: Path) -> None:
    async def script() -> None:
        async with client_to(FakeDoor(), tmp_path) as client:
            with pytest.raises(ProtocolError, match="not understood"):
                await client.send(PauseSweep(sweep_id=object()))  # type: ignore[arg-type]

    asyncio.run(script())


def test_changes_end_with_unreachable_when_the_server_closes(tmp_path: Path) -> None:
    async def script() -> None:
        socket = tmp_path / "d" / "c.sock"
        door = FakeDoor()
        server = await serve(door, socket)
        client = HttpClient(SocketWay(socket))
        await door.publish()
        async with aclosing(cast("Any", client.changes(0))) as items:
            assert (await anext(items)).seq == 1
            async with asyncio.timeout(3):
                await server.close()
            with pytest.raises(UnreachableError, match="ended the stream"):
                await anext(items)
        with pytest.raises(UnreachableError, match="No controller answers"):
            await client.snapshot()
        await client.close()
        assert not socket.exists()

    asyncio.run(script())


def test_big_snapshot_arrives_whole(tmp_path: Path) -> None:
    runs = tuple(
        Run(id=f"r{n:05}", sweep_id="s", number=n, name="", config={"n": n}, suggestion=n)
        for n in range(1000)
    )
    shelves: dict[str, tuple[Suggestion, ...]] = {f"s{n}": () for n in range(300)}
    snapshot = Snapshot(seq=7, facts=Facts(runs=runs, shelves=shelves, last_token=2**70))

    class BigDoor(FakeDoor):
        async def snapshot(self) -> Snapshot:
            return snapshot

    async def script() -> None:
        async with client_to(BigDoor(), tmp_path) as client:
            assert await client.snapshot() == snapshot

    asyncio.run(script())


def test_big_history_arrives_whole(tmp_path: Path) -> None:
    points = tuple(Point(seq=n, step=n, at=float(n), values={"loss": n / 7}) for n in range(5000))

    async def script() -> None:
        async def tell(_: Any) -> Any:
            return History(run_id="r", points=points)

        async with client_to(OddDoor(tell), tmp_path) as client:
            assert await client.ask(GetHistory(run_id="r")) == History(run_id="r", points=points)

    asyncio.run(script())


def test_proxies_of_the_environment_are_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    async def script() -> None:
        async with client_to(FakeDoor(), tmp_path) as client:
            assert (await client.snapshot()).seq == 0

    asyncio.run(script())


def odd_runs() -> tuple[Run, ...]:
    plain = Run(
        id="r1", sweep_id="s", number=1, name="ünïcödé\u2028", config={"x": 1, "y": (1, 2)}, suggestion=1
    )
    return (
        plain,
        replace(plain, id="r2", name="half \ud800"),
        replace(plain, id="r3", summary={"loss": math.nan, "worst": -math.inf}),
        replace(plain, id="r4", config={"big": 2**70, "small": -0.0, "one": 1.0, "yes": True}),
    )


@pytest.mark.parametrize("run", odd_runs(), ids=lambda run: run.id)
def test_part_of_a_snapshot_reads_the_same_whichever_way_it_is_written(run: Run) -> None:
    part = Snapshot(seq=1, facts=Facts(runs=(run,)))
    line = line_of(part)
    assert "\n" not in line
    assert repr(decode(line, Snapshot)) == repr(decode(encode(part), Snapshot))
