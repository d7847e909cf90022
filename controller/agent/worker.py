"""The agent's life: join, ask, execute, until nothing more is to be had.

One beat is always held by the controller, so that an order arrives as soon as it is given. Leaves with 0
when the sweep can give nothing more or somebody asked it to, 1 when it is refused later, 75 when no
controller answers at start, 78 when the controller refuses it from the start: no such sweep, or no right.
"""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

from msgspec import structs

from controller.agent.departure import Clock
from controller.agent.execution import Execution
from controller.agent.identity import joining, new_identity
from controller.agent.journal import Journal
from controller.agent.leaving import Leaving
from controller.agent.memory import MemoryWatch
from controller.agent.options import AgentOptions
from controller.agent.place import sweep_place
from controller.agent.post import Post, Sender
from controller.agent.program import Ending
from controller.agent.recovery import recover
from controller.agent.steering import Steering
from controller.agent.workplace import Workplace
from controller.client.door import DeniedError
from controller.domain.events import AgentBeat, AgentLeft, RunAsked
from controller.domain.replies import (
    AgentOrder,
    ExitOrder,
    Joined,
    Refused,
    RunOrder,
    WaitOrder,
    Wish,
)

DONE, FAILED, UNREACHABLE, MISTAKEN = 0, 1, 75, 78
"""Exit codes."""
HELD_S = 1.0
"""An answer that took longer was held by the controller: ask again at once."""
BEAT_AFTER_S = 0.1
"""A run older than this has a beat of its own held, so that a stop reaches it."""
RECOVER_S = 5.0
"""How long a requeued task tells what its instance before left behind, before it asks for its run."""
CURIOUS_S = (3.0, 15.0)
"""When an agent asks SLURM how long it has, only to show it: not all tasks of an array at once."""
FAREWELL_S = 2.0
"""How long the last word may take: nothing depends on it."""


async def work(
    client: Sender,
    options: AgentOptions,
    steering: Steering | None = None,
    journal: Journal | None = None,
) -> int:
    """Be an agent of a sweep until it is done; return the exit code.

    `steering` is where the caller reports the signals it gets.
    """
    return await Worker(client, options, steering or Steering(), journal or Journal()).live()


