"""Questions and answers as files: the contract of a client, restarts, and what does not belong there."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from controller.api import spool as spools
from controller.api.spool import PACE, Pace, SpoolServer
from controller.client import letters, spooled
from controller.client.door import Client, ClientError, DeniedError, ProtocolError, UnreachableError
from controller.client.spooled import SpooledClient
from controller.domain.commands import Command
from controller.domain.events import AgentBeat, AgentEvent, RunAsked
from controller.domain.queries import GetHistory, NotFound
from controller.domain.replies import AgentOrder, Reply, RunOrder
from controller.domain.wire import encode
from tests.client.contract import ClientContract, create
from tests.client.fake import N_KEPT, FakeDoor

QUICK = Pace(busy_s=0.005, idle_s=0.02, trouble_s=0.01, away_s=0.01)
INSTANCE = "0123456789abcdef"


@asynccontextmanager
async def served(door: Client, spool: Path, pace: Pace = QUICK) -> AsyncIterator[SpoolServer]:
    server = SpoolServer(door, spool, pace)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(server.run())
        try:
            yield server
        finally:
            running.cancel()


class TestOverTheSpool(ClientContract):
    n_kept = N_KEPT

    @asynccontextmanager
    async def opened(self, directory: Path) -> AsyncIterator[Client]:
        async with served(FakeDoor(), directory / "spool"):
            client = SpooledClient(directory / "spool")
            await made(directory / "spool")
            try:
                yield client
            finally:
                await client.close()


async def made(spool: Path) -> None:
    """Wait until the server has made its directories."""
    async with asyncio.timeout(20):
        while not (spool / letters.ANSWERS).is_dir():  # noqa: ASYNC110 (another task makes them in a thread)
            await asyncio.sleep(0.001)


class OddDoor(FakeDoor):
    """Answers every message by a function."""

    def __init__(self, answer: Callable[[Any], Awaitable[Any]]) -> None:
        super().__init__()
        self.answer = answer

    async def send(self, message: Command | AgentEvent) -> Reply:
        return cast("Reply", await self.answer(message))


def put(spool: Path, name: str, text: bytes) -> Path:
    path = spool / letters.REQUESTS / name
    path.write_bytes(text)
    path.chmod(0o600)
    return path


async def gone(path: Path) -> None:
    async with asyncio.timeout(20):
        while path.exists():  # noqa: ASYNC110, ASYNC240 (a file tells nobody when it goes)
            await asyncio.sleep(0.005)


def test_everything_in_the_spool_is_ours_alone_and_nothing_is_left(tmp_path: Path) -> None:
    seen: dict[str, int] = {}
    before = os.umask(0)

    async def script() -> None:
        async def look(_: Any) -> AgentOrder:
            for path in (tmp_path / "spool").rglob("*"):
                seen[str(path)] = path.stat().st_mode & 0o777
            return AgentOrder()

        async with served(OddDoor(look), tmp_path / "spool"):
            await made(tmp_path / "spool")
            client = SpooledClient(tmp_path / "spool")
            await client.send(AgentBeat(agent_id="a"))
            await client.close()

    try:
        asyncio.run(script())
    finally:
        os.umask(before)
    assert len(seen) >= 4, "two directories, one of the client's, and the question"
    assert all(mode & 0o077 == 0 for mode in seen.values())
    left = [path for path in (tmp_path / "spool").rglob("*") if path.is_file() and path.name != "clock"]
    assert left == []
    assert list((tmp_path / "spool" / letters.ANSWERS).iterdir()) == []


def test_a_question_outlives_the_controller_and_is_answered_the_same(tmp_path: Path) -> None:
    """The first server dies with the question in its hands; the next one of the same store answers it."""

    async def script() -> None:
        door, asked = FakeDoor(), asyncio.Event()

        async def die(_: Any) -> Any:
            asked.set()
            await asyncio.Event().wait()

        client = SpooledClient(tmp_path / "spool")
        async with asyncio.TaskGroup() as group:
            async with served(OddDoor(die), tmp_path / "spool"):
                await made(tmp_path / "spool")
                waiting = group.create_task(client.send(RunAsked(agent_id="agent001", ask=1)))
                await asked.wait()
            async with served(door, tmp_path / "spool"):
                first = await waiting
                assert isinstance(first, RunOrder)
                assert await client.send(RunAsked(agent_id="agent001", ask=1)) == first
                await client.close()

    asyncio.run(script())


def test_a_held_question_that_is_taken_back_is_dropped(tmp_path: Path) -> None:
    async def script() -> None:
        asked, dropped = asyncio.Event(), asyncio.Event()

        async def hold(_: Any) -> Any:
            asked.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                dropped.set()
                raise

        async with served(OddDoor(hold), tmp_path / "spool"), asyncio.TaskGroup() as group:
            await made(tmp_path / "spool")
            client = SpooledClient(tmp_path / "spool")
            waiting = group.create_task(client.send(AgentBeat(agent_id="a", wait_s=60.0)))
            await asked.wait()
            waiting.cancel()
            async with asyncio.timeout(20):
                await dropped.wait()
            await client.close()

    asyncio.run(script())


def test_a_client_without_an_answer_takes_its_question_back(tmp_path: Path) -> None:
    async def script() -> None:
        for directory in ("", letters.REQUESTS, letters.ANSWERS):
            (tmp_path / "spool" / directory).mkdir(mode=0o700)
        client = SpooledClient(tmp_path / "spool", timeout_s=0.05)
        with pytest.raises(UnreachableError, match=r"did not answer in .*spool within 0\.05 s"):
            await client.send(AgentBeat(agent_id="a"))
        assert list((tmp_path / "spool" / letters.REQUESTS).iterdir()) == []
        await client.close()

    asyncio.run(script())


def test_a_home_without_a_spool_is_unreachable(tmp_path: Path) -> None:
    async def script() -> None:
        client = SpooledClient(tmp_path / "spool")
        with pytest.raises(UnreachableError, match="cannot be used") as caught:
            await client.send(AgentBeat(agent_id="a"))
        assert "the controller makes it" in caught.value.hint
        await client.close()

    asyncio.run(script())


@pytest.mark.parametrize(
    ("raised", "seen"),
    [
        (UnreachableError("The controller is starting.", "wait"), UnreachableError),
        (DeniedError("You may not.", "ask"), DeniedError),
        (ZeroDivisionError("secret"), ProtocolError),
    ],
)
def test_errors_of_the_door_arrive_as_errors_of_the_door(
    tmp_path: Path, raised: Exception, seen: type[ClientError]
) -> None:
    async def script() -> None:
        async def fail(_: Any) -> Any:
            raise raised

        async with served(OddDoor(fail), tmp_path / "spool"):
            await made(tmp_path / "spool")
            client = SpooledClient(tmp_path / "spool")
            with pytest.raises(seen) as caught:
                await client.send(AgentBeat(agent_id="a"))
            assert "secret" not in str(caught.value)
            assert caught.value.hint
            await client.close()

    asyncio.run(script())


@pytest.mark.parametrize(
    "text",
    [b"", b"\n", b"send", b"send\n{", b"send\n[]", b"fly\n{}", b"ask\n\xff\xfe", b"changes\n",
     b"changes x 1\n", b"changes 1 nan\n", b"changes 1 1e999\n", b"snapshot more\n",
     b"\x00" * 100, b"send\n" + b"[" * 5000],
)  # fmt: skip
def test_what_is_no_question_gets_an_answer_and_ends_nothing(tmp_path: Path, text: bytes) -> None:
    async def script() -> None:
        spool = tmp_path / "spool"
        async with served(FakeDoor(), spool):
            await made(spool)
            (spool / letters.ANSWERS / INSTANCE).mkdir(mode=0o700)
            await gone(put(spool, f"{INSTANCE}.7", text))
            kind = (spool / letters.ANSWERS / INSTANCE / "7").read_bytes().partition(b"\n")[0]
            assert kind in (b"strange", b"ok")
            client = SpooledClient(spool)
            assert isinstance(await client.ask(GetHistory(run_id="nosuch")), NotFound)
            await client.close()

    asyncio.run(script())


def test_a_question_that_is_too_long_or_no_file_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, "MOST_REQUEST_BYTES", 1000)

    async def script() -> None:
        spool = tmp_path / "spool"
        async with served(FakeDoor(), spool):
            await made(spool)
            (spool / letters.ANSWERS / INSTANCE).mkdir(mode=0o700)
            await gone(put(spool, f"{INSTANCE}.1", b"send\n" + b" " * 1000))
            assert b"larger than 1,000 bytes" in (spool / letters.ANSWERS / INSTANCE / "1").read_bytes()
            os.mkfifo(spool / letters.REQUESTS / f"{INSTANCE}.2", 0o600)
            await gone(spool / letters.REQUESTS / f"{INSTANCE}.2")
            assert b"no file of ours" in (spool / letters.ANSWERS / INSTANCE / "2").read_bytes()

    asyncio.run(script())


def test_links_are_not_followed_and_foreign_names_are_left_alone(tmp_path: Path) -> None:
    async def script() -> None:
        spool, secret = tmp_path / "spool", tmp_path / "secret"
        secret.write_text("ask\n{}")
        async with served(FakeDoor(), spool):
            await made(spool)
            (spool / letters.REQUESTS / f"{INSTANCE}.1").symlink_to(secret)
            (spool / letters.ANSWERS / INSTANCE).symlink_to(tmp_path)
            for name in ("..", "x", f"{INSTANCE}.1.2", f"../{INSTANCE}.1", f"{INSTANCE}.", "0.0"):
                assert letters.instance_and_number(name) is None
            stranger = put(spool, "stranger", b"send\n{}")
            client = SpooledClient(spool)
            assert isinstance(await client.ask(GetHistory(run_id="nosuch")), NotFound)
            await client.close()
            assert stranger.exists()
        assert not (tmp_path / "1").exists()

    asyncio.run(script())


def test_questions_of_the_dead_are_not_asked(tmp_path: Path) -> None:
    """An agent that died hours ago must not be handed a run after the next start."""
    heard: list[Any] = []

    async def script() -> None:
        async def hear(message: Any) -> AgentOrder:
            heard.append(message)
            return AgentOrder()

        spool = tmp_path / "spool"
        for directory in ("", letters.REQUESTS, letters.ANSWERS):
            (spool / directory).mkdir(mode=0o700)
        body = encode(RunAsked(agent_id="dead", ask=1)).encode()
        old = put(spool, f"{INSTANCE}.1", b"send\n" + body)
        os.utime(old, (time.time() - 3600,) * 2)
        async with served(OddDoor(hear), spool):
            await gone(old)

    asyncio.run(script())
    assert heard == []


def test_what_dead_clients_left_is_removed_and_the_living_are_not_touched(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spools._make(spool)
    old, fresh = spool / letters.ANSWERS / INSTANCE, spool / letters.ANSWERS / ("f" * 16)
    for directory in (old, fresh):
        directory.mkdir(mode=0o700)
        (directory / "1").write_text("ok\n")
    torn = put(spool, f".{INSTANCE}.1.ab", b"se")
    for path in (old, torn):
        os.utime(path, (time.time() - 2 * PACE.left_s,) * 2)
    spools._sweep(spool, PACE.left_s)
    assert not old.exists()
    assert not torn.exists()
    assert (fresh / "1").exists()


def test_a_spool_that_others_may_enter_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def script() -> None:
        spool = tmp_path / "spool"
        spool.mkdir(mode=0o755)
        spool.chmod(0o755)
        async with served(FakeDoor(), spool):
            async with asyncio.timeout(20):
                while "open to other users" not in caplog.text:  # noqa: ASYNC110 (the log tells nobody)
                    await asyncio.sleep(0.005)
            spool.chmod(0o700)  # and then it is
            await made(spool)
            client = SpooledClient(spool)
            assert (await client.snapshot()).seq == 0
            await client.close()

    asyncio.run(script())


def test_the_directory_is_not_read_while_nobody_writes_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spools._make(tmp_path)
    seen, read = spools._Seen(), 0
    scandir = os.scandir

    def counted(directory: Any) -> Any:
        nonlocal read
        read += 1
        return scandir(directory)

    monkeypatch.setattr(spools.os, "scandir", counted)
    found = [seen.names(tmp_path, float(n), 30.0) for n in range(29)]
    assert read == spools.N_UNCHANGED + 1
    assert found[-1] is None
    put(tmp_path, f"{INSTANCE}.1", b"ask\n{}")
    assert seen.names(tmp_path, 29.0, 30.0) == {f"{INSTANCE}.1"}
    # Whatever the clock of the file system says, it is looked at now and then.
    assert [seen.names(tmp_path, 29.0 + n, 30.0) is None for n in range(1, 40)].count(False) > 3


def test_many_batches_come_in_few_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.client.fake.N_KEPT", 100)
    monkeypatch.setattr(spooled, "WATCH_S", 5.0)

    async def script() -> None:
        door = FakeDoor()
        door.kept = type(door.kept)(maxlen=100)
        async with served(door, tmp_path / "spool"):
            await made(tmp_path / "spool")
            client = SpooledClient(tmp_path / "spool")
            for _ in range(50):
                await door.send(create())
            seen = []
            async for item in client.changes(0):
                seen.append(item.seq)
                if len(seen) == 50:
                    break
            assert seen == list(range(1, 51))
            assert client._number < 10
            await client.close()

    asyncio.run(script())


def test_a_disk_that_takes_no_answer_is_said_once_and_the_question_is_answered_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    n_refused = 0
    write = letters.write

    def refuse(directory: int, name: str, words: str, body: Any) -> None:
        nonlocal n_refused
        if words == letters.OK and n_refused < 5:
            n_refused += 1
            raise OSError(28, "No space left on device")
        write(directory, name, words, body)

    monkeypatch.setattr(letters, "write", refuse)

    async def script() -> None:
        async with served(FakeDoor(), tmp_path / "spool"):
            await made(tmp_path / "spool")
            client = SpooledClient(tmp_path / "spool")
            assert (await client.snapshot()).seq == 0
            await client.close()

    asyncio.run(script())
    assert n_refused == 5
    assert caplog.text.count("No space left on device") == 1
