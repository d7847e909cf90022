"""What every `Client` does, whatever lies between it and the controller.

Run it against another implementation by a subclass named `Test…` that gives `opened`: an empty
controller with a client to it, over a temporary directory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing
from math import inf, nan
from pathlib import Path
from typing import Any, cast

import pytest

from controller.client.door import Client, UnreachableError
from controller.domain.changes import SweepAdded
from controller.domain.commands import CreateSweep, PauseSweep
from controller.domain.events import AgentJoined, RunAsked, RunReported, RunStarted
from controller.domain.feed import Batch, Resync
from controller.domain.parameters import Distribution, Parameter
from controller.domain.queries import GetHistory, History, NotFound
from controller.domain.replies import Accepted, Acked, Granted, Joined, Refused, RunOrder
from controller.domain.runs import Point
from controller.domain.sweeps import Method, SweepConfig
from controller.domain.wire import encode
from controller.domain.world import World

SURROGATE = "half a pair \ud800, ünïcödé and \u2028"

CONFIG = SweepConfig(
    method=Method.GRID,
    parameters=(Parameter(path=("x",), distribution=Distribution.CATEGORICAL, values=tuple(range(1000))),),
    program="train.py",
)


def create(name: str = "n") -> CreateSweep:
    return CreateSweep(config=CONFIG, source="method: grid\n", directory="/tmp", n_expected=1000, name=name)


def changes_of(client: Client, since: int) -> AbstractAsyncContextManager[AsyncIterator[Any]]:
    return aclosing(cast("Any", client.changes(since)))


async def next_of(items: AsyncIterator[Any]) -> Any:
    async with asyncio.timeout(20):
        return await anext(items)


class ClientContract:
    n_kept = 8
    """Batches the implementation under test keeps for its readers."""

    def opened(self, directory: Path) -> AbstractAsyncContextManager[Client]:
        raise NotImplementedError

    def test_client_gives_a_typed_reply_when_a_command_is_accepted(self, tmp_path: Path) -> None:
        async def script() -> None:
            async with self.opened(tmp_path) as client:
                reply = await client.send(create())
                assert isinstance(reply, Accepted)
                assert len(reply.ids) == 1

        asyncio.run(script())

    def test_client_gives_the_refusal_as_data_when_a_sweep_is_unknown(self, tmp_path: Path) -> None:
        async def script() -> None:
            async with self.opened(tmp_path) as client:
                reply = await client.send(PauseSweep(sweep_id="nosuch00"))
                assert isinstance(reply, Refused)
                assert reply.code == "unknown"
                assert reply.reason

        asyncio.run(script())

    def test_client_answers_not_found_when_a_run_is_unknown(self, tmp_path: Path) -> None:
        async def script() -> None:
            async with self.opened(tmp_path) as client:
                assert isinstance(await client.ask(GetHistory(run_id="nosuch00")), NotFound)

        asyncio.run(script())

    def test_snapshot_and_following_changes_make_the_next_snapshot(self, tmp_path: Path) -> None:
        async def script() -> None:
            async with self.opened(tmp_path) as client:
                await client.send(create("first"))
                before = await client.snapshot()
                mirror = World(before.facts)
                seqs = [before.seq]
                await client.send(create("second"))
                await client.send(create("third"))
                after = await client.snapshot()
                assert after.seq > before.seq
                async with changes_of(client, before.seq) as items:
                    while seqs[-1] < after.seq:
                        batch = await next_of(items)
                        assert isinstance(batch, Batch)
                        mirror.evolve(batch.changes)
                        seqs.append(batch.seq)
                assert seqs == list(range(before.seq, after.seq + 1))
                assert mirror.facts() == after.facts
                assert sorted(s.name for s in after.facts.sweeps) == ["first", "second", "third"]

        asyncio.run(script())

    def test_changes_wait_for_what_is_committed_later(self, tmp_path: Path) -> None:
        async def script() -> None:
            async with self.opened(tmp_path) as client:
                seq = (await client.snapshot()).seq
                async with changes_of(client, seq) as items, asyncio.TaskGroup() as group:
                    waiting = group.create_task(next_of(items))
                    await client.send(create("later"))
                    batch = await waiting
                added = [c.sweep.name for c in batch.changes if isinstance(c, SweepAdded)]
                assert added == ["later"]

        asyncio.run(script())

    def test_changes_begin_with_resync_when_batches_are_gone(self, tmp_path: Path) -> None:
        async def script() -> None:
            async with self.opened(tmp_path) as client:
                seq = (await client.snapshot()).seq
                for _ in range(self.n_kept + 1):
                    await client.send(create())
                async with changes_of(client, seq) as items:
                    item = await next_of(items)
                assert isinstance(item, Resync)
                assert item.seq >= seq + self.n_kept + 1

        asyncio.run(script())

    def test_changes_begin_with_resync_when_the_number_is_of_another_life(self, tmp_path: Path) -> None:
        async def script() -> None:
            async with self.opened(tmp_path) as client:
                await client.send(create())
                async with changes_of(client, 10**9) as items:
                    assert isinstance(await next_of(items), Resync)

        asyncio.run(script())

    def test_points_come_back_bit_equal_when_values_are_odd(self, tmp_path: Path) -> None:
        values = {
            "nan": nan,
            "inf": -inf,
            "big": 2**63,
            "bigger": 10**40,
            "tiny": 5e-324,
            "third": 1 / 3,
            "zero": -0.0,
            "text": SURROGATE + "\x00",
            "key \udfff": None,
            "nested": {"list": [1, [True, {}]]},
        }
        point = Point(seq=1, step=0, at=1.5, values=values)

        async def script() -> None:
            async with self.opened(tmp_path) as client:
                order = await begin_run(client)
                report = RunReported(agent_id="agent001", token=order.token, last_seq=1, points=(point,))
                assert isinstance(await client.send(report), Acked)
                history = await client.ask(GetHistory(run_id=order.run_id))
                assert isinstance(history, History)
                # As text: NaN equals nothing, not even itself.
                assert encode(history.points) == encode((point,))

        asyncio.run(script())

    def test_names_come_back_equal_when_they_hold_half_a_surrogate_pair(self, tmp_path: Path) -> None:
        async def script() -> None:
            async with self.opened(tmp_path) as client:
                await client.send(create(SURROGATE))
                assert [s.name for s in (await client.snapshot()).facts.sweeps] == [SURROGATE]

        asyncio.run(script())

    def test_client_answers_a_thousand_sends_at_once(self, tmp_path: Path) -> None:
        async def script() -> None:
            async with self.opened(tmp_path) as client, asyncio.TaskGroup() as group:
                sends = [group.create_task(client.send(create(f"s{n}"))) for n in range(1000)]
                replies = await asyncio.gather(*sends)
                ids = [reply.ids[0] for reply in replies if isinstance(reply, Accepted)]
                names = {s.id: s.name for s in (await client.snapshot()).facts.sweeps}
                assert [names[sweep_id] for sweep_id in ids] == [f"s{n}" for n in range(1000)]

        asyncio.run(script())

    def test_client_is_unreachable_when_closed(self, tmp_path: Path) -> None:
        async def script() -> None:
            async with self.opened(tmp_path) as client:
                await client.send(create())
                await client.close()
                with pytest.raises(UnreachableError):
                    await client.send(create())

        asyncio.run(script())

    def test_close_can_be_repeated(self, tmp_path: Path) -> None:
        async def script() -> None:
            async with self.opened(tmp_path) as client:
                await client.close()
                await client.close()

        asyncio.run(script())


async def begin_run(client: Client) -> RunOrder:
    created = await client.send(create())
    assert isinstance(created, Accepted)
    joined = await client.send(AgentJoined(agent_id="agent001", sweep_id=created.ids[0], host="h", pid=1))
    assert isinstance(joined, Joined)
    order = await client.send(RunAsked(agent_id="agent001", ask=1, wait_s=10.0))
    assert isinstance(order, RunOrder)
    started = await client.send(RunStarted(agent_id="agent001", token=order.token, host="h"))
    assert isinstance(started, Granted)
    return order
