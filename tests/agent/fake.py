"""A controller in memory, small and faithful: tokens, exactly-once, held answers, and absence on demand."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controller.client.door import UnreachableError
from controller.domain.events import (
    AgentBeat,
    AgentEvent,
    AgentJoined,
    AgentLeft,
    RunAsked,
    RunEnded,
    RunReported,
    RunStarted,
)
from controller.domain.replies import (
    Acked,
    AgentOrder,
    ExitOrder,
    Granted,
    Joined,
    MissingFrom,
    Refused,
    Reply,
    RunOrder,
    Superseded,
    WaitOrder,
    Wish,
)
from controller.domain.runs import Point


@dataclass
class Attempt:
    order: RunOrder
    started: RunStarted | None = None
    points: dict[int, Point] = field(default_factory=dict)
    lines: dict[int, str] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    last_seq: int = 0
    ended: RunEnded | None = None
    pid: int | None = None
    preempting: bool = False
    stop_obeyed: bool = False
    superseded: bool = False


class FakeController:
    def __init__(self, directory: Path, command: tuple[str, ...], configs: list[dict[str, Any]]) -> None:
        self.directory = directory
        self.command = command
        self.configs = list(configs)
        self.attempts: dict[int, Attempt] = {}
        self.answers: dict[int, Reply] = {}
        self.events: list[AgentEvent] = []
        self.wish = AgentOrder(wish=Wish.GO_ON, heartbeat_s=10.0)
        self.away = False
        self.lose_answers = 0
        self.refuse: Refused | None = None
        self.resume = False
        self.drained: Reply = ExitOrder(reason="all runs done")
        self.joined_extra: dict[str, Any] = {}
        self.news = asyncio.Condition()
        self.n_failed_sends = 0

    async def send(self, message: AgentEvent, /) -> Reply:
        await asyncio.sleep(0)
        if self.away:
            self.n_failed_sends += 1
            await self._tell()
            raise UnreachableError("nobody answers")
        self.events.append(message)
        reply = await self._answer(message)
        await self._tell()
        if self.lose_answers and not isinstance(message, AgentBeat):
            self.lose_answers -= 1
            raise UnreachableError("the answer was lost")
        return reply

    async def until(self, condition: Any) -> None:
        """Wait until something is true of what was received."""
        async with asyncio.timeout(20), self.news:
            await self.news.wait_for(condition)

    async def order(self, wish: Wish, token: int | None = None) -> None:
        self.wish = AgentOrder(wish=wish, token=token, heartbeat_s=10.0)
        await self._tell()

    async def _tell(self) -> None:
        async with self.news:
            self.news.notify_all()

    async def _answer(self, message: AgentEvent) -> Reply:
        match message:
            case AgentJoined():
                return self.refuse or self._welcome()
            case RunAsked():
                return self._next(message)
            case RunStarted():
                attempt = self.attempts[message.token]
                if attempt.superseded:
                    return Superseded(reason="abandoned")
                attempt.started = message
                return Granted()
            case RunReported():
                return self._report(message)
            case RunEnded():
                return self._end(message)
            case AgentBeat():
                return await self._beat(message)
            case AgentLeft():
                return Acked()

    def _welcome(self) -> Joined:
        fields: dict[str, Any] = {
            "sweep_id": "abcd1234",
            "project": "digits",
            "entity": "me",
            "sweep_name": "a sweep",
            "command": self.command,
            "program": "train.py",
            "directory": str(self.directory),
            "heartbeat_s": 10.0,
            "lease_s": 300.0,
        }
        return Joined(**(fields | self.joined_extra))

    def _next(self, asked: RunAsked) -> Reply:
        if asked.ask in self.answers:
            return self.answers[asked.ask]
        if not self.configs:
            return self.drained
        token = len(self.attempts) + 1
        order = RunOrder(
            run_id=f"run{token}",
            name=f"brisk-sweep-{token}",
            number=token,
            token=token,
            attempt=1,
            config=self.configs.pop(0),
            resume=self.resume,
        )
        self.attempts[token] = Attempt(order)
        self.answers[asked.ask] = order
        return order

    def _report(self, message: RunReported) -> Reply:
        attempt = self.attempts[message.token]
        if attempt.superseded:
            return Superseded(reason="a newer attempt runs")
        if message.first_seq > attempt.last_seq + 1:
            return MissingFrom(seq=attempt.last_seq + 1)
        for point in message.points:
            attempt.points.setdefault(point.seq, point)
        for part in message.lines:
            attempt.lines.update({part.first + i: text for i, text in enumerate(part.lines)})
        attempt.summary.update(message.summary)
        attempt.last_seq = max(attempt.last_seq, message.last_seq)
        attempt.pid = message.pid or attempt.pid
        attempt.preempting = attempt.preempting or message.preempting
        attempt.stop_obeyed = attempt.stop_obeyed or message.stop_obeyed
        return Acked(last_seq=attempt.last_seq)

    def _end(self, message: RunEnded) -> Reply:
        attempt = self.attempts[message.token]
        if attempt.superseded:
            return Superseded(reason="a newer attempt runs")
        if message.last_seq > attempt.last_seq:
            return MissingFrom(seq=attempt.last_seq + 1)
        attempt.ended = attempt.ended or message
        return Acked(last_seq=attempt.last_seq)

    async def _beat(self, beat: AgentBeat) -> AgentOrder:
        def order() -> AgentOrder:
            about = self.wish.token in (None, beat.token)
            return self.wish if about else AgentOrder(wish=Wish.GO_ON, token=beat.token)

        try:
            async with asyncio.timeout(beat.wait_s), self.news:
                await self.news.wait_for(lambda: order().wish != beat.order)
        except TimeoutError:
            pass
        return order()


WAIT = WaitOrder(retry_s=0.01, reason="the sweep is paused")
