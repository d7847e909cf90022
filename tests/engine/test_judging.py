"""Early termination at work: over several runs, attempts and a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from controller.domain.commands import CreateSweep
from controller.domain.events import AgentJoined, RunAsked, RunEnded, RunReported, RunStarted
from controller.domain.parameters import Distribution, Parameter
from controller.domain.replies import Accepted, Acked, RunOrder
from controller.domain.runs import Point
from controller.domain.states import AttemptState
from controller.domain.sweeps import EarlyTermination, Method, Metric, Retry, SweepConfig
from controller.engine.engine import Engine
from controller.engine.judging import Judge
from controller.engine.performing import HousePerformer
from controller.store import Store
from tests.engine.bench import HandCluster, engine_of, running, until
from tests.engine.test_performing import HandLauncher

CONFIG = SweepConfig(
    method=Method.GRID,
    parameters=(Parameter(path=("x",), distribution=Distribution.CATEGORICAL, values=tuple(range(8))),),
    metric=Metric(name="loss"),
    early_terminate=EarlyTermination(min_iter=2, eta=2.0),
    retry=Retry(max=1),
)


@asynccontextmanager
async def judged(directory: Path) -> AsyncIterator[Engine]:
    store = Store.open(directory / "store.sqlite3")
    engine = engine_of(store)
    engine.performer = HousePerformer(
        post=engine.post,
        look=lambda: engine.world,
        judge=Judge(store, engine.post),
        spawn=asyncio.get_running_loop().create_task,
        launcher=HandLauncher(),
        cluster=HandCluster(),
    )
    try:
        async with running(engine):
            yield engine
    finally:
        await asyncio.to_thread(store.close)


async def create(engine: Engine) -> str:
    created = await engine.submit(CreateSweep(config=CONFIG, source="", directory="/", n_expected=8))
    assert isinstance(created, Accepted)
    return created.ids[0]


async def run(engine: Engine, sweep_id: str, agent: str, ask: int = 1) -> RunOrder:
    await engine.submit(AgentJoined(agent_id=agent, sweep_id=sweep_id, host="h", pid=1))
    order = await engine.submit(RunAsked(agent_id=agent, ask=ask, wait_s=5.0))
    assert isinstance(order, RunOrder)
    await engine.submit(RunStarted(agent_id=agent, token=order.token, host="h"))
    return order


async def log(engine: Engine, agent: str, order: RunOrder, first: int, *losses: float) -> None:
    points = tuple(
        Point(seq=first + n, step=first + n, at=0.0, values={"loss": loss}) for n, loss in enumerate(losses)
    )
    report = RunReported(
        agent_id=agent, token=order.token, first_seq=first, last_seq=points[-1].seq, points=points
    )
    assert isinstance(await engine.submit(report), Acked)


def verdict_of(engine: Engine, order: RunOrder) -> bool:
    return engine.world.runs[order.run_id].verdict is not None


def band_of(engine: Engine, order: RunOrder) -> int:
    verdict = engine.world.runs[order.run_id].verdict
    return 0 if verdict is None else verdict.band


def test_a_run_that_is_worse_than_the_best_half_is_stopped(tmp_path: Path) -> None:
    async def script() -> None:
        async with judged(tmp_path) as engine:
            sweep_id = await create(engine)
            orders = [await run(engine, sweep_id, agent) for agent in "abcd"]
            for agent, order, loss in zip("abcd", orders, (1.0, 2.0, 3.0, 9.0), strict=True):
                await log(engine, agent, order, 1, loss, loss)
            await until(lambda: engine.world.runs[orders[3].run_id].stop is not None)
            stop = engine.world.runs[orders[3].run_id].stop
            assert stop is not None
            assert (stop.cause, stop.actor, stop.kill) == ("early-stopped", "hyperband", False)
            assert engine.world.runs[orders[0].run_id].stop is None

    asyncio.run(script())


def test_values_are_counted_once_over_a_restart(tmp_path: Path) -> None:
    async def script() -> None:
        async with judged(tmp_path) as engine:
            sweep_id = await create(engine)
            order = await run(engine, sweep_id, "a")
            await log(engine, "a", order, 1, 1.0)
        async with judged(tmp_path) as engine:
            # Both reports are recorded before the first is judged, which loads what is recorded.
            await asyncio.gather(log(engine, "a", order, 2, 1.0), log(engine, "a", order, 3, 1.0))
            await until(lambda: verdict_of(engine, order))
            assert band_of(engine, order) == 2, "three values have not passed the band at four"
            await log(engine, "a", order, 4, 7.0)
            await until(lambda: band_of(engine, order) == 4)
            assert engine.world.runs[order.run_id].n_metric_values == 4

    asyncio.run(script())


def test_a_retry_begins_its_curve_anew(tmp_path: Path) -> None:
    async def script() -> None:
        async with judged(tmp_path) as engine:
            sweep_id = await create(engine)
            order = await run(engine, sweep_id, "a")
            await log(engine, "a", order, 1, 1.0)
            ended = RunEnded(agent_id="a", token=order.token, state=AttemptState.FAILED, last_seq=1)
            await engine.submit(ended)
            again = await run(engine, sweep_id, "a", 2)
            assert again.run_id == order.run_id
            await log(engine, "a", again, 1, 1.0)
            other = await run(engine, sweep_id, "b")
            await log(engine, "b", other, 1, 2.0, 2.0)
            await until(lambda: verdict_of(engine, other))
            assert not verdict_of(engine, again), "one value of the new attempt passes no band"
            await log(engine, "a", again, 2, 1.0)
            await until(lambda: verdict_of(engine, again))

    asyncio.run(script())
