from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from controller.api.server import serve
from controller.client import connection as connections
from controller.client.connection import Connection, Machine, connect, read, this_machine, write
from controller.client.door import DeniedError, ProtocolError, UnreachableError
from controller.domain.queries import GetStatus, NotFound
from controller.settings import Home
from tests.client.fake import FakeDoor


def made(socket: Path, machine: Machine | None = None) -> Connection:
    machine = machine or this_machine()
    return Connection(
        host=machine.host,
        boot_id=machine.boot_id,
        pid=4242,
        socket=str(socket),
        instance="one",
        started_at=1.0,
        version="0.1.0",
    )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    tmp_path.chmod(0o700)
    return Home(tmp_path)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_connection_file_is_ours_alone_whatever_the_umask(home: Home, umask: int) -> None:
    before = os.umask(umask)
    try:
        write(home.connection, made(Path("/s")))
    finally:
        os.umask(before)
    assert home.connection.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in home.path.iterdir()] == [home.connection.name]


def test_connection_is_read_as_it_was_written(home: Home) -> None:
    assert read(home.connection) is None
    for pid_socket in ("/one.sock", "/two.sock"):
        written = made(Path(pid_socket))
        write(home.connection, written)
        assert read(home.connection) == written


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_connection_file_is_refused_when_others_can_reach_it(home: Home, mode: int) -> None:
    write(home.connection, made(Path("/s")))
    home.connection.chmod(mode)
    with pytest.raises(DeniedError, match="open to other users") as caught:
        read(home.connection)
    assert caught.value.hint == f"chmod 600 {home.connection}"


def test_connection_file_is_refused_when_it_is_foreign(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home.connection, made(Path("/s")))
    uid = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: uid + 1)
    with pytest.raises(DeniedError, match="no file of yours"):
        read(home.connection)


def test_connection_file_is_refused_when_it_is_a_symlink_or_a_pipe(home: Home) -> None:
    write(home.path / "real", made(Path("/s")))
    home.connection.symlink_to(home.path / "real")
    with pytest.raises(DeniedError, match="symlink"):
        read(home.connection)
    home.connection.unlink()
    os.mkfifo(home.connection, 0o600)
    with pytest.raises(DeniedError, match="no file of yours"):
        read(home.connection)


def test_connection_file_is_told_apart_from_other_text(home: Home) -> None:
    home.connection.touch(0o600)
    home.connection.write_text('{"host": 1}')
    with pytest.raises(ProtocolError, match="Expected `str`"):
        read(home.connection)


def test_connect_says_how_to_start_a_controller_when_there_is_none(home: Home) -> None:
    with pytest.raises(UnreachableError, match="No controller runs for") as caught:
        connect(home)
    assert "tui-sweeps controller start" in caught.value.hint


def test_connect_says_that_the_controller_is_gone_when_its_socket_is(home: Home) -> None:
    write(home.connection, made(home.path / "gone.sock"))
    with pytest.raises(UnreachableError, match="pid 4242"):
        connect(home)


def test_connect_names_the_other_host(home: Home) -> None:
    write(home.connection, made(home.path / "s", Machine(host="login2", boot_id="b2")))
    with pytest.raises(UnreachableError, match="runs on host login2") as caught:
        connect(home)
    assert "ssh login2" in caught.value.hint


def test_connect_says_when_the_host_was_restarted(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home.connection, made(home.path / "s", Machine(host="login1", boot_id="b1")))
    monkeypatch.setattr(connections, "this_machine", lambda: Machine(host="login1", boot_id="b2"))
    with pytest.raises(UnreachableError, match="login1 was restarted") as caught:
        connect(home)
    assert "controller start" in caught.value.hint


def test_connect_reaches_the_controller(home: Home) -> None:
    async def script() -> None:
        socket = home.path / "c.sock"
        server = await serve(FakeDoor(), socket)
        write(home.connection, made(socket))
        client = connect(home)
        try:
            assert isinstance(await client.ask(GetStatus()), NotFound)
        finally:
            await client.close()
            await server.close()

    asyncio.run(script())
