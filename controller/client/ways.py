"""The ways on which a client reaches the controller: its Unix socket, or TLS to one of its addresses.

Both know who listens before a word is sent: the kernel names the user behind a socket, the pinned certificate
the controller behind an address, whose port may have been taken over after the controller died.
"""

from __future__ import annotations

import asyncio
import os
import socket as sockets
import ssl
import struct
from pathlib import Path
from typing import Protocol

from controller.client.addresses import split
from controller.client.door import DeniedError

__all__ = ["PIECE_BYTES", "Pair", "SocketWay", "TlsWay", "Way"]

PIECE_BYTES = 1 << 18
"""Read at a time, and kept unread at most."""

TLS_S = 10.0
"""To connect to an address that is known to work, with the handshake, also when hundreds do so at once."""

STAGGER_S = 0.25
"""A host's next address is tried beside the one before when that took so long (RFC 8305)."""

_PEER = struct.Struct("3i")

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Way(Protocol):
    """How to get there; `str` names it in sentences."""

    @property
    def fields(self) -> str:
        """Header fields of every request, each with its line end."""
        ...

    @property
    def connect_s(self) -> float | None:
        """How long connecting may take; None: as long as the request."""
        ...

    async def connect(self) -> Pair:
        """Connect to the controller and nobody else.

        Raises:
            OSError: nobody listens, or we may not.
            ssl.SSLError: somebody else listens; nothing was sent.
            DeniedError: another user listens; nothing was sent.
        """
        ...


class SocketWay:
    """Over the controller's Unix socket, on its own machine."""

    fields = "Host: tui-sweeps\r\n"
    connect_s = None

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def __str__(self) -> str:
        return str(self._socket)

    async def connect(self) -> Pair:
        """Connect, unless another user listens."""
        reader, writer = await asyncio.open_unix_connection(os.fspath(self._socket), limit=PIECE_BYTES)
        found = writer.get_extra_info("socket")
        _, uid, _ = _PEER.unpack(found.getsockopt(sockets.SOL_SOCKET, sockets.SO_PEERCRED, _PEER.size))
        if uid != os.getuid():
            writer.close()
            await writer.wait_closed()
            raise DeniedError(
                f"uid {uid} listens at the controller's socket {self._socket}",
                "nothing was sent; start your own controller again",
            )
        return reader, writer


class TlsWay:
    """Over TLS to one address, with a key in every request."""

    connect_s = TLS_S

    def __init__(self, address: str, pin: ssl.SSLContext, key: str) -> None:
        self._address = address
        self._pin = pin
        self.fields = f"Host: {address}\r\nAuthorization: Bearer {key}\r\n"

    def __str__(self) -> str:
        return self._address

    async def connect(self) -> Pair:
        """Connect, unless another certificate answers."""
        host, port = split(self._address)
        return await asyncio.open_connection(
            host,
            port,
            limit=PIECE_BYTES,
            ssl=self._pin,
            server_hostname=host,
            happy_eyeballs_delay=STAGGER_S,
        )
