"""Answers held back until there is something to say.

An agent that asks for a run while there is none, or beats while nothing is wanted of it, may let the
controller hold the answer. Held answers cost nothing until a change concerns them; so a verb reaches
every agent within one turn of the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from controller.core.beats import order_for
from controller.domain.changes import (
    AgentSet,
    AttemptAdded,
    AttemptStateSet,
    Change,
    RunStateSet,
    SearchAdvanced,
    StopAskSet,
    SweepConfigSet,
    SweepStateSet,
    TargetReachedSet,
)
from controller.domain.events import AgentBeat, RunAsked
from controller.domain.replies import AgentOrder, Reply, WaitOrder
from controller.domain.timing import Timing
from controller.domain.world import World

_CONCERNS = (
    AgentSet,
    AttemptAdded,
    AttemptStateSet,
    RunStateSet,
    SearchAdvanced,
    StopAskSet,
    SweepConfigSet,
    SweepStateSet,
    TargetReachedSet,
)


def may_hold(message: RunAsked | AgentBeat, reply: Reply) -> bool:
    """Say whether an answer tells nothing that could not wait."""
    if isinstance(message, RunAsked):
        return isinstance(reply, WaitOrder)
    return isinstance(reply, AgentOrder) and reply.wish == message.order


class Held:
    """One held answer."""

    __slots__ = ("deadline_s", "future", "message", "reply", "sweep_id")

    def __init__(
        self,
        message: RunAsked | AgentBeat,
        future: asyncio.Future[Reply],
        reply: Reply,
        sweep_id: str,
        deadline_s: float,
    ) -> None:
        self.message = message
        self.future = future
        self.reply = reply
        """What is answered when nothing happens until the deadline."""
        self.sweep_id = sweep_id
        self.deadline_s = deadline_s


class Parking:
    """All held answers of one engine."""

    def __init__(self) -> None:
        self._asks: dict[str, list[Held]] = {}
        self._beats: dict[str, list[Held]] = {}

    @property
    def n_held(self) -> int:
        """How many answers are held."""
        return sum(map(len, self._asks.values())) + sum(map(len, self._beats.values()))

    def hold(self, held: Held) -> None:
        """Keep an answer back."""
        lot = self._asks if isinstance(held.message, RunAsked) else self._beats
        lot.setdefault(held.sweep_id, []).append(held)

    def wake(self, world: World, changes: Iterable[Change], timing: Timing) -> list[Held]:
        """Answer the beats whose wish has changed; return the asks to be decided again."""
        sweep_ids = _concerned(world, changes)
        again: list[Held] = []
        for sweep_id in sweep_ids:
            again += [held for held in self._asks.pop(sweep_id, ()) if not held.future.done()]
            still: list[Held] = []
            for held in self._beats.pop(sweep_id, ()):
                if not held.future.done() and not _tell(world, held, timing):
                    still.append(held)
            if still:
                self._beats[sweep_id] = still
        return again

    def expire(self, now_s: float) -> None:
        """Give the ordinary answer to everybody whose patience is over."""
        for lot in (self._asks, self._beats):
            for sweep_id, waiting in tuple(lot.items()):
                still = []
                for held in waiting:
                    if held.future.done():
                        continue
                    if held.deadline_s <= now_s:
                        held.future.set_result(held.reply)
                    else:
                        still.append(held)
                if still:
                    lot[sweep_id] = still
                else:
                    del lot[sweep_id]

    def release(self) -> None:
        """Give everybody the ordinary answer now."""
        self.expire(float("inf"))


def _tell(world: World, held: Held, timing: Timing) -> bool:
    message = held.message
    if not isinstance(message, AgentBeat):
        return False
    agent = world.agents.get(message.agent_id)
    if agent is None:
        return False
    order = order_for(world, agent, message.token, timing)
    if order.wish == message.order:
        return False
    held.future.set_result(order)
    return True


def _concerned(world: World, changes: Iterable[Change]) -> set[str]:
    """Return the sweeps about which something was said that an agent may wait for."""
    sweep_ids: set[str] = set()
    for change in changes:
        if not isinstance(change, _CONCERNS):
            continue
        match change:
            case AgentSet(agent=agent):
                sweep_ids.add(agent.sweep_id)
            case AttemptAdded(attempt=attempt):
                sweep_ids.add(attempt.sweep_id)
            case AttemptStateSet(token=token):
                if (found := world.attempts.get(token)) is not None:
                    sweep_ids.add(found.sweep_id)
            case RunStateSet(run_id=run_id) | StopAskSet(run_id=run_id):
                sweep_ids.add(world.runs[run_id].sweep_id)
            case _:
                sweep_ids.add(change.sweep_id)
    return sweep_ids
