"""Accepting connections: not too many, and none for long that shows no key.

Everybody on the machine can connect. Who shows no good key soon is cut off, and when there are too many the
oldest of those has to go, so that strangers can neither use up our file handles nor keep our agents out.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl

from aiohttp.web_protocol import RequestHandler
from aiohttp.web_server import Server

log = logging.getLogger(__name__)

FIRST_S = 15.0
"""From the connection to its first request with a good key."""
N_AT_ONCE = 64
"""Connections taken before others have their turn."""
REST_S = 1.0
"""Pause when no file can be opened."""
MAX_CONNECTIONS = 600
"""Each client process keeps one or two; the usual limit of file handles is 1024."""


class Entrance:
    """Accepts connections and makes their protocols.

    Not by the loop's own server: that hands a connection over only once its TLS handshake is done, and who
    never begins one would be counted by nobody.
    """

    def __init__(self, server: Server, first_s: float = FIRST_S, n_max: int = MAX_CONNECTIONS) -> None:
        self._server = server
        self.first_s = first_s
        self.n_max = n_max
        self._strangers: dict[RequestHandler, socket.socket] = {}
        """Connections that have shown no key yet, the oldest first."""
        self._connecting: dict[RequestHandler, asyncio.Task[None]] = {}
        """Those among them that are not through with their handshake."""
        self._listening: list[socket.socket] = []

    async def open(self, listening: socket.socket, tls: ssl.SSLContext | None) -> None:
        """Accept from now on at one more socket."""
        listening.setblocking(False)
        self._listening.append(listening)
        asyncio.get_running_loop().add_reader(listening, self._accept, listening, tls)

    def close(self) -> None:
        """Accept nothing more."""
        loop = asyncio.get_running_loop()
        for listening in self._listening:
            loop.remove_reader(listening)
            listening.close()
        self._listening.clear()
        for task in self._connecting.values():
            task.cancel()

    def welcome(self, handler: RequestHandler) -> None:
        """Note that a connection showed a good key."""
        self._strangers.pop(handler, None)

    def _accept(self, listening: socket.socket, tls: ssl.SSLContext | None) -> None:
        for _ in range(N_AT_ONCE):
            try:
                found, _ = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._rest(listening, tls, error)
                return
            self._admit(found, tls)

    def _rest(self, listening: socket.socket, tls: ssl.SSLContext | None, error: OSError) -> None:
        """Leave those who come where they are until there may be file handles again."""
        log.debug("nobody can be accepted now: %s", error)
        loop = asyncio.get_running_loop()
        loop.remove_reader(listening)

        def again() -> None:
            if listening in self._listening:
                loop.add_reader(listening, self._accept, listening, tls)

        loop.call_later(REST_S, again)

    def _admit(self, found: socket.socket, tls: ssl.SSLContext | None) -> None:
        n_open = len(self._server.connections) + len(self._connecting)
        if n_open >= self.n_max and not self._make_room():
            log.debug("a connection was refused: %d are open", self.n_max)
            found.close()
            return
        found.setblocking(False)
        handler = self._server()
        self._strangers[handler] = found
        loop = asyncio.get_running_loop()
        self._connecting[handler] = loop.create_task(self._connect(handler, found, tls))
        loop.call_later(self.first_s, self._look, handler)

    async def _connect(
        self, handler: RequestHandler, found: socket.socket, tls: ssl.SSLContext | None
    ) -> None:
        """Have the handshake done; the transport owns the socket from here on."""
        limit_s = None if tls is None else self.first_s
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: handler, found, ssl=tls, ssl_handshake_timeout=limit_s
            )
        except OSError:  # also what TLS complains of
            self._strangers.pop(handler, None)
        finally:
            del self._connecting[handler]

    def _look(self, handler: RequestHandler) -> None:
        if handler in self._strangers:
            self._cut(handler)

    def _cut(self, handler: RequestHandler) -> bool:
        """Hang up on a stranger; say whether it was still there."""
        found = self._strangers.pop(handler)
        if handler in self._connecting:
            with contextlib.suppress(OSError):
                found.shutdown(socket.SHUT_RDWR)  # ends the handshake, and the transport closes it
            return True
        if handler.transport is None:
            return False
        handler.transport.abort()
        return True

    def _make_room(self) -> bool:
        """Cut off the oldest stranger that is still there."""
        return any(self._cut(handler) for handler in tuple(self._strangers))
