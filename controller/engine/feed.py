"""The stream of committed changes in numbered batches.

A ring keeps the latest batches. A reader that asks for one that is gone, or that falls behind the
ring, is told to look again (`Resync`); it never slows the writer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from controller.domain.changes import Change
from controller.domain.feed import Batch, FeedItem, Resync

KEPT_BATCHES = 1024
"""A reader may fall so far behind before a snapshot is cheaper than what it missed."""


class Feed:
    """Publishes batches to any number of readers on the same loop."""

    def __init__(self, first_seq: int) -> None:
        self.seq = first_seq
        """Number of the latest batch; grows over restarts too, so that an old reader never mistakes
        a new controller's batches for the ones it waits for."""
        self._ring: deque[Batch] = deque(maxlen=KEPT_BATCHES)
        self._news = asyncio.Event()
        self._closed = False

    def publish(self, changes: tuple[Change, ...]) -> Batch:
        """Number a batch and wake the readers."""
        self.seq += 1
        batch = Batch(seq=self.seq, changes=changes)
        self._ring.append(batch)
        self._wake()
        return batch

    def break_off(self) -> None:
        """Forget the ring: every reader must take a snapshot."""
        self.seq += 1
        self._ring.clear()
        self._wake()

    def close(self) -> None:
        """End every reader's stream."""
        self._closed = True
        self._wake()

    async def follow(self, since: int) -> AsyncIterator[FeedItem]:
        """Yield what comes after `since`, in order; end when the feed is closed."""
        while not self._closed:
            news = self._news
            if since == self.seq:
                await news.wait()
                continue
            missed = self._after(since)
            if missed is None:
                since = self.seq
                yield Resync(seq=since)
                continue
            for batch in missed:
                since = batch.seq
                yield batch

    def _after(self, since: int) -> list[Batch] | None:
        if since > self.seq or not self._ring or since < self._ring[0].seq - 1:
            return None
        return [batch for batch in self._ring if batch.seq > since]

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()
