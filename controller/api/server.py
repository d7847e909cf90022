"""The wire: HTTP with JSON over a Unix socket, for anything that is a `Client`.

It carries and it guards; it knows neither core nor store nor engine. aiohttp's low-level server is
used without its application: six fixed paths need no router, and a request costs half as much.

::

    POST /v1/send      Command | AgentEvent  → Reply
    POST /v1/ask       Query                 → Answer
    GET  /v1/snapshot                        → Snapshot, in parts, one a line
    GET  /v1/changes?since=SEQ               → Batch | Resync, one a line, until somebody hangs up
"""

from __future__ import annotations

import asyncio
import os
import socket as sockets
from collections.abc import Callable
from pathlib import Path

from controller.api.connection import LIMITS, Limits, Listener
from controller.api.handlers import Handlers
from controller.api.listener import identity, listen, peer_uid
from controller.client.door import Client


class Server:
    """A listening API; `close` ends it."""

    def __init__(
        self, socket: Path, listener: Listener, accepting: asyncio.Server, handlers: Handlers, close_s: float
    ) -> None:
        self.socket = socket
        self._listener = listener
        self._accepting = accepting
        self._handlers = handlers
        self._close_s = close_s
        self._identity = identity(socket)

    @property
    def n_connections(self) -> int:
        """Connections that are open now."""
        return len(self._listener.connections)

    async def close(self) -> None:
        """Accept nothing more, end the streams, let requests finish for a moment, remove the socket."""
        self._accepting.close()
        if identity(self.socket) == self._identity:
            self.socket.unlink(missing_ok=True)
        self._handlers.end_streams()
        self._listener.pre_shutdown()
        await self._listener.shutdown(self._close_s / 2)


async def serve(
    door: Client,
    socket: Path,
    *,
    limits: Limits = LIMITS,
    peer_uid: Callable[[sockets.socket], int] = peer_uid,
) -> Server:
    """Serve a door on a Unix socket until the returned server is closed.

    Raises:
        ListenError: the socket or its directory cannot be used.
    """
    handlers = Handlers(limits)
    listener = Listener(lambda request: handlers.answer(request, door), limits, peer_uid, os.getuid())
    listening = listen(socket)
    try:
        accepting = await asyncio.get_running_loop().create_unix_server(
            listener, sock=listening, backlog=1024
        )
    except BaseException:
        listening.close()
        raise
    return Server(socket, listener, accepting, handlers, limits.close_s)
