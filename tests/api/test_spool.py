"""Questions and answers as files: the contract of a client, restarts, errors and a full disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from controller.client import letters, spooled
from controller.client.door import Client, ClientError, DeniedError, ProtocolError, UnreachableError
from controller.client.spooled import SpooledClient
from controller.domain.events import AgentBeat, RunAsked
from controller.domain.replies import RunOrder
from tests.api.spooling import made, served
from tests.client.contract import ClientContract, create
from tests.client.fake import N_KEPT, FakeDoor, OddDoor


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
