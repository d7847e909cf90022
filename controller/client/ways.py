"""The ways on which a client speaks HTTP to the controller: its Unix socket, or TLS to one of its addresses.

At the socket the kernel says who listens; at an address the pinned certificate does. Either way nothing is
sent to anybody else: a path or a port may have been taken over after the controller died.
"""

from __future__ import annotations

import os
import socket as sockets
import ssl
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import aiohttp
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from controller.client.door import DeniedError

N_CONNECTIONS = 256
"""An agent needs two or three; more only where one process plays many agents."""

IDLE_S = 60.0
"""Shorter than the server's 75 s, so that no request meets a connection that is just being closed."""

TLS_S = 10.0
"""To connect to an address that is known to work, with the handshake, also when hundreds do so at once."""

_PEER = struct.Struct("3i")


class Way(Protocol):
    """How to get there; `str` names it in sentences."""

    @property
    def base(self) -> URL:
        """Where the paths of the wire begin."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """What every request carries."""
        ...

    @property
    def connect_s(self) -> float | None:
        """How long connecting may take; None: as long as the request."""
        ...

    def connector(self) -> aiohttp.BaseConnector:
        """Return what makes connections, on the running loop."""
        ...


class SocketWay:
    """Over the Unix socket, on the controller's own machine."""

    base = URL("http://tui-sweeps/v1/")
    connect_s = None

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self.headers: Mapping[str, str] = {}

    def __str__(self) -> str:
        return str(self._socket)

    def connector(self) -> aiohttp.BaseConnector:
        """Return what makes connections, on the running loop."""
        return _OwnConnector(os.fspath(self._socket), limit=N_CONNECTIONS, keepalive_timeout=IDLE_S)


class TlsWay:
    """Over TLS to one address, with a key in every request."""

    connect_s = TLS_S

    def __init__(self, address: str, pin: ssl.SSLContext, key: str) -> None:
        self._address = address
        self._pin = pin
        self.base = URL(f"https://{address}/v1/")
        self.headers: Mapping[str, str] = {"Authorization": f"Bearer {key}"}

    def __str__(self) -> str:
        return self._address

    def connector(self) -> aiohttp.BaseConnector:
        """Return what makes connections, on the running loop."""
        return aiohttp.TCPConnector(ssl=self._pin, limit=N_CONNECTIONS, keepalive_timeout=IDLE_S)


class _OwnConnector(aiohttp.UnixConnector):
    async def _create_connection(self, req: Any, traces: Any, timeout: Any) -> ResponseHandler:  # noqa: ASYNC109 (aiohttp's name)
        protocol = await super()._create_connection(req, traces, timeout)
        assert protocol.transport is not None
        found = protocol.transport.get_extra_info("socket")
        _, uid, _ = _PEER.unpack(found.getsockopt(sockets.SOL_SOCKET, sockets.SO_PEERCRED, _PEER.size))
        if uid != os.getuid():
            protocol.close()
            raise DeniedError(
                f"uid {uid} listens at the controller's socket {self.path}",
                "nothing was sent; start your own controller again",
            )
        return protocol
