"""The loop: take what waits, decide it, record it, publish it, perform it, reply.

One task owns the World. It takes all waiting messages at once, decides each, writes one transaction
for all of them, and only when that is durable are the changes news, the effects performed and the
replies given. While a transaction is on its way to the disk the next messages collect, so that a
slow disk makes bigger transactions, not slower agents.

Storage that refuses (a full disk) is not an end: nothing is acknowledged, the World is loaded anew
as it was recorded, agents spool, and a probe every few seconds finds out when it is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable

from controller.core.decide import decide
from controller.core.draft import Decision, Moment
from controller.domain.commands import Command
from controller.domain.delta import Collector
from controller.domain.effects import Effect
from controller.domain.events import AgentBeat, Event, Restarted, RunAsked, Ticked
from controller.domain.feed import FeedItem
from controller.domain.replies import Refused, Reply
from controller.domain.timing import TIMING, Timing
from controller.domain.world import Snapshot, World
from controller.engine.clock import Clock, SystemClock, random_id
from controller.engine.feed import Feed
from controller.engine.parking import Held, Parking, may_hold
from controller.engine.performer import Performer, merged
from controller.store import Store, StoreError

log = logging.getLogger(__name__)

MAX_TAKEN = 256
"""Messages decided in one transaction."""
MAX_WAITING = 10_000
"""Messages that may wait; beyond that callers are told to come back."""
SLEEP_GAP_S = 5.0
"""A longer gap between two turns means that the machine slept or we were stopped."""
PROBE_S = 10.0
"""How often refusing storage is tried again."""
_DEFECT = Refused(reason="the controller met a defect; see its log", code="defect")


class _Waiting:
    """A message in the queue."""

    __slots__ = ("future", "message", "taken_s")

    def __init__(self, message: Command | Event, future: asyncio.Future[Reply] | None) -> None:
        self.message = message
        self.future = future
        self.taken_s: float | None = None
        """Deadline of a held ask that is decided again."""


class Engine:
    """The controller's heart; all its methods belong to one event loop."""

    def __init__(
        self,
        store: Store,
        *,
        timing: Timing = TIMING,
        clock: Clock | None = None,
        new_id: Callable[[], str] = random_id,
    ) -> None:
        self.store = store
        self.timing = timing
        self.clock: Clock = clock or SystemClock()
        self.new_id = new_id
        self.world = World(store.load())
        # Milliseconds since 1970: grows over restarts, unless a controller writes 1,000 batches a second.
        self.feed = Feed(int(self.clock.wall() * 1000))
        self.storage = "ok"
        self.performer: Performer | None = None
        self._queue: asyncio.Queue[_Waiting | asyncio.Future[Snapshot]] = asyncio.Queue(MAX_WAITING)
        self._parking = Parking()

    async def run(self) -> None:
        """Work until cancelled."""
        self._take_up()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._work())
            group.create_task(self._tick())

    async def submit(self, message: Command | Event) -> Reply:
        """Return the reply to a message once what it changed is durable."""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        await self._queue.put(_Waiting(message, future))
        return await future

    def post(self, event: Event) -> None:
        """Put an event of our own into the queue; nobody waits for its reply."""
        try:
            self._queue.put_nowait(_Waiting(event, None))
        except asyncio.QueueFull:
            # Our own events are repeated (ticks) or asked for again (suggestions).
            log.warning("queue full: dropped %s", type(event).__name__)

    async def snapshot(self) -> Snapshot:
        """Return all facts between two transactions."""
        future: asyncio.Future[Snapshot] = asyncio.get_running_loop().create_future()
        await self._queue.put(future)
        return await future

    def changes(self, since: int) -> AsyncIterator[FeedItem]:
        """Yield the batches after `since`."""
        return self.feed.follow(since)

    def stop(self) -> None:
        """Answer everybody who is held and end the feed."""
        self._parking.release()
        self.feed.close()

    async def _work(self) -> None:
        while True:
            first = await self._queue.get()
            waiting, asked = self._take(first)
            try:
                if waiting:
                    await self._decide(waiting)
            except Exception:
                # A defect of ours must not end the controller: the record is the truth again.
                log.exception("a decision could not be followed up")
                self._fail(waiting, _DEFECT)
                self._reload()
            for future in asked:
                if not future.done():
                    future.set_result(Snapshot(seq=self.feed.seq, facts=self.world.facts()))

    def _take(
        self, first: _Waiting | asyncio.Future[Snapshot]
    ) -> tuple[list[_Waiting], list[asyncio.Future[Snapshot]]]:
        items = [first]
        while len(items) < MAX_TAKEN and not self._queue.empty():
            items.append(self._queue.get_nowait())
        waiting = [item for item in items if isinstance(item, _Waiting)]
        return waiting, [item for item in items if not isinstance(item, _Waiting)]

    async def _decide(self, waiting: list[_Waiting]) -> None:
        if self.storage != "ok":
            self._refuse_full(waiting)
            return
        try:
            decided = await self._record(waiting)
        except StoreError as error:
            if type(error) is StoreError:
                await self._decide_alone(waiting, Refused(reason=str(error), hint=error.hint))
            else:
                self._storage_failed(error, waiting)
            return
        except Exception:
            log.exception("a decision failed")
            await self._decide_alone(waiting, _DEFECT)
            return
        changes = tuple(change for _, decision in decided for change in decision.changes)
        if changes or any(decision.records for _, decision in decided):
            self.feed.publish(changes)
        for effect in merged([effect for _, decision in decided for effect in decision.effects]):
            self._perform(effect)
        for item, decision in decided:
            self._reply(item, decision.reply)
        for held in self._parking.wake(self.world, changes, self.timing):
            again = _Waiting(held.message, held.future)
            again.taken_s = held.deadline_s
            with contextlib.suppress(asyncio.QueueFull):
                self._queue.put_nowait(again)
                continue
            held.future.set_result(held.reply)

    async def _record(self, waiting: list[_Waiting]) -> list[tuple[_Waiting, Decision]]:
        """Decide every message and make durable what follows, in one transaction."""
        collector = Collector(self.world)
        decided: list[tuple[_Waiting, Decision]] = []
        for item in waiting:
            if item.future is not None and item.future.done():
                continue  # the caller went away before anything was decided
            decision = decide(self.world, item.message, self._moment())
            collector.add(decision.changes, decision.records, decision.gone)
            decided.append((item, decision))
        if any(decision.changes or decision.records for _, decision in decided):
            await asyncio.wrap_future(self.store.commit(collector.build()))
        return decided

    async def _decide_alone(self, waiting: list[_Waiting], refused: Refused) -> None:
        """Nothing was recorded because of one message: find it, so that the others do not suffer for it."""
        self._reload()
        if len(waiting) == 1:
            self._fail(waiting, refused)
            return
        for item in waiting:
            await self._decide([item])

    def _reply(self, item: _Waiting, reply: Reply | None) -> None:
        future, message = item.future, item.message
        if future is None or future.done() or reply is None:
            return
        if isinstance(message, RunAsked | AgentBeat) and message.wait_s > 0 and may_hold(message, reply):
            now_s = self.clock.mono()
            deadline_s = item.taken_s or now_s + min(message.wait_s, self.timing.poll_s)
            agent = self.world.agents.get(message.agent_id)
            if deadline_s > now_s and agent is not None:
                self._parking.hold(Held(message, future, reply, agent.sweep_id, deadline_s))
                return
        future.set_result(reply)

    def _perform(self, effect: Effect) -> None:
        if self.performer is None:
            return
        try:
            self.performer.perform(effect, self.world)
        except Exception:
            log.exception("could not perform %s", type(effect).__name__)

    def _moment(self) -> Moment:
        return Moment(
            at=self.clock.wall(), mono_s=self.clock.mono(), new_id=self._fresh_id, timing=self.timing
        )

    def _fresh_id(self) -> str:
        while True:
            new = self.new_id()
            if new not in self.world.sweeps and new not in self.world.runs and new not in self.world.jobs:
                return new

    def _take_up(self) -> None:
        if self.performer is not None:
            self.performer.restarted(self.world)
        self.post(Restarted())

    async def _tick(self) -> None:
        last_s = self.clock.mono()
        last_probe_s = last_s
        while True:
            await asyncio.sleep(self.timing.tick_s)
            now_s = self.clock.mono()
            if now_s - last_s > self.timing.tick_s + SLEEP_GAP_S:
                log.warning("no turn for %.0f s: every lease is full again", now_s - last_s)
                self.post(Restarted())
            elif self.world.heard_s or self.world.token_heard_s or self.world.deserted_s:
                self.post(Ticked())
            self._parking.expire(now_s)
            last_s = now_s
            if self.storage != "ok" and now_s - last_probe_s >= PROBE_S:
                last_probe_s = now_s
                await self._probe()

    async def _probe(self) -> None:
        try:
            await asyncio.wrap_future(self.store.probe())
        except StoreError as error:
            self.storage = str(error)
            return
        self.storage = "ok"
        log.warning("storage takes records again")
        # What was seen meanwhile, such as the end of a process, could not be recorded: look again.
        self._take_up()

    def _storage_failed(self, error: StoreError, waiting: list[_Waiting]) -> None:
        log.error("storage refuses: %s", error)
        self.storage = str(error)
        self._refuse_full(waiting)
        self._reload()

    def _refuse_full(self, waiting: list[_Waiting]) -> None:
        self._fail(
            waiting,
            Refused(
                reason=f"nothing can be recorded now: {self.storage}",
                hint="free some space where the home lies; agents keep their reports meanwhile",
                code="full",
            ),
        )

    @staticmethod
    def _fail(waiting: list[_Waiting], refused: Refused) -> None:
        for item in waiting:
            if item.future is not None and not item.future.done():
                item.future.set_result(refused)

    def _reload(self) -> None:
        """Forget what was decided and not recorded; readers of the feed must look again."""
        self._parking.release()
        try:
            self.world = World(self.store.load())
        except StoreError:
            log.exception("the store cannot be read")
        self.feed.break_off()
        self._take_up()
