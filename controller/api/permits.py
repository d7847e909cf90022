"""What one caller may do through the door, where callers are not all the same person.

On the Unix socket the kernel vouches for the caller, who may do everything. Over the network a key says who
calls, and most keys are good for little: the door itself is narrowed, so that no path and no message can be
forgotten.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from msgspec import Struct

from controller.client.door import Client, DeniedError
from controller.domain.commands import Command
from controller.domain.events import AgentEvent, AgentJoined, RunEnded, RunReported, RunStarted
from controller.domain.feed import FeedItem
from controller.domain.queries import Answer, Query
from controller.domain.replies import Reply
from controller.domain.world import Snapshot, World


class Permit(Struct, frozen=True, kw_only=True):
    """What a key is good for."""

    may_steer: bool = False
    """Every command and every agent's event."""
    may_look: bool = False
    """Snapshot, changes and queries."""
    project: str | None = None
    """Agents' events of this project's sweeps."""


class PermittedDoor:
    """A `Client` that does for one caller what the permit allows, and refuses the rest."""

    def __init__(self, door: Client, permit: Permit, look: Callable[[], World]) -> None:
        self._door = door
        self._permit = permit
        self._look = look

    async def snapshot(self) -> Snapshot:
        """Return all facts as of one batch.

        Raises:
            DeniedError: the key is not good for it.
        """
        self._needs(self._permit.may_look, "look at everything")
        return await self._door.snapshot()

    def changes(self, since: int) -> AsyncIterator[FeedItem]:
        """Yield committed batches after `since`.

        Raises:
            DeniedError: the key is not good for it.
        """
        self._needs(self._permit.may_look, "look at everything")
        return self._door.changes(since)

    async def send(self, message: Command | AgentEvent) -> Reply:
        """Deliver what the caller may say.

        Raises:
            DeniedError: the key is not good for it.
        """
        if not self._permit.may_steer:
            self._needs(isinstance(message, AgentEvent), "give commands")
            assert isinstance(message, AgentEvent)
            self._needs(self._permit.project is not None, "work for a sweep")
            project = project_of(message, self._look())
            # What is not known is for the controller itself to refuse: it says how to go on.
            self._needs(project in (None, self._permit.project), f"work for project {project}")
        return await self._door.send(message)

    async def ask(self, query: Query) -> Answer:
        """Return the answer to a query.

        Raises:
            DeniedError: the key is not good for it.
        """
        self._needs(self._permit.may_look, "ask about everything")
        return await self._door.ask(query)

    async def close(self) -> None:
        """Nothing to let go of: the door behind belongs to whoever opened it."""

    def _needs(self, allowed: bool, what: str) -> None:
        if not allowed:
            raise DeniedError(f"This key may not {what}.", "use the key of the sweep you work for")


def project_of(event: AgentEvent, world: World) -> str | None:
    """Return the project of the sweep that an event is about; None when nothing is known of it."""
    if isinstance(event, AgentJoined):
        sweep_id = event.sweep_id.rpartition("/")[2]
    elif isinstance(event, RunStarted | RunReported | RunEnded):
        # The token is the authority: reports are delivered in the name of agents that are gone.
        attempt = world.attempts.get(event.token)
        sweep_id = world.runs[attempt.run_id].sweep_id if attempt is not None else ""
    else:
        agent = world.agents.get(event.agent_id)
        sweep_id = agent.sweep_id if agent is not None else ""
    sweep = world.sweeps.get(sweep_id)
    return sweep.project if sweep is not None else None
