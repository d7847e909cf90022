"""An engine on the bench: a real store or a double in its place, a clock in the hand."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from controller.domain.commands import CreateSweep
from controller.domain.delta import Delta
from controller.domain.effects import ArrayEffect, Effect, Suggest
from controller.domain.events import AgentJoined
from controller.domain.parameters import Distribution, Parameter
from controller.domain.replies import Accepted, Joined
from controller.domain.sweeps import Method, Metric, SweepConfig
from controller.domain.timing import Timing
from controller.domain.world import Facts, World
from controller.engine.engine import Engine
from controller.engine.suggesting import Suggester
from controller.store import Store, StoreError

GRID = SweepConfig(
    method=Method.GRID,
    parameters=(Parameter(path=("x",), distribution=Distribution.CATEGORICAL, values=tuple(range(8))),),
    metric=Metric(name="loss"),
)
CREATE = CreateSweep(config=GRID, source="method: grid\n", directory="/", n_expected=8, name="s")

TIMING = Timing(tick_s=0.001)
"""The loop looks at its clock often; what it sees there is ours."""


class HandClock:
    """Time goes on when we say so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def wall(self) -> float:
        return 1.0e9 + self.now_s

    def mono(self) -> float:
        return self.now_s


class SlowStore:
    """A store double whose commits end when we say so, or with the error we give."""

    def __init__(self) -> None:
        self.facts = Facts()
        self.commits: list[tuple[Delta, Future[None]]] = []
        self.probes: list[Future[None]] = []
        self.on_commit: Callable[[Delta, Future[None]], None] = lambda delta, future: None

    def load(self) -> Facts:
        return self.facts

    def commit(self, delta: Delta) -> Future[None]:
        future: Future[None] = Future()
        self.commits.append((delta, future))
        self.on_commit(delta, future)
        return future

    def probe(self) -> Future[None]:
        future: Future[None] = Future()
        self.probes.append(future)
        return future


class Searcher:
    """A performer that answers search at once and notes everything else."""

    def __init__(self, engine: Engine) -> None:
        self.performed: list[Effect] = []
        self.n_restarts = 0
        self._suggester = Suggester(engine.post, lambda: engine.world)

    def perform(self, effect: Effect, world: World) -> None:
        self.performed.append(effect)
        if isinstance(effect, Suggest):
            self._suggester.perform(effect, world)

    def restarted(self, world: World) -> None:
        self.n_restarts += 1
        self._suggester.forget()


def engine_of(store: object, clock: HandClock | None = None, timing: Timing = TIMING) -> Engine:
    ids = itertools.count(1)
    return Engine(
        cast("Store", store),
        timing=timing,
        clock=clock or HandClock(),
        new_id=lambda: f"id{next(ids):06d}",
    )


@asynccontextmanager
async def running(engine: Engine) -> AsyncIterator[Engine]:
    if engine.performer is None:
        engine.performer = Searcher(engine)
    task = asyncio.create_task(engine.run())
    try:
        yield engine
    finally:
        engine.stop()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def real(directory: Path, clock: HandClock | None = None) -> AsyncIterator[Engine]:
    store = Store.open(directory / "store.sqlite3")
    try:
        async with running(engine_of(store, clock)) as engine:
            yield engine
    finally:
        await asyncio.to_thread(store.close)


async def turns(n: int = 20) -> None:
    """Let the loop go round so often."""
    for _ in range(n):
        await asyncio.sleep(0)


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.001)


async def opened(engine: Engine, *agents: str) -> str:
    """Create a sweep and let agents join; return its id."""
    reply = await engine.submit(CREATE)
    assert isinstance(reply, Accepted)
    for agent in agents:
        joined = AgentJoined(agent_id=agent, sweep_id=reply.ids[0], host="h", pid=1)
        assert isinstance(await engine.submit(joined), Joined)
    return reply.ids[0]


def done(future: Future[None], error: StoreError | None = None) -> None:
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


class HandCluster:
    """Runs no program; says what it was asked."""

    def __init__(self) -> None:
        self.asked: list[ArrayEffect] = []

    async def perform(self, effect: ArrayEffect) -> None:
        self.asked.append(effect)

    def take_up(self, world: World) -> Iterator[Coroutine[None, None, None]]:
        return iter(())
