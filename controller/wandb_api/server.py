"""The TCP listener of this room: W&B's wire with TLS, or plain HTTP on loopback when that was asked for.

::

    POST /graphql                                    queries and mutations
    POST /files/{entity}/{project}/{run}/file_stream what a program reports
    PUT  /uploads/{run}/{signature}/{name}           files; GET reads them again
    ANY  /v1/{name}                                  handed on: the house's own wire shares the listener

Everything else is 404, also the client's telemetry, which it then stops sending.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path

from aiohttp import web
from msgspec import Struct

from controller.client.door import Client
from controller.wandb_api.accepting import MAX_CONNECTIONS, Entrance
from controller.wandb_api.agents import PATIENCE, Agents, Patience
from controller.wandb_api.graphql import Executor, load_schema
from controller.wandb_api.guard import Guard
from controller.wandb_api.handlers import Beside, Handlers
from controller.wandb_api.keys import KeyFile, KeyRing
from controller.wandb_api.mirror import Mirror
from controller.wandb_api.reports import Reports
from controller.wandb_api.resolvers import Resolvers
from controller.wandb_api.sweeps import SizeOf
from controller.wandb_api.uploads import Uploads

CLOSE_S = 2.0
"""How long requests may go on when the server closes."""
IDLE_S = 75.0
"""How long a connection may be kept for its next request."""


class Place(Struct, frozen=True, kw_only=True):
    """Where to listen and where our files lie."""

    host: str
    """The name it is known by."""
    listening: socket.socket
    more: tuple[socket.socket, ...] = ()
    """Where it listens beside that."""
    names: tuple[str, ...] = ()
    """By what else it may be called."""
    keys: Path
    files: Path
    secret: str
    tls: ssl.SSLContext | None = None
    """None: plain HTTP."""
    n_connections: int = MAX_CONNECTIONS
    """How many may be open at once."""
    beside: Beside | None = None
    """Answers what is below `/v1/`, for callers with a good key."""


class Server:
    """A listening server; `close` ends it."""

    def __init__(
        self,
        runner: web.AppRunner,
        entrance: Entrance,
        url: str,
        mirror: Mirror,
        agents: Agents,
        tasks: tuple[asyncio.Task[None], ...],
    ) -> None:
        self._runner = runner
        self.entrance = entrance
        self.url = url
        """What `WANDB_BASE_URL` must say."""
        self.mirror = mirror
        self.agents = agents
        self._tasks = tasks

    async def close(self) -> None:
        """Accept nothing more and let requests finish for a moment."""
        for task in self._tasks:
            task.cancel()
        self.entrance.close()
        await self._runner.cleanup()


async def serve(
    door: Client,
    place: Place,
    tasks: asyncio.TaskGroup,
    *,
    size_of: SizeOf,
    patience: Patience = PATIENCE,
    clock: Callable[[], float] = time.monotonic,
) -> Server:
    """Serve a door until the returned server is closed."""
    mirror = Mirror(door)
    reports = Reports(door, mirror, clock)
    uploads = Uploads(place.files, place.secret)
    agents = Agents(door, mirror, reports, clock, patience)
    resolvers = Resolvers(door, mirror, agents=agents, reports=reports, uploads=uploads, size_of=size_of)
    guard = Guard(KeyRing(KeyFile(place.keys), place.secret), place.host, *place.names)
    executor = Executor(load_schema(), resolvers.root())
    handlers = Handlers(mirror, guard, executor, reports, uploads, place.beside)
    runner = web.AppRunner(
        handlers.app(),
        access_log=None,
        handler_cancellation=False,
        shutdown_timeout=CLOSE_S,
        keepalive_timeout=IDLE_S,
    )
    await runner.setup()
    assert runner.server is not None
    try:
        entrance = Entrance(runner.server, n_max=place.n_connections)
        handlers.welcome = entrance.welcome
        for listening in (place.listening, *place.more):
            await entrance.open(listening, place.tls)
    except BaseException:
        await runner.cleanup()
        raise
    port = place.listening.getsockname()[1]
    own = (tasks.create_task(mirror.follow()), tasks.create_task(agents.watch()))
    scheme = "http" if place.tls is None else "https"
    host = f"[{place.host}]" if ":" in place.host else place.host
    return Server(runner, entrance, f"{scheme}://{host}:{port}", mirror, agents, own)
