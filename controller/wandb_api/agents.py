"""wandb agents: who they are, what they are told, and what their silence means.

The agent never says goodbye and never tells how a run ended. It names its live runs at each heartbeat and
gets at most one command in return; the rest is concluded from what is missing. Its id says which sweep it
works for, so that an agent nobody knows any more is simply taken in again.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from controller.client.door import Client
from controller.domain.agents import AGENT_LIVE, Agent
from controller.domain.events import AgentBeat, AgentJoined, AgentLeft, RunAsked
from controller.domain.replies import AgentOrder, ExitOrder, Joined, Refused, RunOrder, Wish
from controller.domain.runs import Attempt
from controller.domain.states import ATTEMPT_OPEN, AttemptState, RunState
from controller.domain.sweeps import Sweep
from controller.wandb_api.faults import FaultError
from controller.wandb_api.mirror import Mirror
from controller.wandb_api.reports import AGENT_PREFIX, Reports, checked

log = logging.getLogger(__name__)

_AGENT_ID = re.compile(rf"{AGENT_PREFIX}([a-z0-9]{{8,16}})-[0-9a-f]{{8}}")

Command = dict[str, Any]


class Patience(Struct, frozen=True, kw_only=True):
    """How long silence may last."""

    repeated_s: float = 4.0
    """An idle heartbeat sooner than this after a run was handed out is a lost answer asked for again: the
    client beats every 5 s."""
    vanished_s: float = 8.0
    """How long a run that its agent no longer names may still end properly."""
    agent_s: float = 90.0
    """An agent is gone after so long: one heartbeat may take a minute when the controller was away."""
    stopped_s: float = 45.0
    """A run that was to stop is over when program and agent have been silent for so long."""
    watch_s: float = 10.0
    """How often that is looked at."""
    hold_s: float = 2.0
    """How long an idle agent's heartbeat may wait for a run."""


PATIENCE = Patience()


