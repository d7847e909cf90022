"""A door of a few lines with the behaviour every door has: one metric sweep, one agent, no durability."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

from controller.client.door import UnreachableError
from controller.domain.changes import Change, NoteAdded, SweepAdded
from controller.domain.commands import Command, CreateSweep
from controller.domain.events import AgentEvent, AgentJoined, RunAsked, RunReported, RunStarted
from controller.domain.feed import Batch, FeedItem, Resync
from controller.domain.queries import Answer, GetHistory, History, NotFound, Query
from controller.domain.replies import Accepted, Acked, Granted, Joined, Refused, Reply, RunOrder
from controller.domain.runs import Point
from controller.domain.sweeps import Sweep
from controller.domain.world import Facts, Snapshot, World

N_KEPT = 8


class FakeDoor:
    def __init__(self, facts: Facts | None = None) -> None:
        self.world = World(facts)
        self.seq = 0
        self.kept: deque[Batch] = deque(maxlen=N_KEPT)
        self.news = asyncio.Condition()
        self.points: dict[str, tuple[Point, ...]] = {}
        self.closed = False

    async def snapshot(self) -> Snapshot:
        return Snapshot(seq=self.seq, facts=self.world.facts())

    async def changes(self, since: int) -> AsyncIterator[FeedItem]:
        while True:
            async with self.news:
                while not self.closed and self.seq == since:
                    await self.news.wait()
            if self.closed:
                raise UnreachableError("closed")
            if since > self.seq or self.kept[0].seq > since + 1:
                yield Resync(seq=self.seq)
                since = self.seq
            for batch in [b for b in self.kept if b.seq > since]:
                yield batch
                since = batch.seq

    async def publish(self, *changes: Change) -> None:
        self.world.evolve(changes)
        self.seq += 1
        self.kept.append(Batch(seq=self.seq, changes=changes))
        async with self.news:
            self.news.notify_all()

    async def send(self, message: Command | AgentEvent) -> Reply:
        if self.closed:
            raise UnreachableError("closed")
        match message:
            case CreateSweep():
                return await self._create(message)
            case AgentJoined() if message.sweep_id in self.world.sweeps:
                sweep = self.world.sweeps[message.sweep_id]
                return Joined(
                    sweep_id=sweep.id,
                    project=sweep.project,
                    entity=sweep.entity,
                    sweep_name=sweep.name,
                    command=(),
                    program=None,
                    directory=sweep.directory,
                    heartbeat_s=10.0,
                    lease_s=300.0,
                )
            case RunAsked():
                return RunOrder(
                    run_id=f"run-{message.ask}",
                    name="r",
                    number=1,
                    token=message.ask,
                    attempt=1,
                    config={"x": 1},
                )
            case RunStarted():
                return Granted()
            case RunReported():
                self.points[f"run-{message.token}"] = message.points
                await self.publish(NoteAdded(at=0.0, actor="agent", text="reported"))
                return Acked(last_seq=message.last_seq)
            case _:
                return Refused(reason="There is no such thing.", hint="look again", code="unknown")

    async def _create(self, command: CreateSweep) -> Reply:
        sweep_id = f"s{len(self.world.sweeps):07}"
        sweep = Sweep(
            id=sweep_id,
            config=command.config,
            source=command.source,
            directory=command.directory,
            project=command.project,
            entity=command.entity,
            name=command.name,
        )
        await self.publish(SweepAdded(sweep=sweep))
        return Accepted(ids=(sweep_id,))

    async def ask(self, query: Query) -> Answer:
        if isinstance(query, GetHistory) and query.run_id in self.points:
            return History(run_id=query.run_id, points=self.points[query.run_id])
        return NotFound(reason="There is no such run.")

    async def close(self) -> None:
        self.closed = True
        async with self.news:
            self.news.notify_all()


class OddDoor(FakeDoor):
    """Answers every message by a function."""

    def __init__(self, answer: Callable[[Any], Awaitable[Any]]) -> None:
        super().__init__()
        self.answer = answer

    async def send(self, message: Command | AgentEvent) -> Reply:
        return cast("Reply", await self.answer(message))

    async def ask(self, query: Query) -> Answer:
        return cast("Answer", await self.answer(query))
