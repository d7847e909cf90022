"""The controller in the dashboard's process: opened, refused, closed, handed over."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from controller.client import connection
from controller.client.connection import connect
from controller.client.door import UnreachableError
from controller.domain.commands import CreateSweep
from controller.domain.feed import FeedItem
from controller.domain.queries import GetStatus, Status
from controller.domain.replies import Accepted
from controller.launch.local import started_ticks
from controller.runtime import standing
from controller.runtime.embedded import EmbeddedController
from controller.runtime.ownership import OwnedError
from controller.settings import Home
from controller.store import StoreDamagedError
from tests.client.contract import create


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """Give a home of its own; a controller that still works for it in the end is stopped by its pid."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    home = Home(tmp_path / "home")
    yield home
    left = connection.read(home.connection)
    if left is not None and left.pid != os.getpid() and started_ticks(left.pid) is not None:
        standing.stop_controller(left.pid)


def n_sweeps(home: Home) -> int:
    async def script() -> int:
        client = connect(home)
        try:
            return len((await client.snapshot()).facts.sweeps)
        finally:
            await client.close()

    return asyncio.run(script())


def register(controller: EmbeddedController, command: CreateSweep | None = None) -> str:
    async def script() -> str:
        reply = await controller.door().send(command or create())
        assert isinstance(reply, Accepted)
        return reply.ids[0]

    return asyncio.run(script())


def status(home: Home) -> Status:
    async def script() -> Status:
        client = connect(home)
        try:
            found = await client.ask(GetStatus())
            assert isinstance(found, Status)
            return found
        finally:
            await client.close()

    return asyncio.run(script())


def collect(pid: int) -> None:
    """Collect a controller that this process started."""
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        return


def test_embedded_controller_answers_here_and_on_its_socket_and_leaves_nothing_behind(home: Home) -> None:
    controller = EmbeddedController(home)
    controller.open()
    assert not controller.has_open_work
    register(controller)
    assert controller.has_open_work
    assert n_sweeps(home) == 1
    found = status(home)
    assert (found.pid, found.embedded, found.home, found.storage) == (os.getpid(), True, str(home.path), "ok")
    socket = Path(found.socket)
    assert socket.stat().st_mode & 0o777 == 0o600
    controller.close()
    controller.close()
    assert not socket.exists()
    assert not home.connection.exists()
    assert not any(thread.name == "controller" for thread in threading.enumerate())


def test_restart_finds_what_was_recorded(home: Home) -> None:
    for n in range(3):
        controller = EmbeddedController(home)
        controller.open()
        register(controller)
        assert n_sweeps(home) == n + 1
        controller.close()


def test_a_second_controller_is_refused_and_the_first_goes_on(home: Home) -> None:
    first = EmbeddedController(home)
    first.open()
    second = EmbeddedController(home)
    with pytest.raises(OwnedError) as caught:
        second.open()
    assert str(os.getpid()) in str(caught.value)
    register(first)
    first.close()


def test_a_damaged_store_is_refused_and_left_alone(home: Home) -> None:
    home.path.mkdir(mode=0o700)
    home.store.write_bytes(b"not a database at all" * 1000)
    with pytest.raises(StoreDamagedError):
        EmbeddedController(home).open()
    assert home.store.read_bytes() == b"not a database at all" * 1000


def test_door_is_unreachable_when_the_controller_was_closed(home: Home) -> None:
    controller = EmbeddedController(home)
    controller.open()
    door = controller.door()
    controller.close()

    async def script() -> None:
        with pytest.raises(UnreachableError):
            await door.snapshot()
        with pytest.raises(UnreachableError):
            await anext(aiter(door.changes(0)))

    asyncio.run(script())


def test_who_waits_for_changes_is_told_when_the_controller_closes(home: Home) -> None:
    controller = EmbeddedController(home)
    controller.open()

    async def script() -> None:
        door = controller.door()
        seq = (await door.snapshot()).seq
        waiting = asyncio.create_task(_first(door.changes(seq)))
        await asyncio.sleep(0)
        await asyncio.to_thread(controller.close)
        with pytest.raises(UnreachableError):
            await waiting

    asyncio.run(script())


async def _first(items: AsyncIterator[FeedItem]) -> FeedItem:
    return await anext(items)


def test_cancelling_a_caller_is_its_own_affair(home: Home) -> None:
    controller = EmbeddedController(home)
    controller.open()

    async def script() -> None:
        door = controller.door()
        seq = (await door.snapshot()).seq
        waiting = asyncio.create_task(_first(door.changes(seq)))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (await door.snapshot()).seq == seq

    asyncio.run(script())
    controller.close()


def test_hand_over_leaves_a_process_that_goes_on_with_the_same_store(home: Home) -> None:
    controller = EmbeddedController(home)
    controller.open()
    register(controller)
    pid = controller.hand_over()
    assert standing.wait_until_reachable(home, other_than=os.getpid())
    found = status(home)
    assert (found.pid, found.embedded) == (pid, False)
    assert n_sweeps(home) == 1
    assert os.getsid(pid) == pid, "it has a session of its own: no hang-up reaches it"
    os.kill(pid, signal.SIGHUP)
    assert n_sweeps(home) == 1
    assert not standing.ensure_controller(home), "somebody answers: nothing needs starting"
    assert standing.stop_controller(pid)
    collect(pid)
    assert not home.connection.exists()
    assert (home.logs / "controller.log").stat().st_mode & 0o777 == 0o600


def test_ensure_starts_a_controller_when_there_is_none_and_it_leaves_when_idle(home: Home) -> None:
    assert standing.ensure_controller(home, idle_exit_s=0.2)
    pid = status_pid(home)
    collect(pid)  # it ends by itself
    assert not home.connection.exists()


def status_pid(home: Home) -> int:
    found = connection.read(home.connection)
    assert found is not None
    return found.pid
