"""Recorded, then published, then done: the loop with a store whose durability we hold in the hand."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from pathlib import Path

from controller.domain.commands import PauseSweep
from controller.domain.delta import Delta
from controller.domain.effects import Suggest
from controller.domain.events import AgentBeat, RunAsked
from controller.domain.feed import Batch, Resync
from controller.domain.replies import Accepted, AgentOrder
from controller.domain.world import World
from tests.engine.bench import (
    CREATE,
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