class Agents:
    """Plays the agents' part towards the controller."""

    def __init__(
        self,
        door: Client,
        mirror: Mirror,
        reports: Reports,
        clock: Callable[[], float],
        patience: Patience = PATIENCE,
    ) -> None:
        self._door = door
        self._mirror = mirror
        self._reports = reports
        self._clock = clock
        self._patience = patience
        self._locks: dict[str, asyncio.Lock] = {}
        self._heard_s: dict[str, float] = {}
        self._handed_s: dict[int, float] = {}
        """When each attempt's command was answered; forgotten by a restart."""
        self._missed_s: dict[int, float] = {}
        """When each attempt was first missing from its agent's live runs."""
        self._asks: dict[str, int] = {}

    async def join(self, sweep: Sweep, host: str) -> str:
        """Let a new agent in and return its id."""
        agent_id = f"{AGENT_PREFIX}{sweep.id}-{secrets.token_hex(4)}"
        await self._join(agent_id, sweep.id, host)
        return agent_id

    def sweep_of(self, agent_id: str) -> Sweep | None:
        """Return the sweep an agent's id speaks of; None when there is none."""
        known = self._mirror.world.agents.get(agent_id)
        if known is not None:
            return self._mirror.world.sweeps.get(known.sweep_id)
        match = _AGENT_ID.fullmatch(agent_id)
        return self._mirror.world.sweeps.get(match[1]) if match else None

    async def beat(self, agent_id: str, live: frozenset[str]) -> list[Command]:
        """Take a heartbeat and return at most one command."""
        async with self._locks.setdefault(agent_id, asyncio.Lock()):
            self._heard_s[agent_id] = self._clock()
            agent = await self._known(agent_id)
            commands = await (self._busy(agent, live) if live else self._idle(agent))
            self._heard_s[agent_id] = self._clock()
            return commands

    async def _known(self, agent_id: str) -> Agent:
        agent = self._mirror.world.agents.get(agent_id)
        if agent is None:
            sweep = self.sweep_of(agent_id)
            if sweep is None:
                raise FaultError(404, f"there is no agent {agent_id} here, and no sweep it could work for")
            await self._join(agent_id, sweep.id, "")
            agent = self._mirror.world.agents[agent_id]
        return agent

    async def _join(self, agent_id: str, sweep_id: str, host: str) -> None:
        joined = AgentJoined(agent_id=agent_id, sweep_id=sweep_id, host=host, pid=0)
        reply = checked(await self._door.send(joined))
        if not isinstance(reply, Joined):
            reason = reply.reason if isinstance(reply, Refused) else type(reply).__name__
            raise FaultError(400, reason)

    async def _busy(self, agent: Agent, live: frozenset[str]) -> list[Command]:
        """Something of this agent is alive: stop it if that is wanted."""
        world = self._mirror.world
        for run_id in sorted(live):
            run = world.runs.get(run_id)
            if run is not None and run.agent_id == agent.id:
                await self._reports.start(run, host=agent.host)
                if run.token is not None:
                    self._missed_s.pop(run.token, None)
        token = world.agents[agent.id].token
        order = checked(await self._door.send(AgentBeat(agent_id=agent.id, token=token)))
        if isinstance(order, AgentOrder) and order.wish is Wish.KILL_LEAVE:
            await self._dismiss(agent.id, "told to kill its run and leave")
            return [{"type": "exit"}]
        doomed = [run_id for run_id in sorted(live) if self._is_doomed(agent, run_id)]
        return [{"type": "stop", "run_id": doomed[0]}] if doomed else []

    def _is_doomed(self, agent: Agent, run_id: str) -> bool:
        """Say whether a live run must end: somebody asked, or it is no longer this agent's to run."""
        world = self._mirror.world
        run = world.runs.get(run_id)
        if run is None or run.agent_id != agent.id:
            return True
        attempt = None if run.token is None else world.attempts.get(run.token)
        if attempt is None or attempt.state is AttemptState.ABANDONED:
            return True
        return run.stop is not None or run.state is RunState.KILLED

    async def _idle(self, agent: Agent) -> list[Command]:
        """Nothing of this agent is alive: close what it had, then hand out the next run."""
        attempt = self._open_attempt(agent)
        ask = self._next_ask(agent.id)
        if attempt is not None:
            handed_s = self._handed_s.get(attempt.token)
            is_assigned = attempt.state is AttemptState.ASSIGNED
            if is_assigned and handed_s is not None and self._since(handed_s) < self._patience.repeated_s:
                ask = attempt.ask
            elif not await self._close_vanished(attempt):
                return []
        asked = RunAsked(agent_id=agent.id, ask=ask, wait_s=self._patience.hold_s)
        reply = checked(await self._door.send(asked))
        match reply:
            case RunOrder():
                self._asks[agent.id] = max(ask, self._asks.get(agent.id, 0))
                self._handed_s.setdefault(reply.token, self._clock())
                return [self._command(agent, reply)]
            case ExitOrder():
                await self._dismiss(agent.id, reply.reason)
                return [{"type": "exit"}]
            case Refused():
                log.warning("agent %s gets no run: %s", agent.id, reply.reason)
            case _:
                pass  # nothing to hand out now: the agent comes again
        return []

    def _command(self, agent: Agent, order: RunOrder) -> Command:
        sweep = self._mirror.world.sweeps[agent.sweep_id]
        return {
            "type": "resume" if order.resume else "run",
            "run_id": order.run_id,
            "program": sweep.config.program,
            "args": {key: {"value": value} for key, value in order.config.items()},
        }

    async def _close_vanished(self, attempt: Attempt) -> bool:
        """Close an attempt whose program is gone; False while it may still end properly."""
        run = self._mirror.world.runs[attempt.run_id]
        if attempt.state is AttemptState.ASSIGNED:
            if attempt.token not in self._handed_s:
                return True  # handed out before a restart, perhaps never received: it goes back to the queue
            # Started, and over before the next heartbeat without a word to us.
            await self._reports.start(run, host="")
            await self._reports.end(attempt, cause="ended within seconds and never reached wandb.init")
        else:
            missed_s = self._missed_s.setdefault(attempt.token, self._clock())
            if run.stop is None and self._since(missed_s) < self._patience.vanished_s:
                return False
            await self._reports.end(attempt, cause="ended without a word: killed by a signal?")
        self._handed_s.pop(attempt.token, None)
        self._missed_s.pop(attempt.token, None)
        return True

    async def _dismiss(self, agent_id: str, cause: str) -> None:
        """The agent was told to leave: it kills what runs at once and says nothing more."""
        attempt = self._open_attempt(self._mirror.world.agents[agent_id])
        if attempt is not None and attempt.state is AttemptState.RUNNING:
            await self._reports.end(attempt, cause=cause)
        checked(await self._door.send(AgentLeft(agent_id=agent_id, cause=cause)))

    def _open_attempt(self, agent: Agent) -> Attempt | None:
        token = self._mirror.world.agents[agent.id].token
        attempt = None if token is None else self._mirror.world.attempts.get(token)
        return attempt if attempt is not None and attempt.state in ATTEMPT_OPEN else None

    def _next_ask(self, agent_id: str) -> int:
        """Return a number this agent has not asked under: the answer to an old one would be an old run."""
        known = [ask for who, ask in self._mirror.world.asks if who == agent_id]
        return 1 + max([*known, self._asks.get(agent_id, 0)])

    def _since(self, at_s: float) -> float:
        return self._clock() - at_s

    async def watch(self) -> None:
        """Let agents go that are not heard of any more, until cancelled."""
        while True:
            await asyncio.sleep(self._patience.watch_s)
            try:
                await self.look()
            except Exception:
                log.exception("could not look after the agents")

    async def look(self) -> None:
        """Say goodbye for agents that fell silent; what they run keeps a lease of its own."""
        for agent in tuple(self._mirror.world.agents.values()):
            if not agent.id.startswith(AGENT_PREFIX) or agent.state not in AGENT_LIVE:
                continue
            heard_s = self._heard_s.setdefault(agent.id, self._clock())
            await self._end_stopped(agent)
            if self._since(heard_s) > self._patience.agent_s:
                cause = f"no heartbeat for {self._patience.agent_s:.0f} s"
                await self._door.send(AgentLeft(agent_id=agent.id, cause=cause))
                self._heard_s.pop(agent.id, None)
                self._locks.pop(agent.id, None)

    async def _end_stopped(self, agent: Agent) -> None:
        """A run that was to stop has fallen silent along with its agent: `--count` ends without a word."""
        attempt = self._open_attempt(agent)
        if attempt is None or self._mirror.world.runs[attempt.run_id].stop is None:
            return
        silent_s = min(self._reports.silent_s(attempt), self._since(self._heard_s[agent.id]))
        if silent_s > self._patience.stopped_s:
            await self._reports.end(attempt)
