"""What follows when the host signals an agent: how long it may take, and why it has to go.

Why is asked of SLURM once for every signal that says something new, while the run ends.
"""

from __future__ import annotations

import asyncio

from controller.agent.departure import WARNING, Departure, Lookout
from controller.agent.identity import Identity
from controller.agent.journal import Journal
from controller.agent.options import AgentOptions
from controller.agent.post import Post
from controller.agent.steering import Steering

LAST_WORDS_S = 5.0
"""Before the end of the job: delivering is given up, and what is left stays in the run directory."""
ORDER_S = 900.0
"""How long an agent that heeded a warning waits for SLURM to take the node away: grace periods of sites are
shorter."""


class Leaving:
    """One agent's way out."""

    def __init__(
        self, identity: Identity, options: AgentOptions, post: Post, steering: Steering, journal: Journal
    ) -> None:
        self._options = options
        self._post = post
        self._steering = steering
        self._journal = journal
        self._lookout = None if identity.task is None else Lookout(identity.task)
        self._group: asyncio.TaskGroup | None = None
        self._look: asyncio.Task[Departure] | None = None
        self._signum = 0
        self._leave_at = float("inf")
        self._over_at: float | None = None

    def enter(self, group: asyncio.TaskGroup) -> None:
        """From now on there may be runs to lose: ask SLURM why, in this group."""
        self._group = group

    def notice(self) -> None:
        """Look whether the agent was signalled; to be called at every change."""
        signum = self._steering.signum
        if not self._steering.signalled or signum == self._signum:
            return
        loop = asyncio.get_running_loop()
        if self._leave_at == float("inf"):
            self._journal.say(f"{self._steering.signalled}: leaving")
        self._signum = signum
        self._leave_at = loop.time() + self._options.flush_s + self._options.grace_s
        loop.call_at(self._leave_at, self._post.poke)
        if self._lookout is not None and self._group is not None:
            self._look = self._group.create_task(self._find_out(self._lookout, signum))

    async def _find_out(self, lookout: Lookout, signum: int) -> Departure:
        found = await lookout.look(signum)
        loop = asyncio.get_running_loop()
        self._over_at = None if found.ends_in_s is None else loop.time() + found.ends_in_s
        if self._over_at is not None:
            self._leave_at = max(self._leave_at, self._over_at - LAST_WORDS_S)
            loop.call_at(self._leave_at, self._post.poke)
        return found

    def gives_up(self) -> bool:
        """Say whether delivering has taken too long."""
        return asyncio.get_running_loop().time() >= self._leave_at

    def over_at(self) -> float | None:
        """Return the loop's time at which the job ends, once a warning told."""
        return self._over_at

    async def departure(self) -> Departure | None:
        """Return what the agent was signalled for; None outside of SLURM or when it was not."""
        return None if self._look is None else await self._look

    async def time_left_s(self) -> float | None:
        """Return how long the agent's job has; None if it has no end or nobody knows."""
        return None if self._lookout is None else await self._lookout.time_left_s()

    async def await_order(self) -> None:
        """After a warning of preemption, stay until SLURM takes the node: who exits is not requeued."""
        found = await self.departure()
        if self._signum != WARNING or found is None or not found.comes_back:
            return
        self._journal.say("waiting for SLURM to requeue the task")
        ordered = asyncio.Event()
        self._steering.watch(ordered.set)
        try:
            async with asyncio.timeout(ORDER_S):
                await ordered.wait()
        except TimeoutError:
            return
        finally:
            self._steering.unwatch(ordered.set)
