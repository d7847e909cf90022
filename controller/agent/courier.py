"""Carries what one attempt reports, from its files to the controller, while it runs and after."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from controller.agent.capture import Capture
from controller.agent.console_reader import ConsolePosition, ConsoleReader
from controller.agent.load import LoadMeter
from controller.agent.place import RunPlace
from controller.agent.post import Post
from controller.agent.program import Ending
from controller.agent.report_reader import Position, ReportReader
from controller.domain.events import RunEnded, RunReported
from controller.domain.replies import Acked, MissingFrom, Reply, Superseded

MAX_REPEATS = 8
"""So often the controller may ask for the same lines before the agent stops believing it."""


class Courier:
    """Tells the controller what is in the files; positions move on acknowledgement only."""

    def __init__(
        self, post: Post, *, agent_id: str, token: int, place: RunPlace, give_up: Callable[[], bool]
    ) -> None:
        self._post = post
        self._agent_id = agent_id
        self._token = token
        self._give_up = give_up
        self._report = ReportReader(place.report)
        self._console = ConsoleReader(place.output)
        self._pid: int | None = None
        self._stop_obeyed = False
        self._preempted = False
        self._load: dict[str, float] = {}
        self._n_repeats = 0
        self._wake = asyncio.Event()
        self._closing = False
        self.superseded = ""
        """Why the data of this attempt no longer counts."""

    async def follow(
        self,
        pid: int,
        capture: Capture | None,
        meter: LoadMeter,
        tick_s: float,
        on_superseded: Callable[[], None],
    ) -> None:
        """Deliver until `close`; calls `on_superseded` if the controller says that the token is stale."""
        self._pid = pid
        while not self._closing and not self.superseded:
            self._wake.clear()
            try:
                async with asyncio.timeout(tick_s):
                    await self._wake.wait()
            except TimeoutError:
                pass
            if capture is not None:
                capture.step()
            self._load = meter.look() or self._load
            if not self._closing:
                await self.deliver()
        if self.superseded:
            on_superseded()

    def close(self) -> None:
        """Let `follow` return."""
        self._closing = True
        self._wake.set()

    def obeyed(self) -> None:
        """Tell soon that the stop signal was sent."""
        self._stop_obeyed = True
        self._wake.set()

    def preempted(self) -> None:
        """Tell at once, before anything else, that the scheduler wants the run to end."""
        self._preempted = True
        self._wake.set()

    def says_preempting(self) -> bool:
        """Whether the program said, told already or not, that it is being preempted."""
        ahead = self._report.copy()
        while not ahead.preempting and (batch := ahead.next_batch()) is not None:
            ahead.position = batch.after
        return ahead.preempting

    @property
    def last_seq(self) -> int:
        """Number of the last line told."""
        return self._report.position.seq

    def count_lines(self) -> int:
        """Return how many lines the report has, told or not."""
        try:
            return self._report.count_lines()
        except OSError:
            return self.last_seq

    async def deliver(self) -> bool:
        """Tell everything at hand; False if given up or superseded."""
        while (message := self._next()) is not None:
            report, after_report, after_console = message
            reply = await self._post.send(report, self._give_up)
            if not self._take(reply, report, after_report):
                return False
            self._console.position = after_console
        return True

    async def end(self, ending: Ending) -> bool:
        """Tell everything and the end; True when the controller has it, or wants none of it."""
        while await self.deliver():
            message = RunEnded(
                agent_id=self._agent_id,
                token=self._token,
                state=ending.state,
                last_seq=self.last_seq,
                exit_code=ending.exit_code,
                signal=ending.signal,
                cause=ending.cause,
                comes_back=ending.comes_back,
                out_of_time=ending.out_of_time,
            )
            reply = await self._post.send(message, self._give_up)
            if isinstance(reply, MissingFrom) and self._go_back(reply.seq):
                continue
            if isinstance(reply, Superseded):
                self.superseded = reply.reason
            return reply is not None and not isinstance(reply, MissingFrom)
        return bool(self.superseded)

    def _next(self) -> tuple[RunReported, Position, ConsolePosition] | None:
        try:
            report, console = self._report.next_batch(), self._console.next_batch()
        except OSError:
            # A file system in trouble must not end training: looked at again later, at the end left as it is.
            return None
        pid, obeyed, preempted, load = self._pid, self._stop_obeyed, self._preempted, self._load
        urgent = obeyed or preempted
        if report is None and console is None and not urgent and (not (pid or load) or self._closing):
            return None
        self._pid, self._stop_obeyed, self._preempted, self._load = None, False, False, {}
        seq = self._report.position.seq
        message = RunReported(
            agent_id=self._agent_id,
            token=self._token,
            first_seq=seq + 1,
            last_seq=report.after.seq if report else seq,
            points=tuple(report.points) if report else (),
            lines=console.lines if console else (),
            summary=report.summary if report else {},
            system=load,
            preempting=preempted or (report is not None and report.preempting),
            pid=pid,
            stop_obeyed=obeyed,
        )
        after = report.after if report else self._report.position
        return message, after, console.after if console else self._console.position

    def _take(self, reply: Reply | None, sent: RunReported, after: Position) -> bool:
        if isinstance(reply, Acked):
            if sent.first_seq - 1 <= reply.last_seq < sent.last_seq:
                return self._go_back(reply.last_seq + 1)
            self._report.position, self._n_repeats = after, 0
            return True
        if isinstance(reply, MissingFrom):
            return self._go_back(reply.seq)
        if isinstance(reply, Superseded):
            self.superseded = reply.reason
        return False

    def _go_back(self, seq: int) -> bool:
        self._n_repeats += 1
        self._report.rewind(seq)
        return self._n_repeats <= MAX_REPEATS
