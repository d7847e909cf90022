"""A controller that runs takes up where it is to listen, and says so in its connection file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from controller.client import connection
from controller.client.connection import Connection
from controller.client.returning import ReturningClient, Via
from controller.domain.queries import GetStatus, Status
from controller.runtime import outside
from controller.runtime.house import open_house
from controller.runtime.listening import Address, Listening, choose
from controller.settings import Home
from tests.runtime.loopback import LOOPBACK
from tests.system.lab import Lab


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(outside, "LOOK_S", 0.02)
    return Home(tmp_path / "home")


async def told(home: Home, condition: Callable[[Connection], bool]) -> Connection:
    async with asyncio.timeout(30):
        while True:
            found = connection.read(home.connection)
            if found is not None and condition(found):
                return found
            await asyncio.sleep(0.01)


def test_a_controller_that_runs_listens_where_it_is_told_to(home: Home) -> None:
    async def script() -> None:
        async with open_house(home, embedded=False):
            assert (await told(home, lambda found: True)).wandb_url == ""
            choose(home, LOOPBACK)
            first = await told(home, lambda found: bool(found.wandb_url))
            client = ReturningClient(home, via=Via.TCP)
            status = await client.ask(GetStatus())
            assert isinstance(status, Status)
            assert status.listen == first.wandb_url
            # Any port will do: then the one that programs know already.
            choose(home, replace(LOOPBACK, advertise=("gate:22",)))
            second = await told(home, lambda found: bool(found.addresses))
            assert second.addresses == ("gate:22",)
            assert second.wandb_url == first.wandb_url
            choose(home, Listening())
            assert (await told(home, lambda found: not found.wandb_url)).authority == ""
            await client.close()

    asyncio.run(script())


def test_an_address_that_cannot_be_used_leaves_the_controller_at_its_socket(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    async def script() -> None:
        async with open_house(home, embedded=False, listen=LOOPBACK) as house:
            choose(home, Listening(addresses=(Address("192.0.2.77", 0),)))  # nobody's
            await told(home, lambda found: not found.wandb_url)
            assert isinstance(await house.door.ask(GetStatus()), Status)

    asyncio.run(script())
    assert "cannot listen at 192.0.2.77:0" in caplog.text


def test_start_tells_a_controller_that_runs_already_where_to_listen() -> None:
    lab = Lab()
    try:
        process = lab.start_controller()
        said = lab.cli("controller", "start", "--listen", "127.0.0.1:0")
        assert said.startswith("runs already")
        assert f"pid {process.pid} on" in said
        assert "listen  https://127.0.0.1:" in said
    finally:
        lab.close()
