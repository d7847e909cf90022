"""Accepting connections: not too many, and none for long that shows no key.

Everybody on the machine can connect. Who shows no good key soon is cut off, and when there are too many the
oldest of those has to go, so that strangers can neither use up our file handles nor keep our agents out.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl

from aiohttp.web_protocol import RequestHandler
from aiohttp.web_server import Server

log = logging.getLogger(__name__)

FIRST_S = 15.0
"""From the connection to its first request with a good key."""
MAX_CONNECTIONS = 600
"""Each client process keeps one or two; the usual limit of file handles is 1024."""


class Entrance:
    """Makes the protocols of new connections."""

    def __init__(self, server: Server, first_s: float = FIRST_S, n_max: int = MAX_CONNECTIONS) -> None:
        self._server = server
        self.first_s = first_s
        self.n_max = n_max
        self._strangers: dict[RequestHandler, None] = {}
        """Connections that have shown no key yet, the oldest first."""
        self._accepting: list[asyncio.Server] = []

    async def open(self, listening: socket.socket, tls: ssl.SSLContext | None) -> None:
        """Accept from now on at one more socket."""
        accepting = await asyncio.get_running_loop().create_server(
            self._protocol,
            sock=listening,
            ssl=tls,
            ssl_handshake_timeout=None if tls is None else self.first_s,
            backlog=1024,
        )
        self._accepting.append(accepting)

    def close(self) -> None:
        """Accept nothing more."""
        for accepting in self._accepting:
            accepting.close()

    def welcome(self, handler: RequestHandler) -> None:
        """Note that a connection showed a good key."""
        self._strangers.pop(handler, None)

    def _protocol(self) -> asyncio.Protocol:
        if len(self._server.connections) >= self.n_max and not self._make_room():
            log.debug("a connection was refused: %d are open", self.n_max)
            return _Refusal()
        handler = self._server()
        self._strangers[handler] = None
        asyncio.get_running_loop().call_later(self.first_s, self._look, handler)
        return handler

    def _look(self, handler: RequestHandler) -> None:
        if handler in self._strangers:
            self._cut(handler)

    def _cut(self, handler: RequestHandler) -> None:
        del self._strangers[handler]
        if handler.transport is not None:
            handler.transport.abort()

    def _make_room(self) -> bool:
        """Cut off the oldest stranger that is still there."""
        for handler in tuple(self._strangers):
            is_there = handler.transport is not None
            self._cut(handler)
            if is_there:
                return True
        return False


class _Refusal(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()
