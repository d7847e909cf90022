"""Who is let in at our own wire over TLS: which key is good for what, and what strangers learn."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from controller.client.addresses import pinned
from controller.client.door import DeniedError
from controller.client.returning import ReturningClient, Via
from controller.domain.commands import PauseSweep
from controller.domain.events import AgentBeat, AgentJoined, AgentLeft, RunAsked, RunEnded, RunStarted
from controller.domain.queries import GetStatus, Status
from controller.domain.replies import Accepted, Refused
from controller.domain.runkeys import agent_key, owner_key, run_key
from controller.domain.states import AttemptState
from controller.runtime import tcp
from controller.runtime.house import open_house
from controller.settings import Home
from tests.runtime.loopback import LOOPBACK, address_of, started, sweep_of, with_key


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


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_secret_that_others_can_read_is_refused(home: Home, mode: int) -> None:
    async def script() -> None:
        async with open_house(home, embedded=False, listen=LOOPBACK):
            home.secret.chmod(mode)
            with pytest.raises(DeniedError, match="open to other users") as caught:
                await ReturningClient(home, via=Via.TCP).ask(GetStatus())
            assert caught.value.hint == f"chmod 600 {home.secret}"

    asyncio.run(script())
