"""Our own wire over TLS: the contract of a client, addresses, and callers who hang up or never speak."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from controller.client import connection
from controller.client.addresses import pinned
from controller.client.door import Client, UnreachableError
from controller.client.http import HttpClient
from controller.client.returning import Reach, ReturningClient, Via
from controller.client.ways import TlsWay
from controller.domain.events import AgentBeat
from controller.domain.queries import GetStatus, Status
from controller.domain.runkeys import agent_key, owner_key
from controller.runtime.house import open_house
from controller.runtime.listening import Address, Listening
from controller.settings import Home
from tests.client.contract import ClientContract
from tests.runtime.loopback import LOOPBACK, address_of, started, sweep_of, with_key


class TestOverTls(ClientContract):
    n_kept = 32

    @pytest.fixture(autouse=True)
    def _small_and_apart(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
        monkeypatch.setattr("controller.engine.feed.KEPT_BATCHES", self.n_kept)
        for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")  # nobody there: whoever asks it fails

    @asynccontextmanager
    async def opened(self, directory: Path) -> AsyncIterator[Client]:
        home = Home(directory / "home")
        async with open_house(home, embedded=False, listen=LOOPBACK):
            client = ReturningClient(home, via=Via.TCP)
            try:
                yield client
            finally:
                await client.close()


def test_our_wire_is_not_spoken_without_tls(home: Home) -> None:
    async def script() -> None:
        plain = Listening(addresses=LOOPBACK.addresses, insecure=True)
        async with open_house(home, embedded=False, listen=plain) as house:
            key = owner_key(home.secret.read_text("ascii").strip())
            async with (
                aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as session,
                session.get(house.connection.wandb_url + "/v1/snapshot") as answer,
            ):
                assert answer.status == 404
            with pytest.raises(UnreachableError, match="no compute node can reach it"):
                await ReturningClient(home, via=Via.TCP).snapshot()

    asyncio.run(script())


def test_client_follows_the_controller_to_another_port(home: Home) -> None:
    async def script() -> None:
        reach = Reach()
        client = ReturningClient(home, via=Via.TCP, reach=reach)
        seen = []
        for _ in range(2):
            async with open_house(home, embedded=False, listen=LOOPBACK) as house:
                try:
                    await client.ask(GetStatus())
                except UnreachableError:  # the connection kept from before; then it is looked up again
                    await client.ask(GetStatus())
                assert reach.address == address_of(house)
                seen.append(reach.address)
            with pytest.raises(UnreachableError):
                await client.ask(GetStatus())
        assert len(set(seen)) == 2
        await client.close()

    asyncio.run(script())


def test_every_address_that_is_listened_at_is_in_the_connection_file(home: Home) -> None:
    async def script() -> None:
        both = Listening(
            addresses=(Address("127.0.0.1", 0), Address("127.0.0.2", 0)),
            advertise=("login-hsn", "tunnel.example:4711", "::1"),
        )
        async with open_house(home, embedded=False, listen=both) as house:
            found = connection.read(home.connection)
            assert found is not None
            port = int(address_of(house).rpartition(":")[2])
            # Loopback is nothing for other hosts; what was given stands as given.
            assert found.addresses == (f"login-hsn:{port}", "tunnel.example:4711", f"[::1]:{port}")
            pin = pinned(found.authority)
            key = owner_key(home.secret.read_text("ascii").strip())
            for host in ("127.0.0.1", "127.0.0.2"):
                client = HttpClient(TlsWay(f"{host}:{port}", pin, key))
                assert isinstance(await client.ask(GetStatus()), Status)
                await client.close()

    asyncio.run(script())


def test_the_held_question_of_a_caller_that_hung_up_is_dropped(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else every beat that an agent takes back would be held to its end, with a run's worth of others."""
    monkeypatch.setattr("controller.runtime.wire.GONE_S", 0.02)

    async def script() -> None:
        async with open_house(home, embedded=False, listen=LOOPBACK) as house:
            asked, dropped = asyncio.Event(), asyncio.Event()
            through = house.door.send

            async def watched(message: Any) -> Any:
                if not isinstance(message, AgentBeat):
                    return await through(message)
                asked.set()
                try:
                    return await through(message)
                except asyncio.CancelledError:
                    dropped.set()
                    raise

            monkeypatch.setattr(house.door, "send", watched)
            sweep_id = await sweep_of(house.door, "p")
            await started(house.door, sweep_id, "agent00001")
            key = agent_key(home.secret.read_text("ascii").strip(), sweep_id)
            async with with_key(house, key) as agent, asyncio.TaskGroup() as group:
                beat = AgentBeat(agent_id="agent00001", wait_s=60.0, order="go_on")
                held = group.create_task(agent.send(beat))
                await asked.wait()
                held.cancel()
            async with asyncio.timeout(20):
                await dropped.wait()

    asyncio.run(script())


def test_strangers_who_never_speak_use_up_no_files_and_keep_nobody_out(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They stop before TLS begins, where nobody has a protocol for them yet."""
    n_most, n_strangers = 50, 200
    monkeypatch.setattr("controller.runtime.descriptors.shared_out", lambda _: (50, n_most))

    async def script() -> None:
        async with open_house(home, embedded=False, listen=LOOPBACK) as house:
            host, _, port = address_of(house).rpartition(":")
            n_before = len(os.listdir("/proc/self/fd"))
            strangers = []
            for _ in range(n_strangers):
                strangers.append(await asyncio.open_connection(host, int(port)))
            client = ReturningClient(home, via=Via.TCP)
            assert isinstance(await client.ask(GetStatus()), Status)
            n_theirs = len(os.listdir("/proc/self/fd")) - n_before - n_strangers
            assert n_theirs <= n_most + 10
            await client.close()
            for _, writer in strangers:
                writer.close()

    asyncio.run(script())
