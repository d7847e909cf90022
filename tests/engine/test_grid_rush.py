"""Many agents at once at one grid: every cell is handed out once, and in the end all of it is there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.domain.commands import CreateSweep, DeleteRuns, ResumeSweep, RetryRuns, StopRuns
from controller.domain.events import AgentJoined, RunAsked, RunEnded, RunStarted, Ticked
from controller.domain.parameters import Distribution, Parameter
from controller.domain.replies import Accepted, ExitOrder, RunOrder, WaitOrder
from controller.domain.runs import Run
from controller.domain.states import AttemptState, RunState
from controller.domain.sweeps import Method, SweepConfig
from controller.engine.engine import Engine
from controller.engine.judging import Judge
from controller.engine.performing import HousePerformer
from controller.store import Store
from tests.core.shop import Shop
from tests.engine.bench import HandCluster


class NoLauncher:
    def start(self, job: object) -> tuple[int, int, str]:
        raise OSError("no agents here")

    def watch(self, pid: int, ticks: int, ended: object) -> None:
        raise AssertionError

    def forget(self) -> None:
        pass


def ten_by_ten_by_ten() -> SweepConfig:
    axis = tuple(range(10))
    return SweepConfig(
        method=Method.GRID,
        parameters=tuple(
            Parameter(path=(name,), distribution=Distribution.CATEGORICAL, values=axis) for name in "abc"
        ),
    )


async def rush(place: Path) -> list[tuple[int, int, int]]:
    """Have 1,000 agents ask at the same moment; return the cells they got."""
    store = Store.open(place / "store.sqlite3")
    engine = Engine(store)
    async with asyncio.TaskGroup() as group:
        engine.performer = HousePerformer(
            post=engine.post,
            look=lambda: engine.world,
            judge=Judge(store, engine.post),
            spawn=group.create_task,
            launcher=NoLauncher(),
            cluster=HandCluster(),
        )
        working = group.create_task(engine.run())
        created = await engine.submit(
            CreateSweep(config=ten_by_ten_by_ten(), source="", directory="/", n_expected=1000)
        )
        assert isinstance(created, Accepted)
        names = [f"agent{n}" for n in range(1000)]
        await asyncio.gather(
            *(
                engine.submit(AgentJoined(agent_id=name, sweep_id=created.ids[0], host="h", pid=1))
                for name in names
            )
        )
        orders = await asyncio.gather(
            *(engine.submit(RunAsked(agent_id=name, ask=1, wait_s=25.0)) for name in names)
        )
        working.cancel()
    engine.performer.close()
    store.close()
    assert all(isinstance(order, RunOrder) for order in orders)
    return [
        (order.config["a"], order.config["b"], order.config["c"])
        for order in orders
        if isinstance(order, RunOrder)
    ]


def test_a_thousand_concurrent_asks_get_a_thousand_distinct_cells(tmp_path: Path) -> None:
    cells = asyncio.run(rush(tmp_path))
    assert len(set(cells)) == 1000


@pytest.mark.torture
@pytest.mark.timeout(900)
def test_a_thousand_concurrent_asks_get_distinct_cells_fifty_times(tmp_path: Path) -> None:
    for n in range(50):
        place = tmp_path / str(n)
        place.mkdir()
        assert len(set(asyncio.run(rush(place)))) == 1000


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(n_cells=st.integers(1, 12), dice=st.randoms(use_true_random=False))
def test_any_history_of_failing_killing_deleting_and_retrying_ends_with_exactly_the_grid(
    n_cells: int, dice: Random
) -> None:
    shop = Shop(n_cells)
    sweep_id = shop.create()

    for n in range(60):
        name = f"agent{n}"  # a new one each time: none is put into quarantine
        shop.join(name, sweep_id)
        reply = shop.ask(name, 1)
        if isinstance(reply, RunOrder):
            if dice.random() < 0.2:
                shop.wait(61.0)  # it dies before the start
                continue
            shop.tell(RunStarted(agent_id=name, token=reply.token, host="h"))
            if dice.random() < 0.2:
                shop.tell(StopRuns(run_ids=(reply.run_id,)))
            state = dice.choice([AttemptState.FINISHED, AttemptState.FAILED, AttemptState.KILLED])
            shop.tell(RunEnded(agent_id=name, token=reply.token, state=state, last_seq=0))
        runs = live(shop, sweep_id)
        broken = [run.id for run in runs if run.state in (RunState.FAILED, RunState.KILLED)]
        if broken and dice.random() < 0.3:
            shop.tell(RetryRuns(run_ids=(dice.choice(broken),)))
        if runs and dice.random() < 0.2:
            shop.tell(DeleteRuns(run_ids=(dice.choice(runs).id,)))
        shop.tell(ResumeSweep(sweep_id=sweep_id))
    finish(shop, sweep_id)
    runs = live(shop, sweep_id)
    assert sorted(run.index or 0 for run in runs) == list(range(n_cells))
    assert {run.state for run in runs} == {RunState.FINISHED}


def live(shop: Shop, sweep_id: str) -> list[Run]:
    """Return the sweep's runs that were not deleted."""
    return [shop.world.runs[run_id] for run_id in shop.world.runs_of[sweep_id]]


def finish(shop: Shop, sweep_id: str) -> None:
    """Retry what is broken and run what is left, until nothing is."""
    shop.wait(61.0)
    for n in range(100, 200):
        shop.tell(Ticked())
        broken = tuple(
            r.id
            for r in live(shop, sweep_id)
            if r.state in (RunState.FAILED, RunState.KILLED, RunState.CRASHED)
        )
        if broken:
            shop.tell(RetryRuns(run_ids=broken))
        shop.tell(ResumeSweep(sweep_id=sweep_id))
        name = f"agent{n}"
        shop.join(name, sweep_id)
        ask = 1
        while isinstance(reply := shop.ask(name, ask), RunOrder):
            shop.tell(RunStarted(agent_id=name, token=reply.token, host="h"))
            shop.tell(RunEnded(agent_id=name, token=reply.token, state=AttemptState.FINISHED, last_seq=0))
            ask += 1
        assert isinstance(reply, ExitOrder | WaitOrder)
        if isinstance(reply, ExitOrder):
            return
    raise AssertionError("the sweep never ended")
