"""A controller of a few lines: a World, a feed, and answers made of arithmetic."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncIterator

from controller.client.door import UnreachableError
from controller.domain.changes import Change, SweepAdded, SweepStateSet
from controller.domain.commands import (
    CancelSweep,
    Command,
    CreateSweep,
    PauseSweep,
    ResumeSweep,
    StopSweep,
)
from controller.domain.events import AgentEvent
from controller.domain.feed import Batch, FeedItem, Resync
from controller.domain.queries import (
    Answer,
    Attempts,
    Belief,
    Curves,
    GetAttempts,
    GetBelief,
    GetCurves,
    GetImportance,
    GetLog,
    GetNotes,
    GetStatus,
    ImportanceRow,
    ImportanceTable,
    Log,
    Note,
    Notes,
    NotFound,
    Query,
    Status,
)
from controller.domain.replies import Accepted, Refused, Reply
from controller.domain.states import VERBS
from controller.domain.sweeps import Sweep
from controller.domain.world import Snapshot, World
from tests.scenes import NOW


class FakeClient:
    """Implements the door; `push` is the controller having news, `away` its absence."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.world = World(snapshot.facts)
        self.seq = snapshot.seq
        self.sent: list[Command | AgentEvent] = []
        self.asked: list[Query] = []
        self.refuse: Refused | None = None
        self.away = False
        self.storage = "ok"
        self.belief: Belief | None = None
        self._feed: asyncio.Queue[FeedItem | None] = asyncio.Queue()

    async def snapshot(self) -> Snapshot:
        if self.away:
            raise UnreachableError("nobody answers at the socket")
        return Snapshot(seq=self.seq, facts=self.world.facts())

    async def changes(self, since: int) -> AsyncIterator[FeedItem]:
        while True:
            item = await self._feed.get()
            if item is None:
                raise UnreachableError("the controller went away")
            yield item

    def push(self, *changes: Change) -> None:
        self.world.evolve(changes)
        self.seq += 1
        self._feed.put_nowait(Batch(seq=self.seq, changes=changes))

    def resync(self) -> None:
        self._feed.put_nowait(Resync(seq=self.seq))

    def go_away(self) -> None:
        self.away = True
        self._feed.put_nowait(None)

    async def send(self, message: Command | AgentEvent) -> Reply:
        self.sent.append(message)
        if self.away:
            raise UnreachableError("nobody answers at the socket")
        if self.refuse is not None:
            return self.refuse
        if isinstance(message, PauseSweep | ResumeSweep | StopSweep | CancelSweep):
            state = VERBS[message.verb][1]
            self.push(SweepStateSet(sweep_id=message.sweep_id, state=state, cause="asked", at=NOW))
        if isinstance(message, CreateSweep):
            sweep = _created(message, f"made{len(self.world.sweeps):04d}")
            self.push(SweepAdded(sweep=sweep))
            return Accepted(text="created", ids=(sweep.id,))
        return Accepted(text="done")

    async def ask(self, query: Query) -> Answer:
        self.asked.append(query)
        if self.away:
            raise UnreachableError("nobody answers at the socket")
        match query:
            case GetCurves():
                return Curves(key=query.key, curves={run: _curve(run, query.key) for run in query.run_ids})
            case GetLog():
                lines = tuple(
                    f"epoch {n:3d}  loss {math.exp(-n / 20):.4f}  acc {0.97 - 0.4 * math.exp(-n / 9):.4f}"
                    for n in range(60)
                )
                first = query.first if query.first >= 0 else max(0, 60 + query.first)
                return Log(run_id=query.run_id, first=first, lines=lines[first:], n_lines=60)
            case GetAttempts():
                found = [a for a in self.world.attempts.values() if a.run_id == query.run_id]
                return Attempts(attempts=tuple(found))
            case GetNotes():
                texts = (
                    "sweep created",
                    "2 agents launched",
                    "run 11 failed: exit code 1",
                    "agent quarantined",
                )
                notes = [
                    Note(
                        id=n,
                        at=NOW - 600 + 90 * n,
                        actor="ada@login1",
                        text=t,
                        sweep_id="d1g1ts00",
                        run_id="",
                    )
                    for n, t in enumerate(texts)
                ]
                return Notes(notes=tuple(notes))
            case GetStatus():
                return Status(
                    pid=1,
                    host="login1",
                    home="/home/ada",
                    socket="",
                    listen="",
                    started_at=NOW,
                    n_agents=0,
                    version="0",
                    embedded=False,
                    cpu_s=0.0,
                    addresses=("10.0.0.5:6006",),
                    storage=self.storage,
                )
            case GetBelief() if self.belief is not None:
                return self.belief
            case GetImportance():
                return _importance(query)
            case _:
                return NotFound(reason="not here")

    async def close(self) -> None:
        pass


def _created(command: CreateSweep, sweep_id: str) -> Sweep:
    return Sweep(
        id=sweep_id,
        config=command.config,
        source=command.source,
        directory=command.directory,
        project=command.project,
        entity=command.entity,
        name=command.name or sweep_id,
        n_expected=command.n_expected,
        created_at=NOW,
    )


def _curve(run_id: str, key: str) -> tuple[tuple[float, float], ...]:
    dice = random.Random(run_id + key)
    end, fall, slow, noise = dice.uniform(0.9, 0.98), dice.uniform(0.3, 0.6), dice.uniform(2, 9), 0.008
    values = [end - fall * math.exp(-s / slow) + noise * dice.gauss(0, 1) for s in range(30)]
    falls = "loss" in key
    return tuple((float(s), round(1.02 - v if falls else v, 5)) for s, v in enumerate(values))


def _importance(query: GetImportance) -> ImportanceTable:
    rows = (
        ("learning_rate", 0.61, 0.52, 0.70, 0.43),
        ("loss", 0.22, 0.15, 0.29, None),
        ("batch_size", 0.11, 0.06, 0.17, -0.21),
        ("alpha", 0.06, 0.02, 0.11, 0.05),
    )
    return ImportanceTable(
        metric=query.metric or "val_accuracy",
        n_runs=33,
        parameters=tuple(
            ImportanceRow(name=a, importance=b, importance_low=c, importance_high=d, correlation=e)
            for a, b, c, d, e in rows
        ),
    )
