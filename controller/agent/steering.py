"""What others want of an agent now: the controller by its orders, the host by signals."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from controller.agent.departure import WARNING
from controller.domain.replies import AgentOrder, Wish
from controller.domain.states import AttemptState

REPEATED_S = 2.0
"""The same signal again within this time is SLURM's way of saying it once: `srun` passes it on as well."""

_LEAVE = frozenset({Wish.LEAVE, Wish.STOP_LEAVE, Wish.KILL_LEAVE})
_STOP = frozenset({Wish.STOP, Wish.STOP_LEAVE})
_KILL = frozenset({Wish.KILL, Wish.KILL_LEAVE})


@dataclass(frozen=True, slots=True)
class Demand:
    """Why a run must end, and how soon."""

    kill: bool
    """SIGKILL at once; otherwise a signal and a grace."""
    state: AttemptState
    cause: str
    signum: int = signal.SIGTERM
    """What the run's processes get."""
    by_host: bool = False
    """The host signalled the agent itself; inside SLURM there is more to be known of why."""


class Steering:
    """The sum of all wishes; whoever watches is called when it changes.

    `in_slurm`: SLURM may signal the same thing twice, and warn before it ends a job.
    """

    def __init__(self, *, in_slurm: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._in_slurm = in_slurm
        self._clock = clock
        self._signalled_s = 0.0
        self.signum = 0
        """The latest signal that said something new; 0 while there was none."""
        self.order = AgentOrder()
        self.signalled = ""
        """What the agent itself was signalled, as a cause; empty while nothing was."""
        self._hard = False
        self._orphaned = False
        self.interrupted = False
        """Whether somebody at the terminal pressed Ctrl-C."""
        self.refused = ""
        """Why the controller wants nothing of this agent any more."""
        self._watchers: list[Callable[[], None]] = []

    def watch(self, callback: Callable[[], None]) -> None:
        """Have `callback` called on every change."""
        self._watchers.append(callback)

    def unwatch(self, callback: Callable[[], None]) -> None:
        """Stop calling it."""
        self._watchers.remove(callback)

    def take(self, order: AgentOrder) -> None:
        """Follow the controller."""
        if order != self.order:
            self.order = order
            self._changed()

    def signal(self, signum: int) -> None:
        """Follow the host: the first signal asks to leave, the second to leave at once.

        Inside SLURM a warning comes before the signal that counts as the first.
        """
        now_s = self._clock()
        if self._in_slurm and self.signalled:
            again = signum == self.signum != signal.SIGINT and now_s - self._signalled_s < REPEATED_S
            if again or signum == WARNING:
                return
        warned = self._in_slurm and self.signum == WARNING
        self._hard = self._hard or (bool(self.signalled) and not warned)
        self.signum, self._signalled_s = signum, now_s
        self.interrupted = self.interrupted or signum == signal.SIGINT
        self.signalled = self.signalled or f"agent got {signal.Signals(signum).name}"
        self._changed()

    def orphaned(self) -> None:
        """The agent's own guard was killed: end everything. Nobody asked for that, so the run crashed."""
        self.signalled, self._hard, self._orphaned = "agent was killed", True, True
        self._changed()

    def refuse(self, reason: str) -> None:
        """The sweep is no more: leave after the run."""
        self.refused = reason
        self._changed()

    @property
    def leaving(self) -> bool:
        """Whether the agent takes no further run."""
        return self.order.wish in _LEAVE or bool(self.signalled) or bool(self.refused)

    def demand(self, token: int) -> Demand | None:
        """Return how the attempt with this token must end, if it must."""
        about = self.order.token in (None, token)
        killed = AttemptState.KILLED
        if self._orphaned:
            return Demand(True, AttemptState.CRASHED, self.signalled)
        if self._hard:
            return Demand(True, killed, self.signalled, by_host=True)
        if about and self.order.wish in _KILL:
            return Demand(True, killed, "killed")
        if about and self.order.wish in _STOP:
            return Demand(False, killed, "stopped")
        if self.signalled:
            signum = WARNING if self.signum == WARNING and self._in_slurm else signal.SIGTERM
            return Demand(False, killed, self.signalled, signum, by_host=True)
        return None

    def _changed(self) -> None:
        for callback in tuple(self._watchers):
            callback()
