from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

from controller.domain.changes import SweepStateSet
from controller.domain.commands import PauseSweep
from controller.domain.queries import GetStatus, NotFound
from controller.domain.replies import Accepted, Refused
from controller.domain.states import SweepState
from tests import extreme_scenes, scenes
from tests.fake_client import FakeClient
from tui_sweeps.app.collector import resting
from tui_sweeps.link import Link
from tui_sweeps.model import Model


class Told:
    """A link that runs, and how often it told."""

    def __init__(self, client: FakeClient) -> None:
        self.model = Model()
        self.n_told = 0
        self._news = asyncio.Event()
        self.link = Link(client, self.model, self._tell)

    def _tell(self) -> None:
        self.n_told += 1
        self._news.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        task = asyncio.create_task(self.link.run())
        try:
            while not holds():
                self._news.clear()
                await self._news.wait()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_link_takes_the_snapshot_and_follows() -> None:
    client = FakeClient(scenes.digits())
    told = Told(client)
    client.push(SweepStateSet(sweep_id="d1g1ts00", state=SweepState.PAUSED, cause="", at=scenes.NOW))
    await told.until(lambda: told.model.ready and told.n_told > 0)
    assert told.model.world.sweeps["d1g1ts00"].state is SweepState.PAUSED
    assert told.model.seq == client.seq


async def test_link_says_that_the_controller_is_away_and_starts_over_when_it_is_back() -> None:
    client = FakeClient(scenes.digits())
    client.away = True
    told = Told(client)

    def came_back() -> bool:
        if told.model.stale:
            assert "nobody answers" in told.model.stale
            client.away = False
        return told.model.ready

    await told.until(came_back)
    assert told.model.stale == ""
    assert set(told.model.world.sweeps) == set(client.world.sweeps)


async def test_burst_of_batches_is_told_once() -> None:
    client = FakeClient(scenes.digits())
    told = Told(client)
    for n in range(200):
        state = SweepState.PAUSED if n % 2 else SweepState.RUNNING
        client.push(SweepStateSet(sweep_id="d1g1ts00", state=state, cause="", at=scenes.NOW + n))
    await told.until(lambda: told.model.seq == client.seq and told.n_told > 0)
    assert told.n_told <= 2


async def test_what_stands_in_the_way_is_a_refusal_and_no_exception() -> None:
    client = FakeClient(scenes.digits())
    client.away = True
    link = Link(client, Model(), lambda: None)
    assert isinstance(await link.send(PauseSweep(sweep_id="d1g1ts00")), Refused)
    assert isinstance(await link.ask(GetStatus()), NotFound)
    client.away = False
    assert isinstance(await link.send(PauseSweep(sweep_id="d1g1ts00")), Accepted)


async def test_collector_rests_while_a_snapshot_comes_in_and_passes_over_it_afterwards() -> None:
    client = FakeClient(extreme_scenes.big(200))
    told = Told(client)
    told.link.resting = resting
    n_before, collected = gc.get_freeze_count(), []
    gc.callbacks.append(lambda phase, _info: collected.append(phase) if not gc.isenabled() else None)
    try:
        await told.until(lambda: told.model.ready)
        assert gc.isenabled()
        assert not collected
        assert gc.get_freeze_count() > n_before + 200
    finally:
        gc.callbacks.pop()
        gc.unfreeze()
