"""Keeps the controller reachable: the socket, and the file that says where it is.

A runtime directory may vanish under a living controller: systemd removes a user's with the last logout,
which is exactly when a sweep is meant to go on alone. So the socket is looked for now and then, made
anew where it can be, and the connection file says where; agents look it up after every failure.
"""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

from msgspec.structs import replace

from controller.api.connection import LIMITS, Limits
from controller.api.server import Server, serve
from controller.client import connection
from controller.client.connection import Connection
from controller.client.door import Client
from controller.runtime import endpoint
from controller.settings import Home

log = logging.getLogger(__name__)


class Reachable:
    """One controller's socket and connection file."""

    def __init__(self, home: Home, door: Client, path: Path, server: Server, limits: Limits) -> None:
        self._home = home
        self._door = door
        self._limits = limits
        self._path = path
        self._server = server
        self.connection: Connection | None = None
        self._closed = False

    @classmethod
    async def open(cls, home: Home, door: Client, limits: Limits = LIMITS) -> Reachable:
        """Listen on the home's socket.

        Raises:
            ListenError: there is no place for it.
        """
        path = endpoint.prepare_socket(home)
        return cls(home, door, path, await serve(door, path, limits=limits), limits)

    @property
    def path(self) -> Path:
        """Where the socket is now."""
        return self._path

    def announce(self, told: Connection) -> None:
        """Write where we are."""
        self.connection = replace(told, socket=str(self._path))
        connection.write(self._home.connection, self.connection)

    def announce_outside(self, url: str, addresses: tuple[str, ...], authority: str) -> None:
        """Write where other hosts and W&B's client find us now."""
        if self.connection is not None:
            self.announce(replace(self.connection, wandb_url=url, addresses=addresses, authority=authority))

    async def look(self) -> None:
        """Make the socket and the connection file anew if they are gone."""
        if self.connection is None:
            return
        if not self._path.exists():
            path = endpoint.prepare_socket(self._home)
            fresh = await serve(self._door, path, limits=self._limits)
            log.warning("the socket %s was removed: listening at %s now", self._path, path)
            gone, self._path, self._server = self._server, path, fresh
            self.announce(self.connection)
            await gone.close()
        elif not self._home.connection.exists():
            self.announce(self.connection)

    async def close(self) -> None:
        """Take the file back and stop listening; can be repeated."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OSError):
            self._home.connection.unlink()
        await self._server.close()
