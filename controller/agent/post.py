"""Sends an agent's messages to the controller and keeps trying while it is away.

Every message may be repeated (the controller answers the same), so a lost answer is simply sent again.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Protocol

from controller.agent.journal import Journal
from controller.client.door import ClientError
from controller.domain.events import AgentEvent
from controller.domain.replies import Refused, Reply

EARLY_PAUSE_S = 5.0
"""Longest pause in the first minute: most outages are restarts."""
LATE_PAUSE_S = 60.0
EARLY_S = 60.0


class Sender(Protocol):
    """The part of a `Client` that an agent uses."""

    async def send(self, message: AgentEvent, /) -> Reply:
        """Deliver an event and return the reply once it is durable."""
        ...


def boot_time() -> float:
    """Return seconds since boot; unlike the monotonic clock it goes on while the host sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def never() -> bool:
    """Do not give up."""
    return False


class Post:
    """One agent's way to the controller, shared by its tasks."""

    def __init__(self, client: Sender, journal: Journal, pause_s: float = 0.5) -> None:
        self._client = client
        self._journal = journal
        self._pause_s = pause_s
        self._waiting: dict[asyncio.Timeout, Callable[[], bool]] = {}
        self._nudge = asyncio.Event()
        self._away_since: float | None = None
        self.heard_at = boot_time()
        """When the controller last answered."""
        self.error: ClientError | None = None
        """Why the last try failed, if it did."""

    async def send(self, message: AgentEvent, until: Callable[[], bool] = never) -> Reply | None:
        """Send until answered, or until `until` is true (looked at by `poke`); then return None."""
        n_failures = 0
        while not until():
            call = asyncio.timeout(None)
            self._waiting[call] = until
            try:
                async with call:
                    reply = await self._client.send(message)
                if not (isinstance(reply, Refused) and reply.code == "full"):
                    self._heard()
                    return reply
                self._lost(ClientError(reply.reason, reply.hint))
            except TimeoutError:
                if not call.expired():
                    raise
                return None
            except ClientError as error:
                self._lost(error)
            finally:
                del self._waiting[call]
            await self._pause(n_failures)
            n_failures += 1
        return None

    def poke(self) -> None:
        """Let every waiting message look whether it should give up, or try again at once."""
        now = asyncio.get_running_loop().time()
        for call, until in self._waiting.items():
            if until() and not call.expired():
                call.reschedule(now)
        self._nudge.set()
        self._nudge = asyncio.Event()

    def _heard(self) -> None:
        self.heard_at, self.error = boot_time(), None
        if self._away_since is not None:
            self._away_since = None
            self._journal.say("the controller is back")
            self.poke()

    def _lost(self, error: ClientError) -> None:
        self.error = error
        if self._away_since is None:
            self._away_since = time.monotonic()
            self._journal.say(f"the controller is away ({error}); trying again")

    async def _pause(self, n_failures: int) -> None:
        away_s = time.monotonic() - (self._away_since or time.monotonic())
        longest = EARLY_PAUSE_S if away_s < EARLY_S else LATE_PAUSE_S
        delay = random.uniform(0.0, min(longest, self._pause_s * 2.0 ** min(n_failures, 16)))
        nudge = self._nudge
        try:
            async with asyncio.timeout(delay):
                await nudge.wait()
        except TimeoutError:
            return
