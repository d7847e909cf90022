"""Which way leads to the controller from another host, and what happens when it leads there no more."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from controller.api.spool import SpoolServer
from controller.client import announced, connection, returning
from controller.client.announced import Connection, Machine, write
from controller.client.connection import connect
from controller.client.door import DeniedError, UnreachableError
from controller.client.returning import Reach, ReturningClient, Via, via_of
from controller.domain.queries import GetStatus, NotFound
from controller.settings import Home
from controller.wandb_api.certificate import authority_of, server_context
from tests.api.spooling import QUICK, made
from tests.client.fake import FakeDoor

HERE = Machine(host="node1", boot_id="node")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Give the home of a controller on another host, which listens at an address where nobody is."""
    for module in (announced, connection, returning):
        monkeypatch.setattr(module, "this_machine", lambda: HERE)
    tmp_path.chmod(0o700)
    home = Home(tmp_path)
    server_context(home.tls)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{probe.getsockname()[1]}"
    found = Connection(
        host="login1", boot_id="login", pid=1, socket="/nowhere", instance="one", started_at=0.0, version="1",
        addresses=(nobody,), authority=authority_of(home.tls),
    )  # fmt: skip
    write(home.connection, found)
    return home


@asynccontextmanager
async def spool_of(home: Home) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        running = group.create_task(SpoolServer(FakeDoor(), home.spool, QUICK).run())
        await made(home.spool)
        try:
            yield
        finally:
            running.cancel()


def test_the_spool_is_taken_when_no_address_answers_and_that_is_said_once(home: Home) -> None:
    said: list[str] = []

    async def script() -> None:
        async with spool_of(home):
            client = ReturningClient(home, say=said.append)
            for _ in range(2):
                assert isinstance(await client.ask(GetStatus()), NotFound)
            await client._lose(client._client)  # type: ignore[arg-type]
            assert isinstance(await client.ask(GetStatus()), NotFound)
            await client.close()

    asyncio.run(script())
    assert len(said) == 1
    assert "at none of its 1 address" in said[0]
    assert "Connection refused" in said[0]
    assert str(home.spool) in said[0]


def test_an_address_is_taken_again_when_one_answers(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(returning, "AGAIN_S", 0.0)
    said: list[str] = []

    async def script() -> None:
        reach = Reach()
        context = server_context(home.tls)
        async with spool_of(home):
            client = ReturningClient(home, say=said.append, reach=reach)
            assert isinstance(await client.ask(GetStatus()), NotFound)
            assert reach.address == ""
            server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
            address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
            found = announced.read(home.connection)
            assert found is not None
            home.secret.write_text("00" * 32)
            home.secret.chmod(0o600)
            write(home.connection, replace(found, addresses=(*found.addresses, address)))
            with pytest.raises(UnreachableError):  # it answers, and then says nothing sensible
                await client.ask(GetStatus())
            assert reach.address == address
            server.close()
            await client.close()

    asyncio.run(script())
    assert said[-1].startswith("the controller is reached at 127.0.0.1:")


def test_only_the_way_that_was_asked_for_is_tried(home: Home) -> None:
    async def script() -> None:
        async with spool_of(home):
            for via, message in ((Via.TCP, "none of its 1 address"), (Via.SOCKET, "is not here")):
                client = ReturningClient(home, via=via)
                with pytest.raises(UnreachableError, match=message):
                    await client.ask(GetStatus())
                await client.close()
            client = ReturningClient(home, via=Via.SPOOL)
            assert isinstance(await client.ask(GetStatus()), NotFound)
            await client.close()

    asyncio.run(script())


def test_commands_on_another_host_find_the_controller_too(home: Home) -> None:
    async def script() -> None:
        async with spool_of(home):
            client = connect(home)
            assert isinstance(await client.ask(GetStatus()), NotFound)
            await client.close()

    asyncio.run(script())


def test_no_controller_is_unreachable_by_every_way(home: Home) -> None:
    home.connection.unlink()

    async def script() -> None:
        for via in Via:
            with pytest.raises(UnreachableError, match="No controller runs for"):
                await ReturningClient(home, via=via).ask(GetStatus())

    asyncio.run(script())


def test_way_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert via_of("tcp") is Via.TCP
    assert via_of(None) is Via.AUTO
    monkeypatch.setenv("TUI_SWEEPS_VIA", "spool")
    assert via_of(None) is Via.SPOOL
    monkeypatch.setenv("TUI_SWEEPS_VIA", "pigeon")
    with pytest.raises(DeniedError, match="no way 'pigeon'") as caught:
        via_of(None)
    assert "spool" in caught.value.hint
