"""Two hundred agents that start in the same second, on every wire: each is served and gets its own config."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from controller.client.returning import ReturningClient, Via
from controller.domain.events import AgentJoined, RunAsked, RunStarted
from controller.domain.replies import Accepted, Granted, Joined, RunOrder
from controller.runtime.house import open_house
from controller.settings import Home
from tests.client.contract import create
from tests.runtime.loopback import LOOPBACK

N = 200


@pytest.mark.parametrize("via", [Via.SOCKET, Via.TCP, Via.SPOOL])
def test_two_hundred_agents_at_once_get_a_config_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, via: Via
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    home = Home(tmp_path / "home")

    async def work(number: int, sweep_id: str) -> int:
        client = ReturningClient(home, sweep_id=sweep_id, via=via, timeout_s=60.0)
        agent_id = f"agent{number:05}"
        try:
            joined = await client.send(AgentJoined(agent_id=agent_id, sweep_id=sweep_id, host="h", pid=1))
            assert isinstance(joined, Joined)
            order = await client.send(RunAsked(agent_id=agent_id, ask=1, wait_s=60.0))
            assert isinstance(order, RunOrder)
            granted = await client.send(RunStarted(agent_id=agent_id, token=order.token, host="h"))
            assert isinstance(granted, Granted)
            return order.number
        finally:
            await client.close()

    async def script() -> None:
        async with open_house(home, embedded=False, listen=LOOPBACK) as house:
            made = await house.door.send(replace(create(), n_expected=1000))
            assert isinstance(made, Accepted)
            async with asyncio.TaskGroup() as group:
                agents = [group.create_task(work(number, made.ids[0])) for number in range(N)]
            assert sorted(agent.result() for agent in agents) == list(range(1, N + 1))

    asyncio.run(script())
