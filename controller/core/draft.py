"""A decision in the making.

A handler first looks and may refuse; only then does it `add` changes. Each change is followed by
the World at once, so that the rest of the handler sees what is already true. Once something was
added nothing may be refused any more: a refused event changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from controller.domain.agents import AGENT_LIVE
from controller.domain.changes import AttemptAdded, Change, NoteAdded, Record
from controller.domain.effects import Effect
from controller.domain.replies import Reply
from controller.domain.runs import Attempt
from controller.domain.timing import Timing
from controller.domain.world import World


class Moment(Struct, frozen=True, kw_only=True):
    """Time, dice and ids: everything a decision takes from outside besides its event."""

    at: float
    """Wall clock, Unix seconds; for display and storage, never for a verdict."""
    mono_s: float
    """Monotonic clock; leases are measured with it."""
    new_id: Callable[[], str]
    """Gives eight lower-case letters or digits, never twice the same."""
    timing: Timing


class Decision(Struct, frozen=True, kw_only=True):
    """What follows from one event."""

    changes: tuple[Change, ...]
    records: tuple[Record, ...]
    effects: tuple[Effect, ...]
    reply: Reply | None
    gone: tuple[Attempt, ...] = ()
    """Attempts as they left the World, because their run was handed out again."""


class Draft:
    """The World during one decision, and what the decision says so far."""

    def __init__(self, world: World, moment: Moment) -> None:
        self.world = world
        self.moment = moment
        self.changes: list[Change] = []
        self.records: list[Record] = []
        self.effects: list[Effect] = []
        self.gone: list[Attempt] = []
        self.touched: dict[str, None] = {}
        """Sweeps to be settled at the end of the decision."""

    @property
    def at(self) -> float:
        """Wall clock of this decision."""
        return self.moment.at

    def add(self, *changes: Change) -> None:
        """Say what became true."""
        for change in changes:
            if isinstance(change, AttemptAdded):
                self._say_goodbye(change.attempt.run_id)
            self.world.follow(change)
            self.changes.append(change)

    def _say_goodbye(self, run_id: str) -> None:
        earlier = self.world.runs[run_id].token
        if earlier is not None and earlier in self.world.attempts:
            self.gone.append(self.world.attempts[earlier])

    def keep(self, record: Record) -> None:
        """Send data to the store along with the changes."""
        self.records.append(record)

    def perform(self, effect: Effect) -> None:
        """Have the engine do something once the decision is durable."""
        self.effects.append(effect)

    def settle_later(self, sweep_id: str) -> None:
        """Look at the end whether this sweep is finished or wants suggestions."""
        self.touched.setdefault(sweep_id)

    def note(self, text: str, *, actor: str = "controller", sweep_id: str = "", run_id: str = "") -> None:
        """Write a line of the log of events."""
        self.add(NoteAdded(at=self.at, actor=actor, text=text, sweep_id=sweep_id, run_id=run_id))

    def heard_agent(self, agent_id: str) -> None:
        """An agent gave a sign of life: its lease is full again.

        Words in the name of one that is gone (its spool is replayed by another) are no sign of its life.
        """
        agent = self.world.agents.get(agent_id)
        if agent is not None and agent.state in AGENT_LIVE:
            self.world.heard_s[agent_id] = self.moment.mono_s

    def heard_attempt(self, token: int) -> None:
        """An attempt gave a sign of life."""
        self.world.token_heard_s[token] = self.moment.mono_s

    def decision(self, reply: Reply | None) -> Decision:
        """Close the draft."""
        return Decision(
            changes=tuple(self.changes),
            records=tuple(self.records),
            effects=tuple(self.effects),
            reply=reply,
            gone=tuple(self.gone),
        )
