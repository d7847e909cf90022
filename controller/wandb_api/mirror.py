"""A World that follows the controller's changes, so that reading costs no question.

A reply to an event of ours never overtakes the changes it speaks of: they are published before the reply
is given, and the mirror is woken first.
"""

from __future__ import annotations

import asyncio
import logging

from controller.client.door import Client, UnreachableError
from controller.domain.feed import Resync
from controller.domain.world import World

log = logging.getLogger(__name__)

AGAIN_S = 0.2
"""Pause before a new snapshot when the stream broke."""


class Mirror:
    """The World as of the latest batch."""

    def __init__(self, door: Client) -> None:
        self._door = door
        self.world = World()
        self.is_ready = asyncio.Event()

    async def follow(self) -> None:
        """Follow the controller until cancelled."""
        while True:
            try:
                await self._once()
            except UnreachableError:
                self.is_ready.clear()
            except Exception:
                # Whatever it was, a new snapshot is the truth; the controller goes on.
                log.exception("the mirror broke")
            await asyncio.sleep(AGAIN_S)

    async def _once(self) -> None:
        snapshot = await self._door.snapshot()
        self.world = World(snapshot.facts)
        self.is_ready.set()
        async for item in self._door.changes(snapshot.seq):
            if isinstance(item, Resync):
                log.info("the mirror looks again")
                return
            self.world.evolve(item.changes)
