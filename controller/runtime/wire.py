"""Our own wire on the listener that W&B's client uses too: whose key it is, and what that is good for.

The two rooms may not know each other; here the one's caller becomes the other's permit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import assert_never

from aiohttp import web

from controller.api.connection import LIMITS
from controller.api.handlers import Handlers
from controller.api.permits import Permit, PermittedDoor
from controller.client.door import Client
from controller.domain.world import World
from controller.wandb_api.callers import Caller, Scope

GONE_S = 5.0
"""How long the held question of a caller that hung up may go on."""


class Wire:
    """Answers what is below `/v1/` for callers with a good key."""

    def __init__(self, door: Client, look: Callable[[], World]) -> None:
        self._door = door
        self._look = look
        self._handlers = Handlers(LIMITS)

    async def answer(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Return the response to one request of a caller."""
        door = PermittedDoor(self._door, permit_of(caller), self._look)
        try:
            async with asyncio.TaskGroup() as group:
                # The host was looked at with the key.
                answering = group.create_task(self._handlers.answer(request, door, hosts=None))
                while not (await asyncio.wait((answering,), timeout=GONE_S))[0]:
                    if request.transport is None or request.transport.is_closing():
                        answering.cancel()
        except ExceptionGroup as failed:  # of the one task: the reader is gone
            raise failed.exceptions[0] from None
        if answering.cancelled():
            raise ConnectionResetError("the caller hung up")
        return answering.result()

    def end_streams(self) -> None:
        """Let every reader of changes go."""
        self._handlers.end_streams()


def permit_of(caller: Caller) -> Permit:
    """Return what the holder of a key may do on our own wire."""
    match caller.scope:
        case Scope.ADMIN:
            return Permit(may_steer=True, may_look=True)
        case Scope.AGENT:
            return Permit(project=caller.subject)
        case Scope.VIEW:
            return Permit(may_look=True)
        case Scope.RUN:
            return Permit()  # programs report to the agent's files, or on W&B's wire
        case _:
            assert_never(caller.scope)
