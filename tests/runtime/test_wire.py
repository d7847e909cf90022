"""Our own wire over TLS: the contract of a client, and who is let in with which key."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from controller.client import connection
from controller.client.addresses import pinned
from controller.client.door import Client, DeniedError, UnreachableError
from controller.client.http import HttpClient
from controller.client.returning import Reach, ReturningClient, Via
from controller.client.ways import TlsWay
from controller.domain.commands import PauseSweep
from controller.domain.events import AgentBeat, AgentJoined, AgentLeft, RunAsked, RunEnded, RunStarted
from controller.domain.queries import GetStatus, Status
from controller.domain.replies import Accepted, Granted, Joined, Refused, RunOrder
from controller.domain.runkeys import agent_key, owner_key, run_key
from controller.domain.states import AttemptState
from controller.runtime import tcp
from controller.runtime.house import House, open_house
from controller.runtime.listening import Address, Listening
from controller.settings import Home
from tests.client.contract import ClientContract, create

LOOPBACK = Listening(addresses=(Address("127.0.0.1", 0),))


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


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return Home(tmp_path / "home")


def address_of(house: House) -> str:
    return house.connection.wandb_url.removeprefix("https://")


@asynccontextmanager
async def with_key(house: House, key: str) -> AsyncIterator[HttpClient]:
    client = HttpClient(TlsWay(address_of(house), pinned(house.connection.authority), key))
    try:
        yield client
    finally:
        await client.close()


async def sweep_of(client: Client, project: str) -> str:
    from msgspec.structs import replace

    made = await client.send(replace(create(), project=project))
    assert isinstance(made, Accepted)
    return made.ids[0]


async def started(client: Client, sweep_id: str, agent_id: str) -> RunOrder:
    assert isinstance(
        await client.send(AgentJoined(agent_id=agent_id, sweep_id=sweep_id, host="h", pid=1)), Joined
    )
    order = await client.send(RunAsked(agent_id=agent_id, ask=1, wait_s=10.0))
    assert isinstance(order, RunOrder)
    granted = await client.send(RunStarted(agent_id=agent_id, token=order.token, host="h"))
    assert isinstance(granted, Granted)
    return order


def test_the_agents_key_works_for_its_project_and_for_nothing_else(home: Home) -> None:
    async def script() -> None:
        async with open_house(home, embedded=False, listen=LOOPBACK) as house:
            ours, other = await sweep_of(house.door, "ours"), await sweep_of(house.door, "other")
            theirs = await started(house.door, other, "theirs0001")
            secret = home.secret.read_text("ascii").strip()
            async with with_key(house, agent_key(secret, ours)) as agent:
                order = await started(agent, f"local/ours/{ours}", "ours000001")
                await agent.send(AgentBeat(agent_id="ours000001", token=order.token))
                foreign: tuple[Any, ...] = (
                    AgentJoined(agent_id="new0000001", sweep_id=other, host="h", pid=1),
                    RunAsked(agent_id="theirs0001", ask=2),
                    AgentBeat(agent_id="theirs0001"),
                    AgentLeft(agent_id="theirs0001"),
                    RunStarted(agent_id="ours000001", token=theirs.token, host="h"),
                    RunEnded(
                        agent_id="ours000001", token=theirs.token, state=AttemptState.FAILED, last_seq=0
                    ),
                    PauseSweep(sweep_id=ours),
                )
                before = house.engine.world.facts()
                for message in foreign:
                    with pytest.raises(DeniedError, match="This key may not"):
                        await agent.send(message)
                for reading in (agent.snapshot(), agent.ask(GetStatus()), anext(agent.changes(0))):
                    with pytest.raises(DeniedError, match="This key may not"):
                        await reading
                assert house.engine.world.facts() == before
                unknown = await agent.send(AgentBeat(agent_id="nobody0001"))
                assert isinstance(unknown, Refused)

    asyncio.run(script())


def test_keys_are_good_for_what_they_were_made_for(home: Home) -> None:
    async def script() -> None:
        async with open_house(home, embedded=False, listen=LOOPBACK) as house:
            sweep_id = await sweep_of(house.door, "p")
            order = await started(house.door, sweep_id, "agent00001")
            secret = home.secret.read_text("ascii").strip()
            async with with_key(house, owner_key(secret)) as owner:
                assert isinstance(await owner.send(PauseSweep(sweep_id=sweep_id)), Accepted)
                assert isinstance(await owner.ask(GetStatus()), Status)
            async with with_key(house, tcp.mint_key(home, None, "me", view=True)) as viewer:
                assert (await viewer.snapshot()).seq > 0
                for message in (PauseSweep(sweep_id=sweep_id), AgentLeft(agent_id="agent00001")):
                    with pytest.raises(DeniedError, match="This key may not"):
                        await viewer.send(message)
            async with with_key(house, run_key(secret, order.run_id, order.token)) as program:
                for sending in (
                    program.send(AgentBeat(agent_id="agent00001")),
                    program.send(PauseSweep(sweep_id=sweep_id)),
                    program.ask(GetStatus()),
                ):
                    with pytest.raises(DeniedError, match="This key may not"):
                        await sending

    asyncio.run(script())


def test_strangers_are_refused_on_every_path_and_learn_nothing(home: Home) -> None:
    async def script() -> None:
        async with open_house(home, embedded=False, listen=LOOPBACK) as house:
            sweep_id = await sweep_of(house.door, "p")
            before = house.engine.world.facts()
            body = json.dumps({"type": "PauseSweep", "sweep_id": sweep_id})
            pin = pinned(house.connection.authority)
            async with aiohttp.ClientSession() as session:
                for header in (
                    {},
                    {"Authorization": "Bearer " + "0" * 40},
                    {"Authorization": "Basic YXBpOng="},
                ):
                    for method, path in (
                        ("POST", "send"), ("POST", "ask"), ("GET", "snapshot"),
                        ("GET", "changes?since=0"), ("GET", "nothing"), ("DELETE", "send"),
                    ):  # fmt: skip
                        url = f"https://{address_of(house)}/v1/{path}"
                        sent = {**header, "Content-Type": "application/json"}
                        async with session.request(method, url, data=body, headers=sent, ssl=pin) as answer:
                            text = await answer.text()
                            assert answer.status == 401, (method, path, header)
                            assert sweep_id not in text
            assert house.engine.world.facts() == before

    from controller.wandb_api import guard

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guard, "PENALTY_S", 0.0)
        asyncio.run(script())


def test_web_pages_and_foreign_hosts_are_refused_also_with_a_good_key(home: Home) -> None:
    async def script() -> None:
        async with open_house(home, embedded=False, listen=LOOPBACK) as house:
            key = owner_key(home.secret.read_text("ascii").strip())
            pin = pinned(house.connection.authority)
            async with aiohttp.ClientSession() as session:
                for header in (
                    {"Origin": "null"},
                    {"Sec-Fetch-Site": "same-origin"},
                    {"Host": "evil.example"},
                ):
                    url = f"https://{address_of(house)}/v1/snapshot"
                    sent = {**header, "Authorization": f"Bearer {key}"}
                    async with session.get(url, headers=sent, ssl=pin) as answer:
                        assert answer.status == 403

    asyncio.run(script())


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


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_secret_that_others_can_read_is_refused(home: Home, mode: int) -> None:
    async def script() -> None:
        async with open_house(home, embedded=False, listen=LOOPBACK):
            home.secret.chmod(mode)
            with pytest.raises(DeniedError, match="open to other users") as caught:
                await ReturningClient(home, via=Via.TCP).ask(GetStatus())
            assert caught.value.hint == f"chmod 600 {home.secret}"

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
