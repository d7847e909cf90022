"""Accepting connections: not too many, and none that says nothing.

Everybody on the machine can connect. Who does not send a request soon is cut off, and beyond a limit nobody
new gets in, so that strangers cannot use up our file handles.
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
"""From the connection to the end of its first request's headers."""
MAX_CONNECTIONS = 600
"""Each client process keeps one or two; the usual limit of file handles is 1024."""


class Entrance:
    """Makes the protocols of new connections."""

    def __init__(self, server: Server, first_s: float = FIRST_S, n_max: int = MAX_CONNECTIONS) -> None:
        self._server = server
        self.first_s = first_s
        self.n_max = n_max
        self._silent: set[RequestHandler] = set()
        self._accepting: asyncio.Server | None = None

    async def open(self, listening: socket.socket, tls: ssl.SSLContext | None) -> None:
        """Accept from now on."""
        self._accepting = await asyncio.get_running_loop().create_server(
            self._protocol,
            sock=listening,
            ssl=tls,
            ssl_handshake_timeout=None if tls is None else self.first_s,
            backlog=1024,
        )

    def close(self) -> None:
        """Accept nothing more."""
        if self._accepting is not None:
            self._accepting.close()

    def spoke(self, handler: object) -> None:
        """Note that a connection sent a request."""
        self._silent.discard(handler)

    def _protocol(self) -> asyncio.Protocol:
        if len(self._server.connections) >= self.n_max:
            log.warning("a connection was refused: %d are open", self.n_max)
            return _Refusal()
        handler = self._server()
        self._silent.add(handler)
        asyncio.get_running_loop().call_later(self.first_s, self._look, handler)
        return handler

    def _look(self, handler: RequestHandler) -> None:
        if handler not in self._silent:
            return
        self._silent.discard(handler)
        if handler.transport is not None:
            handler.transport.abort()


class _Refusal(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()
