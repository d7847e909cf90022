"""Recorded, then published, then done: the loop with a store whose durability we hold in the hand."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import controller.engine.engine as engine_module
from controller.domain.changes import Batch, Resync, SweepAdded
from controller.domain.commands import PauseSweep
from controller.domain.delta import Delta
from controller.domain.effects import Suggest
from controller.domain.events import AgentBeat, RunAsked, Ticked
from controller.domain.replies import Accepted, AgentOrder, Refused, RunOrder
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


def at_once(delta: Delta, future: Future[None]) -> None:
    future.set_result(None)


def test_reply_is_given_and_change_is_news_only_when_durable() -> None:
    async def script() -> None:
        store = SlowStore()
        async with running(engine_of(store)) as engine:
            seq = engine.feed.seq
            reply = asyncio.create_task(engine.submit(CREATE))
            await until(lambda: store.commits)
            await turns()
            assert not reply.done()
            assert engine.feed.seq == seq
            done(store.commits[0][1])
            assert isinstance(await reply, Accepted)
            assert engine.feed.seq == seq + 1

    asyncio.run(script())


def test_effects_are_performed_only_when_durable() -> None:
    async def script() -> None:
        store = SlowStore()
        engine = engine_of(store)
        performer = engine.performer = Searcher(engine)
        async with running(engine):
            reply = asyncio.create_task(engine.submit(CREATE))
            await until(lambda: store.commits)
            await turns()
            assert performer.performed == []
            done(store.commits[0][1])
            await reply
            assert [type(effect) for effect in performer.performed] == [Suggest]

    asyncio.run(script())


def test_messages_that_wait_become_one_transaction() -> None:
    async def script() -> None:
        store = SlowStore()
        async with running(engine_of(store)) as engine:
            first = asyncio.create_task(engine.submit(CREATE))
            await until(lambda: store.commits)
            others = [asyncio.create_task(engine.submit(CREATE)) for _ in range(50)]
            await turns()
            assert len(store.commits) == 1
            store.on_commit = at_once
            done(store.commits[0][1])
            await asyncio.gather(first, *others)
            assert len(store.commits[1][0].sweeps) == 51, "and search's answer for the first"

    asyncio.run(script())


def test_what_changes_nothing_costs_no_transaction() -> None:
    async def script() -> None:
        store = SlowStore()
        store.on_commit = at_once
        async with running(engine_of(store)) as engine:
            await opened(engine, "a")
            await turns()
            n_commits, seq = len(store.commits), engine.feed.seq
            assert isinstance(await engine.submit(AgentBeat(agent_id="a")), AgentOrder)
            await engine.submit(PauseSweep(sweep_id="nosuch00"))
            assert (len(store.commits), engine.feed.seq) == (n_commits, seq)

    asyncio.run(script())


def test_reply_is_not_decided_for_a_caller_that_went_away() -> None:
    async def script() -> None:
        store = SlowStore()
        async with running(engine_of(store)) as engine:
            first = asyncio.create_task(engine.submit(CREATE))
            await until(lambda: store.commits)
            gone = asyncio.create_task(engine.submit(CREATE))
            await turns()
            gone.cancel()
            await turns()
            store.on_commit = at_once
            done(store.commits[0][1])
            await first
            await engine.snapshot()
            assert len(engine.world.sweeps) == 1

    asyncio.run(script())


def test_a_caller_that_goes_away_later_disturbs_nobody() -> None:
    async def script() -> None:
        store = SlowStore()
        async with running(engine_of(store)) as engine:
            gone = asyncio.create_task(engine.submit(CREATE))
            await until(lambda: store.commits)
            gone.cancel()
            await turns()
            store.on_commit = at_once
            done(store.commits[0][1])
            assert isinstance(await engine.submit(CREATE), Accepted)
            assert len(engine.world.sweeps) == 2

    asyncio.run(script())


def test_snapshot_is_taken_between_transactions() -> None:
    async def script() -> None:
        store = SlowStore()
        async with running(engine_of(store)) as engine:
            reply = asyncio.create_task(engine.submit(CREATE))
            await until(lambda: store.commits)
            snapshot = asyncio.create_task(engine.snapshot())
            await turns()
            assert not snapshot.done()
            store.on_commit = at_once
            done(store.commits[0][1])
            await reply
            taken = await snapshot
            assert len(taken.facts.sweeps) == 1
            assert taken.seq == engine.feed.seq

    asyncio.run(script())


def test_feed_gives_batches_in_order_and_a_mirror_agrees(tmp_path: Path) -> None:
    async def script() -> None:
        async with real(tmp_path) as engine:
            before = await engine.snapshot()
            mirror, seqs = World(before.facts), [before.seq]
            await opened(engine, "a", "b")
            await engine.submit(RunAsked(agent_id="a", ask=1, wait_s=5.0))
            after = await engine.snapshot()
            async for item in engine.changes(before.seq):
                assert isinstance(item, Batch)
                mirror.evolve(item.changes)
                seqs.append(item.seq)
                if item.seq == after.seq:
                    break
            assert seqs == list(range(before.seq, after.seq + 1))
            assert mirror.facts() == after.facts

    asyncio.run(script())


def test_reader_of_another_life_is_told_to_look_again() -> None:
    async def script() -> None:
        async with running(engine_of(SlowStore())) as engine:
            for since in (0, engine.feed.seq + 7):
                item = await anext(engine.changes(since))
                assert item == Resync(seq=engine.feed.seq)

    asyncio.run(script())


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
    decide = engine_module.decide

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
