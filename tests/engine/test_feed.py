"""The stream of batches: in order, to many readers, and never slower for the slowest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from controller.domain.changes import Change, NoteAdded
from controller.domain.feed import Batch, FeedItem, Resync
from controller.engine.feed import Feed


def news(text: str) -> tuple[Change, ...]:
    return (NoteAdded(at=0.0, actor="a", text=text),)


@pytest.fixture(autouse=True)
def _few_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.engine.feed.KEPT_BATCHES", 4)


async def read(items: AsyncIterator[FeedItem], n: int) -> list[FeedItem]:
    async with asyncio.timeout(20):
        return [await anext(items) for _ in range(n)]


def test_every_reader_gets_every_batch_in_order() -> None:
    async def script() -> None:
        feed = Feed(100)
        readers = [feed.follow(100) for _ in range(3)]
        tasks = [asyncio.create_task(read(reader, 3)) for reader in readers]
        await asyncio.sleep(0)
        for text in "abc":
            feed.publish(news(text))
        expected = [Batch(seq=101 + n, changes=news(text)) for n, text in enumerate("abc")]
        assert await asyncio.gather(*tasks) == [expected] * 3

    asyncio.run(script())


def test_reader_gets_what_it_missed_while_it_is_kept() -> None:
    async def script() -> None:
        feed = Feed(100)
        for text in "abcd":
            feed.publish(news(text))
        assert [item.seq for item in await read(feed.follow(100), 4)] == [101, 102, 103, 104]
        assert [item.seq for item in await read(feed.follow(103), 1)] == [104]

    asyncio.run(script())


def test_reader_that_fell_behind_looks_again_and_then_follows() -> None:
    async def script() -> None:
        feed = Feed(100)
        reader = feed.follow(100)
        feed.publish(news("a"))
        assert await read(reader, 1) == [Batch(seq=101, changes=news("a"))]
        for text in "bcdefg":
            feed.publish(news(text))
        assert await read(reader, 1) == [Resync(seq=107)]
        feed.publish(news("h"))
        assert await read(reader, 1) == [Batch(seq=108, changes=news("h"))]

    asyncio.run(script())


def test_reader_that_stops_reading_costs_its_writer_nothing() -> None:
    async def script() -> None:
        feed = Feed(0)
        stopped = feed.follow(0)
        for n in range(10_000):
            feed.publish(news(str(n)))
        assert await read(stopped, 1) == [Resync(seq=10_000)]

    asyncio.run(script())


def test_everybody_looks_again_when_the_record_is_the_truth_again() -> None:
    async def script() -> None:
        feed = Feed(100)
        reader = feed.follow(100)
        waiting = asyncio.create_task(read(reader, 1))
        await asyncio.sleep(0)
        feed.break_off()
        (item,) = await waiting
        assert item == Resync(seq=101)
        feed.publish(news("a"))
        assert await read(reader, 1) == [Batch(seq=102, changes=news("a"))]

    asyncio.run(script())


def test_streams_end_when_the_feed_is_closed() -> None:
    async def script() -> None:
        feed = Feed(100)
        waiting = asyncio.create_task(_rest(feed.follow(100)))
        await asyncio.sleep(0)
        feed.close()
        assert await waiting == []
        assert await _rest(feed.follow(0)) == []

    asyncio.run(script())


async def _rest(items: AsyncIterator[FeedItem]) -> list[FeedItem]:
    return [item async for item in items]
