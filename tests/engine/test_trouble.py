"""Full disks, messages that cannot be stored, defects, floods and sleeps: none of them ends the engine."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import controller.engine.engine as engine_module
from controller.core.decide import decide
from controller.domain.changes import SweepAdded
from controller.domain.delta import Delta
from controller.domain.events import AgentBeat, RunAsked, Ticked
from controller.domain.feed import Batch, Resync
from controller.domain.replies import Accepted, Refused, RunOrder
from controller.domain.world import World
from controller.store import Store, StoreError, StoreFullError
from tests.engine.bench import (
    CREATE,
    HandClock,
    Searcher,
    SlowStore,
    done,
    engine_of,
    opened,
    real,
    running,
    turns,
    until,
)
from tests.engine.test_engine import at_once


def test_full_disk_refuses_everybody_and_recovers_by_itself() -> None:
    async def script() -> None:
        store, clock = SlowStore(), HandClock()
        engine = engine_of(store, clock)
        performer = engine.performer = Searcher(engine)
        async with running(engine):
            reader = engine.changes(engine.feed.seq)
            news = asyncio.create_task(_next(reader))
            first = asyncio.create_task(engine.submit(CREATE))
            await until(lambda: store.commits)
            done(store.commits[0][1], StoreFullError("the disk is full"))
            refused = await first
            assert isinstance(refused, Refused)
            assert refused.code == "full"
            assert "the disk is full" in refused.reason
            assert engine.world.sweeps == {}, "what was not recorded is not true"
            assert isinstance(await news, Resync)
            refused = await engine.submit(CREATE)
            assert isinstance(refused, Refused)
            assert refused.code == "full"
            assert len(store.commits) == 1
            assert engine.storage == "the disk is full"

            await until(lambda: _later(clock, store))
            done(store.probes[0], StoreFullError("still full"))
            await until(lambda: engine.storage == "still full")
            n_probes = len(store.probes)
            await until(lambda: _later(clock, store, n_probes))
            n_restarts = performer.n_restarts
            done(store.probes[-1])
            await until(lambda: engine.storage == "ok")
            store.on_commit = at_once
            assert isinstance(await engine.submit(CREATE), Accepted)
            assert performer.n_restarts == n_restarts + 1, "what could not be recorded is looked at again"

    asyncio.run(script())


async def _next(items: Any) -> Any:
    return await anext(items)


def _later(clock: HandClock, store: SlowStore, n_probes: int = 0) -> bool:
    clock.now_s += 0.5
    return len(store.probes) > n_probes


def test_one_message_that_cannot_be_stored_is_refused_alone(tmp_path: Path) -> None:
    async def script() -> None:
        store = SlowStore()

        def picky(delta: Delta, future: Future[None]) -> None:
            bad = any(sweep.name == "bad" for sweep in delta.sweeps.values())
            done(future, StoreError("this cannot be stored", "Leave it.") if bad else None)

        async with running(engine_of(store)) as engine:
            held = asyncio.create_task(engine.submit(CREATE))
            await until(lambda: store.commits)
            names = ["one", "bad", "two"]
            sent = [asyncio.create_task(engine.submit(_named(name))) for name in names]
            await turns()
            store.on_commit = picky
            done(store.commits[0][1])
            await held
            one, bad, two = await asyncio.gather(*sent)
            assert isinstance(one, Accepted)
            assert isinstance(two, Accepted)
            assert bad == Refused(reason="this cannot be stored", hint="Leave it.")
            assert engine.storage == "ok"

    asyncio.run(script())


def _named(name: str) -> Any:
    return replace(CREATE, name=name)


def test_a_defect_in_a_decision_ends_neither_engine_nor_its_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    def broken(world: World, message: Any, moment: Any) -> Any:
        decision = decide(world, message, moment)
        if getattr(message, "name", "") == "bad":
            raise ZeroDivisionError
        return decision

    monkeypatch.setattr(engine_module, "decide", broken)

    async def script() -> None:
        async with real(tmp_path) as engine:
            sent = [engine.submit(_named(name)) for name in ("one", "bad", "two")]
            one, bad, two = await asyncio.gather(*sent)
            assert isinstance(one, Accepted)
            assert isinstance(two, Accepted)
            assert isinstance(bad, Refused)
            assert bad.code == "defect"
            snapshot = await engine.snapshot()
            assert sorted(sweep.name for sweep in snapshot.facts.sweeps) == ["one", "two"]
            assert snapshot.facts == World(engine.store.load()).facts()

    asyncio.run(script())


def test_a_defect_in_an_effect_is_nobodys_refusal() -> None:
    class Broken(Searcher):
        def perform(self, effect: Any, world: World) -> None:
            raise ZeroDivisionError

    async def script() -> None:
        store = SlowStore()
        store.on_commit = at_once
        engine = engine_of(store)
        engine.performer = Broken(engine)
        async with running(engine):
            assert isinstance(await engine.submit(CREATE), Accepted)
            assert isinstance(await engine.submit(CREATE), Accepted)

    asyncio.run(script())


def test_restart_is_a_load_and_answers_the_same(tmp_path: Path) -> None:
    async def script() -> None:
        async with real(tmp_path) as engine:
            await opened(engine, "a")
            order = await engine.submit(RunAsked(agent_id="a", ask=1, wait_s=5.0))
            assert isinstance(order, RunOrder)
            facts, seq = (await engine.snapshot()).facts, engine.feed.seq
        clock = HandClock()
        clock.now_s += 60
        async with real(tmp_path, clock) as engine:
            assert (await engine.snapshot()).facts == facts
            assert engine.feed.seq > seq, "an old reader never mistakes new batches for those it waits for"
            assert await engine.submit(RunAsked(agent_id="a", ask=1)) == order

    asyncio.run(script())


def test_a_sleep_fills_every_lease(tmp_path: Path) -> None:
    async def script() -> None:
        store, clock = SlowStore(), HandClock()
        store.on_commit = at_once
        async with running(engine_of(store, clock)) as engine:
            await opened(engine, "a")
            clock.now_s += 4000.0
            await until(lambda: engine.world.heard_s.get("a") == clock.now_s)
            await engine.submit(AgentBeat(agent_id="a"))
            assert engine.world.agents["a"].state == "active"

    asyncio.run(script())


def test_a_silent_agent_is_lost_as_time_goes_by(tmp_path: Path) -> None:
    async def script() -> None:
        store, clock = SlowStore(), HandClock()
        store.on_commit = at_once
        async with running(engine_of(store, clock)) as engine:
            await opened(engine, "a")

            def lost() -> bool:
                clock.now_s += 1.0
                return engine.world.agents["a"].state == "lost"

            await until(lost)
            assert clock.now_s > 1300.0

    asyncio.run(script())


def test_a_new_id_is_never_one_that_is_taken() -> None:
    async def script() -> None:
        store = SlowStore()
        store.on_commit = at_once
        engine = engine_of(store)
        ids = iter(["same0000", "same0000", "other000"])
        engine.new_id = lambda: next(ids)
        async with running(engine):
            first, second = await engine.submit(CREATE), await engine.submit(CREATE)
            assert isinstance(first, Accepted)
            assert isinstance(second, Accepted)
            assert (first.ids, second.ids) == (("same0000",), ("other000",))

    asyncio.run(script())


def test_a_flood_of_our_own_events_is_cut_and_ends_nothing(tmp_path: Path) -> None:
    async def script() -> None:
        store = SlowStore()
        async with running(engine_of(store)) as engine:
            held = asyncio.create_task(engine.submit(CREATE))
            await until(lambda: store.commits)
            for _ in range(engine_module.MAX_WAITING + 10):
                engine.post(Ticked())
            store.on_commit = at_once
            done(store.commits[0][1])
            assert isinstance(await held, Accepted)
            assert isinstance(await engine.submit(CREATE), Accepted)

    asyncio.run(script())


def test_batches_hold_sweep_as_it_was_added(tmp_path: Path) -> None:
    async def script() -> None:
        store = Store.open(tmp_path / "store.sqlite3")
        async with running(engine_of(store)) as engine:
            seq = engine.feed.seq
            sweep_id = await opened(engine)
            item = await anext(engine.changes(seq))
            assert isinstance(item, Batch)
            added = item.changes[0]
            assert isinstance(added, SweepAdded)
            assert added.sweep.id == sweep_id
        store.close()

    asyncio.run(script())
