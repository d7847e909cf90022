"""Watches one program until it and everything that it started are gone.

::

    running -> (demand: signal, grace, SIGKILL) -> exited -> leftovers: SIGTERM, patience, SIGKILL -> gone
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from dataclasses import replace

from controller.agent.courier import Courier
from controller.agent.departure import WARNING
from controller.agent.post import boot_time
from controller.agent.program import Ending, Program
from controller.agent.steering import Demand
from controller.agent.tree import Process, ProcessTree
from controller.agent.workplace import Workplace
from controller.domain.states import AttemptState

LOOK_S = 0.25
"""How often a running attempt looks for adopted zombies and for its fence."""
KILL_LOOK_S = 0.02
"""How often while everything is being killed."""
BRIEF_S = 1.0
"""A run that ended well within this time has not used up any memory worth a look."""
SLURM_GRACE_S = 20.0
"""Grace inside SLURM, which kills everything 30 s after its own SIGTERM: the rest is for the report."""
LAST_CALL_S = 10.0
"""So long before the end those get SIGTERM that took a warning and went on."""


class Supervisor:
    """One program's end, whoever wants it."""

    def __init__(self, work: Workplace, token: int) -> None:
        self._work = work
        self._token = token
        self._tree = ProcessTree()
        self._began = asyncio.get_running_loop().time()
        self._superseded = False
        self.wake = asyncio.Event()
        """Set whenever there may be something to do."""
        self.demand: Demand | None = None
        """Why the program had to end, if somebody wanted it to."""
        self._kill_at = float("inf")
        self._last_call_at = float("inf")

    def members(self) -> list[Process]:
        """Return the run's living processes."""
        return self._tree.members()

    def superseded(self) -> None:
        """The controller says that another attempt took over."""
        self._superseded = True
        self.wake.set()

    async def watch(self, program: Program, courier: Courier) -> Ending:
        """Wait for the end, obeying demands; then end what the program left behind."""
        killed, loop = False, asyncio.get_running_loop()
        while program.ending is None:
            self.wake.clear()
            wanted = self._wanted()
            if wanted is not None:
                self._obey(wanted, courier)
            if self.demand and not killed and ((wanted and wanted.kill) or loop.time() >= self._kill_at):
                killed = True
                courier.obeyed()
            if killed:
                self._tree.signal(signal.SIGKILL)
            elif loop.time() >= self._last_call_at:
                self._last_call_at = float("inf")
                self._tree.signal(signal.SIGTERM)
            next_s = min(self._kill_at, self._last_call_at) - loop.time()
            await self._nap(KILL_LOOK_S if killed else min(LOOK_S, max(0.0, next_s)))
            self._tree.reap(keep=program.pid)
        await self.clear_away(None if self.demand else self._work.options.leftover_s)
        return self._explained(program.ending)

    def _explained(self, ending: Ending) -> Ending:
        failed = ending.state is AttemptState.FAILED
        if not failed and asyncio.get_running_loop().time() - self._began < BRIEF_S:
            return ending
        cause = self._work.memory.explain(ending.cause, ending.signal)
        return replace(ending, cause=cause) if failed else ending

    def _obey(self, wanted: Demand, courier: Courier) -> None:
        """Begin to end the program, or make haste because a warning became an order."""
        now, before = asyncio.get_running_loop().time(), self.demand
        if before is not None and before.signum == wanted.signum:
            if wanted.signum == WARNING:
                self._use_time_left()
            return
        in_slurm = self._work.identity.task is not None and wanted.by_host
        grace_s = min(self._work.options.grace_s, SLURM_GRACE_S) if in_slurm else self._work.options.grace_s
        self.demand = wanted if before is None else replace(before, signum=wanted.signum)
        self._kill_at, self._last_call_at = now + grace_s, float("inf")
        if in_slurm:
            courier.preempted()
        if wanted.kill:
            return
        if wanted.signum == WARNING:
            self._last_call_at = now + grace_s / 2
            self._tree.forward(WARNING)
        else:
            self._tree.signal(wanted.signum)
        courier.obeyed()

    def _use_time_left(self) -> None:
        """A warning came early: a program that heeds it may use what is left of the job's time."""
        over_at = self._work.over_at()
        if over_at is not None and over_at - LAST_CALL_S > self._kill_at:
            self._kill_at, self._last_call_at = over_at - LAST_CALL_S, over_at - 2 * LAST_CALL_S

    def _wanted(self) -> Demand | None:
        work = self._work
        if (demand := work.steering.demand(self._token)) is not None:
            return demand
        if self._superseded:
            return Demand(False, AttemptState.KILLED, "superseded by a newer attempt")
        if work.joined.on_lost == "fence":
            margin = work.options.grace_s + work.options.fence_margin_s
            limit = max(work.joined.lease_s - margin, work.joined.lease_s / 4)
            if boot_time() - work.post.heard_at > limit:
                cause = f"no word from the controller for {limit:.0f} s (fence)"
                return Demand(False, AttemptState.CRASHED, cause)
        return None

    async def clear_away(self, patience_s: float | None = 0.0) -> None:
        """End every remaining descendant: SIGTERM, patience, SIGKILL; wait until none is left.

        Without patience of its own it keeps to the grace of the demand.
        """
        loop = asyncio.get_running_loop()
        self._tree.reap()
        if not self._tree.members():
            return
        if patience_s is not None:
            self._kill_at = loop.time() + patience_s
            self._tree.signal(signal.SIGTERM)
        while self._tree.members():
            wanted = self._work.steering.demand(self._token)
            if loop.time() >= self._kill_at or (wanted and wanted.kill):
                self._tree.signal(signal.SIGKILL)
            elif loop.time() >= self._last_call_at:
                self._last_call_at = float("inf")
                self._tree.signal(signal.SIGTERM)
            await asyncio.sleep(KILL_LOOK_S)
            self._tree.reap()

    async def _nap(self, longest_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await self.wake.wait()
