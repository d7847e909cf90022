"""A house that listens at the loopback, and who calls there: with a key, or as an agent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from controller.client.addresses import pinned
from controller.client.door import Client
from controller.client.http import HttpClient
from controller.client.ways import TlsWay
from controller.domain.events import AgentJoined, RunAsked, RunStarted
from controller.domain.replies import Accepted, Granted, Joined, RunOrder
from controller.runtime.house import House
from controller.runtime.listening import Address, Listening
from tests.client.contract import create

LOOPBACK = Listening(addresses=(Address("127.0.0.1", 0),))


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
