"""Where the controller listens for W&B's client, and everything that client needs to be let in.

The choice is kept in the home, so that a restart, a hand-over and the dashboard's own controller listen at
the same address: agents that were away come back to it. GraphQL and certificates take a quarter of a second
to load, so that happens only where somebody listens.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from controller.api.listener import ListenError
from controller.client.door import Client
from controller.domain.sweeps import Sweep
from controller.domain.wire import WireError, decode, encode
from controller.runtime.preview import size_of
from controller.settings import Home
from controller.wandb_api.callers import Scope
from controller.wandb_api.keys import KeyFile, secret_of, write_private

if TYPE_CHECKING:
    from controller.wandb_api.server import Place, Server

log = logging.getLogger(__name__)


class Listening(Struct, frozen=True, kw_only=True):
    """An address to listen at."""

    host: str
    """Empty: nowhere."""
    port: int
    insecure: bool = False
    """Plain HTTP; on loopback only."""


def read_address(text: str, *, insecure: bool) -> Listening:
    """Return what `--listen HOST:PORT`, or `--listen off`, asks for.

    Raises:
        ListenError: it is no address, or one that must not be listened at like this.
    """
    if text == "off":
        return Listening(host="", port=0)
    host, _, digits = text.rpartition(":")
    host = host.strip("[]")
    if not host or not digits.isascii() or not digits.isdecimal() or int(digits) > 65535:
        raise ListenError(f"{text!r} is no address", "give HOST:PORT, for instance 127.0.0.1:8080")
    if host in ("0.0.0.0", "::"):
        raise ListenError("never on all interfaces", "name the one the agents reach this host by")
    if insecure and not _is_loopback(host):
        raise ListenError(
            f"plain HTTP would send keys readable over the network to {host}",
            "leave out --insecure, or listen on 127.0.0.1",
        )
    return Listening(host=host, port=int(digits), insecure=insecure)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def saved(home: Home) -> Listening | None:
    """Return the address chosen last; None: no listening."""
    try:
        return decode(home.listen.read_bytes(), Listening)
    except (FileNotFoundError, WireError):
        return None


def choose(home: Home, chosen: Listening) -> None:
    """Have every controller that starts from now on listen there."""
    home.path.mkdir(exist_ok=True, mode=0o700)
    write_private(home.listen, encode(chosen))


def prepare(home: Home, given: Listening | None) -> Place | None:
    """Take the address that was given, else the one chosen last; None: nowhere.

    An address chosen earlier that somebody else has taken meanwhile is no reason not to start.

    Raises:
        ListenError: the given address cannot be used.
    """
    chosen = given or saved(home)
    if chosen is None or not chosen.host:
        if given is not None:
            choose(home, given)
        return None
    try:
        return _take(home, chosen)
    except ListenError as error:
        if given is not None:
            raise
        log.error("%s; nothing listens for W&B's client now", error)
        return None


def _take(home: Home, chosen: Listening) -> Place:
    from controller.wandb_api.certificate import server_context
    from controller.wandb_api.server import Place

    listening = _bind(chosen)
    try:
        port = listening.getsockname()[1]
        choose(home, Listening(host=chosen.host, port=port, insecure=chosen.insecure))
        return Place(
            host=chosen.host,
            listening=listening,
            keys=home.keys,
            files=home.files,
            secret=secret_of(home.secret),
            tls=None if chosen.insecure else server_context(home.tls, chosen.host),
        )
    except OSError as error:
        listening.close()
        raise ListenError(
            f"key or certificate cannot be kept in {home.path}: {error}", "free some space, or look at it"
        ) from error


def _bind(chosen: Listening) -> socket.socket:
    try:
        found = socket.getaddrinfo(chosen.host, chosen.port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(found[4][:2], family=found[0], backlog=1024)
    except OSError as error:
        raise ListenError(
            f"cannot listen at {chosen.host}:{chosen.port}: {error.strerror}",
            "give another port with --listen; 0 takes any that is free",
        ) from error


async def open_listener(place: Place, door: Client, tasks: asyncio.TaskGroup) -> Server:
    """Serve W&B's client at a prepared place."""
    from controller.wandb_api.server import serve

    return await serve(door, place, tasks, size_of=size_of)


def bundle_for(home: Home, url: str) -> Path | None:
    """Return the certificates a client of this address must trust; None for plain HTTP."""
    from controller.wandb_api.certificate import Files

    return Files(directory=home.tls).bundle if url.startswith("https:") else None


def mint_key(home: Home, sweep: Sweep | None, label: str, *, view: bool = False) -> str:
    """Return a new key: for work on a sweep's project, without a sweep for everything, or for looking.

    Raises:
        OSError, WireError: the file of keys cannot be read or written.
    """
    keys = KeyFile(home.keys)
    if view:
        return keys.mint(Scope.VIEW, label=label)
    if sweep is None:
        return keys.mint(Scope.ADMIN, label=label)
    return keys.mint(Scope.AGENT, sweep.project, label=label)
