"""The way on which a client on another host speaks HTTP to the controller: TLS to one of its addresses.

The pinned certificate says who listens; nothing is sent to anybody else: a port may have been taken over
after the controller died.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Protocol

import aiohttp
from yarl import URL

N_CONNECTIONS = 256
"""An agent needs two or three; more only where one process plays many agents."""

IDLE_S = 60.0
"""Shorter than the server's 75 s, so that no request meets a connection that is just being closed."""

TLS_S = 10.0
"""To connect to an address that is known to work, with the handshake, also when hundreds do so at once."""


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
