"""What lies in the directory of a spool: whose it is, what does not belong there, what is taken away."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import pytest

from controller.api import spool as spools
from controller.api.spool import PACE
from controller.client import letters
from controller.client.spooled import SpooledClient
from controller.domain.events import AgentBeat, RunAsked
from controller.domain.queries import GetHistory, NotFound
from controller.domain.replies import AgentOrder
from controller.domain.wire import encode
from tests.api.spooling import INSTANCE, gone, made, put, served
from tests.client.fake import FakeDoor, OddDoor


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
