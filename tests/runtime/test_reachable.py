"""A controller stays reachable when what it listens at is taken away from under it."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from controller.client import connection
from controller.client.connection import Connection, connect
from controller.runtime.ownership import make_home
from controller.runtime.reachable import Reachable
from controller.settings import VERSION, Home
from tests.client.fake import FakeDoor


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    (tmp_path / "runtime").mkdir()
    home = Home(tmp_path / "home")
    make_home(home)
    return home


def told() -> Connection:
    here = connection.this_machine()
    return Connection(
        host=here.host,
        boot_id=here.boot_id,
        pid=os.getpid(),
        socket="",
        instance="one",
        started_at=0.0,
        version=VERSION,
    )


async def answers(home: Home) -> bool:
    client = connect(home)
    try:
        return (await client.snapshot()).seq == 0
    finally:
        await client.close()


def test_a_runtime_directory_that_vanishes_is_replaced(home: Home, tmp_path: Path) -> None:
    async def scenario() -> None:
        reachable = await Reachable.open(home, FakeDoor())
        reachable.announce(told())
        assert await answers(home)
        shutil.rmtree(tmp_path / "runtime")  # as systemd does with the last logout
        await reachable.look()
        assert reachable.path.exists()
        assert await answers(home)
        found = connection.read(home.connection)
        assert found is not None
        assert found.socket == str(reachable.path)
        await reachable.close()
        assert not home.connection.exists()

    asyncio.run(scenario())


def test_a_connection_file_that_vanishes_is_written_again(home: Home) -> None:
    async def scenario() -> None:
        reachable = await Reachable.open(home, FakeDoor())
        reachable.announce(told())
        home.connection.unlink()
        await reachable.look()
        assert await answers(home)
        await reachable.close()

    asyncio.run(scenario())
