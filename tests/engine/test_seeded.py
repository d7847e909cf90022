"""A sweep with a seed repeats exactly in the order of its results."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from controller.domain.commands import CreateSweep
from controller.domain.events import AgentJoined, RunAsked, RunEnded, RunReported, RunStarted
from controller.domain.parameters import Distribution, Parameter
from controller.domain.replies import Accepted, RunOrder
from controller.domain.runs import Point
from controller.domain.states import AttemptState
from controller.domain.sweeps import Method, Metric, SweepConfig
from controller.engine.engine import Engine
from controller.engine.judging import Judge
from controller.engine.performing import HousePerformer
from controller.store import Store
from tests.engine.bench import HandCluster
from tests.engine.test_grid_rush import NoLauncher

N_RUNS = 12


def config(method: Method, seed: int | None) -> SweepConfig:
    return SweepConfig(
        method=method,
        seed=seed,
        metric=Metric(name="loss"),
        parameters=(
            Parameter(path=("lr",), distribution=Distribution.LOG_UNIFORM_VALUES, min=1e-4, max=1.0),
            Parameter(path=("opt",), distribution=Distribution.CATEGORICAL, values=("adam", "sgd")),
        ),
    )


async def configs_of(place: Path, sweep: SweepConfig) -> list[dict[str, Any]]:
    """Work through a sweep with one simulated agent; return the configs in their order."""
    store = Store.open(place)
    engine = Engine(store)
    found: list[dict[str, Any]] = []
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
        created = await engine.submit(CreateSweep(config=sweep, source="", directory="/"))
        assert isinstance(created, Accepted)
        await engine.submit(AgentJoined(agent_id="a", sweep_id=created.ids[0], host="h", pid=1))
        for ask in range(1, N_RUNS + 1):
            order = None
            while not isinstance(order, RunOrder):
                order = await engine.submit(RunAsked(agent_id="a", ask=ask, wait_s=25.0))
            found.append(order.config)
            await finish(engine, order)
        working.cancel()
    engine.performer.close()
    store.close()
    return found


async def finish(engine: Engine, order: RunOrder) -> None:
    loss = abs(order.config["lr"] - 0.01) + (order.config["opt"] == "sgd")
    point = Point(1, 0, 0.0, {"loss": loss})
    await engine.submit(RunStarted(agent_id="a", token=order.token, host="h"))
    await engine.submit(
        RunReported(agent_id="a", token=order.token, first_seq=1, last_seq=1, points=(point,))
    )
    await engine.submit(RunEnded(agent_id="a", token=order.token, state=AttemptState.FINISHED, last_seq=1))


@pytest.mark.parametrize("method", [Method.RANDOM, Method.BAYES])
def test_a_seeded_sweep_repeats_exactly(tmp_path: Path, method: Method) -> None:
    first = asyncio.run(configs_of(tmp_path / "1.sqlite3", config(method, seed=7)))
    again = asyncio.run(configs_of(tmp_path / "2.sqlite3", config(method, seed=7)))
    other = asyncio.run(configs_of(tmp_path / "3.sqlite3", config(method, seed=8)))
    assert first == again
    assert first != other
