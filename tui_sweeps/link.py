"""The link: carries facts from the one door into the model and tells the app, at most ten times a second.

It runs on the app's event loop and folds each batch at once, so that what is shown is never behind by more
than one telling; a burst of batches costs one repaint. When the controller is away it says so in the model
and tries again with growing pauses; after that everything starts over from a snapshot. A controller whose
disk is full has everybody start over, so that is when it is asked how its storage fares.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from controller.client.door import Client, ClientError, UnreachableError
from controller.domain.commands import Command
from controller.domain.feed import Resync
from controller.domain.queries import Answer, GetStatus, NotFound, Query, Status
from controller.domain.replies import Refused, Reply
from tui_sweeps.model import Model

TELL_S = 0.1
"""Least time between two tellings: ten a second look alive and leave the processor alone."""

BACK_OFF_S = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Pauses between attempts to meet the controller again; the last one repeats."""

SEND_S = 20.0
"""A command is durable within a few milliseconds; a full disk or a frozen host shows after this."""

STORAGE_S = 2.0
"""Between two questions while storage refuses; the controller tries about as often."""

ASK_S = 60.0
"""Importance of a big sweep takes seconds."""


class Link:
    """One dashboard's connection to the controller."""

    def __init__(self, client: Client, model: Model, tell: Callable[[], None]) -> None:
        self.resting: Callable[[], AbstractContextManager[None]] = nullcontext
        """Around the taking of a snapshot."""
        self._client = client
        self._model = model
        self._tell = tell
        self._told_at = float("-inf")
        self._telling: asyncio.TimerHandle | None = None
        self._doubt = asyncio.Event()
        """Storage may fare otherwise than is shown."""

    async def run(self) -> None:
        """Follow the controller until cancelled."""
        n_failed = 0
        while True:
            try:
                with self.resting():
                    async with asyncio.timeout(SEND_S):
                        # Given a name here, it would keep every run as it once was.
                        self._model.take(await self._client.snapshot())
                self._doubt.set()
                self._news()
                n_failed = 0
                await self._follow()
            except TimeoutError:
                self._lose("the controller does not answer")
            except UnreachableError as error:
                self._lose(str(error) or "the controller is away")
            except ClientError as error:
                self._lose(f"{error}. {error.hint}".rstrip(". ") if error.hint else str(error))
            await asyncio.sleep(BACK_OFF_S[min(n_failed, len(BACK_OFF_S) - 1)])
            n_failed += 1

    async def _follow(self) -> None:
        """Fold what comes; return when a new snapshot is needed."""
        async for item in self._client.changes(self._model.seq):
            if isinstance(item, Resync):
                return
            self._model.fold(item)
            self._news()

    async def watch_storage(self) -> None:
        """Say in the model while the controller cannot record anything, until cancelled."""
        while True:
            await self._doubt.wait()
            self._doubt.clear()
            answer = await self.ask(GetStatus())
            if not isinstance(answer, Status):
                continue  # away: a snapshot follows when it is back
            trouble = "" if answer.storage == "ok" else answer.storage
            if self._model.warn(trouble):
                self._news()
            if trouble:
                await asyncio.sleep(STORAGE_S)
                self._doubt.set()

    async def close(self) -> None:
        """Let go of the client, on the loop that used it."""
        await self._client.close()

    async def send(self, command: Command) -> Reply:
        """Deliver a command; what stands in the way is a refusal too."""
        try:
            async with asyncio.timeout(SEND_S):
                reply = await self._client.send(command)
            if isinstance(reply, Refused) and reply.code == "full":
                self._doubt.set()
            return reply
        except TimeoutError:
            return Refused(reason="the controller did not answer", hint="it may still have heard: look again")
        except ClientError as error:
            return Refused(reason=str(error), hint=error.hint)

    async def ask(self, query: Query) -> Answer:
        """Return the answer to a query; what stands in the way is a `NotFound` with its reason."""
        try:
            async with asyncio.timeout(ASK_S):
                return await self._client.ask(query)
        except TimeoutError:
            return NotFound(reason="the controller did not answer in time", hint="open the view again")
        except ClientError as error:
            return NotFound(reason=str(error), hint=error.hint)

    def _lose(self, reason: str) -> None:
        self._model.lose(reason)
        self._news()

    def _news(self) -> None:
        if self._telling is not None:
            return
        loop = asyncio.get_running_loop()
        wait_s = self._told_at + TELL_S - loop.time()
        self._telling = loop.call_later(max(0.0, wait_s), self._now)

    def _now(self) -> None:
        self._telling = None
        self._told_at = asyncio.get_running_loop().time()
        self._tell()