class Worker:
    """One agent process."""

    def __init__(self, client: Sender, options: AgentOptions, steering: Steering, journal: Journal) -> None:
        self._options = options
        self._steering = steering
        self._journal = journal
        self._identity = new_identity()
        self._post = Post(client, journal, options.retry_s)
        self._token: int | None = None
        self._leaving = Leaving(self._identity, options, self._post, steering, journal)
        self._clock = Clock()
        self._beat: asyncio.Timeout | None = None

    async def live(self) -> int:
        """Return the exit code."""
        self._steering.watch(self._on_change)
        try:
            joined = await self._join()
            if isinstance(joined, int):
                return joined
            return await self._serve(joined)
        finally:
            self._steering.unwatch(self._on_change)

    async def _join(self) -> Joined | int:
        """Return the welcome, or the exit code."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._options.connect_s
        timer = loop.call_at(until, self._post.poke)
        event = joining(self._identity, self._options)

        def over() -> bool:
            denied = isinstance(self._post.error, DeniedError)
            return denied or loop.time() >= until or bool(self._steering.signalled)

        reply = await self._post.send(event, over)
        timer.cancel()
        if isinstance(reply, Joined):
            # Sweeps that W&B's client registered say nothing of a directory: then it is here, as with W&B.
            return reply if reply.directory else structs.replace(reply, directory=str(Path.cwd()))
        if isinstance(reply, Refused):
            self._journal.say(f"{reply.reason}{'; ' + reply.hint if reply.hint else ''}")
            return MISTAKEN
        if self._steering.signalled:
            return DONE
        error = self._post.error
        hint = f"; {error.hint}" if error and error.hint else ""
        self._journal.say(f"no controller: {error or 'its answer makes no sense'}{hint}")
        return MISTAKEN if isinstance(error, DeniedError) or reply is not None else UNREACHABLE

    async def _serve(self, joined: Joined) -> int:
        root = self._options.directory or Path(joined.directory)
        directory = sweep_place(root, joined.sweep_id)
        if not directory.is_relative_to((root / "sweeps").resolve()):
            self._journal.say(f"{root} is not writable here: run directories go to {directory}")
        workplace = Workplace(
            identity=self._identity,
            joined=joined,
            options=self._options,
            post=self._post,
            steering=self._steering,
            journal=self._journal,
            memory=MemoryWatch(),
            directory=directory,
            give_up=self._leaving.gives_up,
            over_at=self._leaving.over_at,
            departure=self._leaving.departure,
        )
        async with asyncio.TaskGroup() as group:
            self._leaving.enter(group)
            beats = group.create_task(self._keep_beating())
            others = group.create_task(recover(directory, self._identity, self._post, self._journal))
            timing = group.create_task(self._find_time_left(joined))
            await self._prepare(joined, others, timing)
            code, cause = await self._take_runs(workplace)
            for task in (beats, others, timing):
                task.cancel()
            await self._farewell(cause)
            await self._leaving.await_order()
        return code

    async def _prepare(self, joined: Joined, others: asyncio.Task[None], timing: asyncio.Task[None]) -> None:
        """Know what the first ask needs."""
        task = self._identity.task
        if task is None:
            return
        self._journal.say(
            f"SLURM task {task.name}, restart {task.restart}; to cancel it: scancel {task.name}"
        )
        if joined.time_matters:
            await asyncio.wait((timing,))
        if task.restart:
            # What the instance before could not tell, before its run goes on.
            await asyncio.wait((others,), timeout=RECOVER_S)

    async def _find_time_left(self, joined: Joined) -> None:
        if not joined.time_matters and self._clock.left_s() is None:
            await asyncio.sleep(random.uniform(*CURIOUS_S))
        self._clock.set(await self._leaving.time_left_s())

    async def _take_runs(self, workplace: Workplace) -> tuple[int, str]:
        """Execute runs until there is a reason to leave; return the exit code and the reason."""
        ask, n_runs = 1, 0
        while True:
            if self._options.count is not None and n_runs >= self._options.count:
                return DONE, f"took {n_runs} runs"
            if (cause := self._cause_to_leave()) is not None:
                return (FAILED if self._steering.refused else DONE), cause
            order = await self._next_run(ask)
            if isinstance(order, ExitOrder):
                return DONE, order.reason
            if order is None:
                continue
            ask += 1
            self._token = order.token
            # The held beat names no attempt or an old one; short runs end before it is worth a new one.
            renewal = asyncio.get_running_loop().call_later(BEAT_AFTER_S, self._renew_beat)
            ending: Ending | None = await Execution(workplace, order).run()
            renewal.cancel()
            self._token = None
            n_runs += ending is not None
            if self._steering.order.wish in (Wish.STOP, Wish.KILL):
                self._steering.take(AgentOrder(heartbeat_s=self._steering.order.heartbeat_s))
                self._renew_beat()

    async def _next_run(self, ask: int) -> RunOrder | ExitOrder | None:
        """Ask until there is a run; None if the agent should look whether to leave."""
        waiting = ""
        while not self._steering.leaving:
            asked_at = time.monotonic()
            event = RunAsked(
                agent_id=self._identity.agent_id,
                ask=ask,
                wait_s=self._options.wait_s,
                time_left_s=self._clock.left_s(),
            )
            reply = await self._post.send(event, lambda: self._steering.leaving)
            match reply:
                case RunOrder() | ExitOrder():
                    return reply
                case WaitOrder():
                    if reply.reason != waiting:
                        waiting = reply.reason
                        self._journal.say(f"waiting{': ' + waiting if waiting else ''}")
                    if time.monotonic() - asked_at < HELD_S:
                        await self._pause(reply.retry_s)
                case Refused():
                    await self._rejoin(reply)
                case _:
                    await self._pause(HELD_S)
        return None

    async def _rejoin(self, refusal: Refused) -> None:
        """A controller that does not know this agent may have lost it; one that refuses again means it."""
        welcome = await self._join() if refusal.code == "unknown" else None
        if not isinstance(welcome, Joined):
            self._journal.say(f"the controller refuses: {refusal.reason}")
            self._steering.refuse(refusal.reason)

    async def _keep_beating(self) -> None:
        while True:
            known, sent_at = self._steering.order, time.monotonic()
            event = AgentBeat(
                agent_id=self._identity.agent_id,
                token=self._token,
                wait_s=self._options.wait_s,
                order=known.wish,
                time_left_s=self._clock.left_s(),
            )
            self._beat = asyncio.timeout(None)
            try:
                async with self._beat:
                    reply = await self._post.send(event)
                    if isinstance(reply, AgentOrder):
                        self._steering.take(reply)
                    elif isinstance(reply, Refused) and reply.code == "gone":
                        self._steering.refuse(reply.reason)
                    if time.monotonic() - sent_at < HELD_S and self._steering.order == known:
                        await asyncio.sleep(known.heartbeat_s * random.uniform(0.8, 1.2))
            except TimeoutError:
                continue

    def _renew_beat(self) -> None:
        """The order that the held beat knows is done with; tell the controller so."""
        if self._beat is not None and not self._beat.expired():
            self._beat.reschedule(asyncio.get_running_loop().time())

    async def _pause(self, longest_s: float) -> None:
        changed = asyncio.Event()
        self._steering.watch(changed.set)
        try:
            async with asyncio.timeout(longest_s):
                await changed.wait()
        except TimeoutError:
            return
        finally:
            self._steering.unwatch(changed.set)

    def _on_change(self) -> None:
        self._leaving.notice()
        self._post.poke()

    def _cause_to_leave(self) -> str | None:
        steering = self._steering
        return (steering.signalled or steering.refused or "told to leave") if steering.leaving else None

    async def _farewell(self, cause: str) -> None:
        self._journal.say(f"leaving{': ' + cause if cause else ''}")
        loop = asyncio.get_running_loop()
        over_at = loop.time() + min(FAREWELL_S, self._options.flush_s)
        timer = loop.call_at(over_at, self._post.poke)
        event = AgentLeft(agent_id=self._identity.agent_id, cause=cause)
        await self._post.send(event, lambda: loop.time() >= over_at)
        timer.cancel()
