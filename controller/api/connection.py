"""One accepted connection: how long it may take, and what it hears when it speaks no HTTP."""

from __future__ import annotations

import asyncio
import logging
import socket as sockets
from collections.abc import Awaitable, Callable
from typing import Any, cast

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from msgspec import Struct

from controller.api.guard import Fault
from controller.domain.wire import encode

log = logging.getLogger(__name__)


class Limits(Struct, frozen=True, kw_only=True):
    """What one connection may take, and how many there may be."""

    n_connections: int = 512
    body_bytes: int = 4_000_000
    head_s: float = 10.0
    """From a request's first byte to the end of its headers."""
    body_s: float = 30.0
    """From the end of the headers to the end of the body."""
    idle_s: float = 75.0
    """Between two requests."""
    keep_alive_s: float = 10.0
    """A stream with nothing to say says so."""
    drain_s: float = 10.0
    """A reader that takes nothing for so long is cut off."""
    close_s: float = 2.0
    """How long requests may go on when the server closes."""


LIMITS = Limits()

QUIET_S = 60.0
"""What happens many times is written down once in so long."""


def fault_response(fault: Fault) -> web.Response:
    """Return the JSON answer that tells a fault; the connection ends with it."""
    text = encode({"error": fault.error, "hint": fault.hint})
    response = web.Response(status=fault.status, body=text.encode(), content_type="application/json")
    if fault.status == 503:
        response.headers["Retry-After"] = "1"
    return response


class Connection(RequestHandler):
    """aiohttp's protocol, with a time limit for headers and errors as JSON."""

    def __init__(self, manager: Listener, limits: Limits, **settings: Any) -> None:
        super().__init__(manager, keepalive_timeout=limits.idle_s, **settings)
        self._head_s = limits.head_s
        self._head_timer: asyncio.TimerHandle | None = None
        self._is_answering = False

    def data_received(self, data: bytes) -> None:
        """Start the clock for the headers with their first byte."""
        super().data_received(data)
        if self._head_timer is None and not self._is_answering and self.transport is not None:
            loop = asyncio.get_running_loop()
            self._head_timer = loop.call_later(self._head_s, self.transport.abort)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Stop the clock."""
        self._stop_clock()
        super().connection_lost(exc)

    def begin(self) -> None:
        """Note that a request's headers are complete."""
        self._is_answering = True
        self._stop_clock()

    def end(self) -> None:
        """Note that the request is answered."""
        self._is_answering = False

    def _stop_clock(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what aiohttp itself refuses, in our form."""
        if status >= 500:
            log.error("a request failed", exc_info=exc)
            fault = Fault(status, "The controller failed on this request.", "its log has the details")
        else:
            log.debug("not HTTP: %s", message)
            fault = Fault(status, "This is not a proper HTTP request.")
        response = fault_response(fault)
        response.force_close()
        return response


class Listener(web.Server):
    """Makes a `Connection` of everything that is accepted, and closes it when it is not ours."""

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        limits: Limits,
        peer_uid: Callable[[sockets.socket], int],
        uid: int,
    ) -> None:
        super().__init__(handler, handler_cancellation=True)
        self._limits = limits
        self._peer_uid = peer_uid
        self._uid = uid
        self._refused_s = float("-inf")

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """Close the connection before its first byte is read unless the peer is our own user."""
        super().connection_made(handler, transport)
        try:
            # A TransportSocket hands `getsockopt` on.
            uid = self._peer_uid(cast("sockets.socket", transport.get_extra_info("socket")))
        except OSError:
            transport.abort()
            return
        if uid != self._uid:
            log.warning("a connection of uid %d was closed", uid)
            transport.abort()
        elif len(self.connections) > self._limits.n_connections:
            self._refuse(transport)

    def _refuse(self, transport: asyncio.Transport) -> None:
        """Close one too many; its owner is ours and tries again."""
        transport.abort()
        now_s = asyncio.get_running_loop().time()
        if now_s - self._refused_s >= QUIET_S:
            self._refused_s = now_s
            log.warning("connections are refused: %d are open", self._limits.n_connections)

    def __call__(self) -> Connection:
        """Return the protocol of a new connection."""
        return Connection(
            self,
            self._limits,
            loop=asyncio.get_running_loop(),
            tcp_keepalive=False,
            access_log=None,
            auto_decompress=False,
            lingering_time=5.0,
        )
