"""The socket's place: modes, owners, symlinks, leftovers."""

from __future__ import annotations

import asyncio
import os
import socket as sockets
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.api import listener
from controller.api.listener import ListenError, listen, peer_uid, private_directory
from controller.api.server import serve
from tests.client.fake import FakeDoor


@pytest.fixture(params=[0o000, 0o022, 0o077])
def any_umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("any_umask")
def test_socket_and_directory_are_ours_alone_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "d" / "c.sock"
    with listen(path):
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert path.stat().st_mode & 0o777 == 0o600


def test_directory_is_refused_when_others_may_enter(tmp_path: Path) -> None:
    for mode in (0o755, 0o710, 0o701, 0o770):
        (tmp_path / "d").mkdir(exist_ok=True)
        (tmp_path / "d").chmod(mode)
        with pytest.raises(ListenError, match="open to other users") as caught:
            listen(tmp_path / "d" / "c.sock")
        assert caught.value.hint == f"chmod 700 {tmp_path / 'd'}"
    assert list((tmp_path / "d").iterdir()) == []


def test_directory_is_refused_when_it_is_a_symlink(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "d").symlink_to(tmp_path / "real")
    with pytest.raises(ListenError, match="symlink"):
        private_directory(tmp_path / "d")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ListenError, match="symlink"):
        private_directory(tmp_path / "dangling")


def test_directory_is_refused_when_it_is_foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private_directory(tmp_path / "d")
    uid = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: uid + 1)
    with pytest.raises(ListenError, match=f"belongs to uid {uid}"):
        private_directory(tmp_path / "d")


def test_directory_is_refused_when_it_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "d").touch()
    with pytest.raises(ListenError, match="no directory"):
        private_directory(tmp_path / "d")


def test_socket_of_a_dead_owner_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "d" / "c.sock"
    listen(path).close()  # as after kill -9: the file stays
    assert path.exists()
    with listen(path), sockets.socket(sockets.AF_UNIX) as client:
        client.connect(os.fspath(path))


def test_socket_of_a_living_owner_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "d" / "c.sock"
    with listen(path), pytest.raises(ListenError, match="a controller answers"):
        listen(path)


@pytest.mark.parametrize("kind", ["file", "symlink", "directory"])
def test_what_is_no_socket_is_never_removed(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "d" / "c.sock"
    private_directory(path.parent)
    if kind == "file":
        path.write_text("precious")
    elif kind == "symlink":
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.mkdir()
    with pytest.raises(ListenError, match="not a socket of ours"):
        listen(path)
    assert os.path.lexists(path)


def test_path_is_refused_when_the_kernel_would_cut_it(tmp_path: Path) -> None:
    with pytest.raises(ListenError, match="longer than 100 bytes"):
        listen(tmp_path / ("d" * 100) / "c.sock")


def test_peer_uid_is_what_the_kernel_says() -> None:
    left, right = sockets.socketpair(sockets.AF_UNIX)
    with left, right:
        assert peer_uid(left) == os.getuid()


def test_closing_leaves_the_socket_of_a_successor(tmp_path: Path) -> None:
    async def script() -> None:
        path = tmp_path / "d" / "c.sock"
        first = await serve(FakeDoor(), path)
        path.unlink()
        second = await serve(FakeDoor(), path)
        await first.close()
        assert path.exists()
        await second.close()
        assert not path.exists()

    asyncio.run(script())


def test_connection_is_closed_when_the_kernel_does_not_name_the_peer(tmp_path: Path) -> None:
    def fail(_: sockets.socket) -> int:
        raise OSError("no credentials")

    async def script() -> None:
        server = await serve(FakeDoor(), tmp_path / "d" / "c.sock", peer_uid=fail)
        reader, writer = await asyncio.open_unix_connection(server.socket)
        async with asyncio.timeout(20):
            assert await reader.read() == b""
        writer.close()
        await server.close()

    asyncio.run(script())
    assert listener.BACKLOG >= 1000
