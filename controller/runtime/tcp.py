"""The listener for other hosts and for W&B's client, and everything these need to be let in.

The choice is kept in the home, so that a restart, a hand-over and the dashboard's own controller listen at
the same address: agents that were away come back to it. GraphQL and certificates take a quarter of a second
to load, so that happens only where somebody listens.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from controller.api.listener import ListenError
from controller.client.addresses import joined
from controller.client.door import Client
from controller.domain.sweeps import Sweep
from controller.domain.world import World
from controller.runtime.listening import ALL, Address, Listening, bind, choose, hosts_of, saved
from controller.runtime.preview import size_of
from controller.runtime.wire import Wire
from controller.settings import Home
from controller.wandb_api.callers import Scope
from controller.wandb_api.keys import KeyFile, secret_of

if TYPE_CHECKING:
    from controller.wandb_api.server import Place, Server

log = logging.getLogger(__name__)

READY_S = 10.0
"""How long the start waits for the listener's own picture of the World; callers before that try again."""


class Prepared(Struct, frozen=True, kw_only=True):
    """What is bound already and serves nobody yet."""

    place: Place
    addresses: tuple[str, ...] = ()
    """Where other hosts may find us."""
    authority: str = ""
    """Certificate (PEM) by which they know that it is us."""

    @property
    def port(self) -> int:
        """The port of the first address."""
        number: int = self.place.listening.getsockname()[1]
        return number


def prepare(home: Home, given: Listening | None, prefer: int = 0) -> Prepared | None:
    """Take the addresses that were given, else the ones chosen last; None: nowhere.

    An address chosen earlier that somebody else has taken meanwhile is no reason not to start: then any free
    port there will do, since our agents find it in the connection file.

    Raises:
        ListenError: a given address cannot be used.
    """
    chosen = given or saved(home)
    if chosen is None or not chosen.addresses:
        if given is not None:
            choose(home, given)
        return None
    if given is not None:
        return _take(home, chosen, bind(chosen, prefer), keep=True)
    try:
        return _take(home, chosen, bind(chosen), keep=True)
    except ListenError as error:
        log.error("%s; looking for another port", error)
    anywhere = replace(chosen, addresses=tuple(Address(address.host, 0) for address in chosen.addresses))
    try:
        return _take(home, anywhere, bind(anywhere), keep=False)
    except ListenError as error:
        log.error("%s; nothing listens for other hosts or W&B's client now", error)
        return None


def _take(home: Home, chosen: Listening, bound: Sequence[socket.socket], *, keep: bool) -> Prepared:
    from controller.wandb_api.certificate import authority_of, server_context
    from controller.wandb_api.server import Place

    hosts = hosts_of(chosen, bound)
    names = tuple(dict.fromkeys(host for host, _ in hosts))
    first = chosen.addresses[0].host
    main = first if first != ALL else (names or ("127.0.0.1",))[0]
    try:
        if keep:
            ports = [listening.getsockname()[1] for listening in bound]
            taken = (
                Address(address.host, port) for address, port in zip(chosen.addresses, ports, strict=True)
            )
            choose(home, replace(chosen, addresses=tuple(taken)))
        place = Place(
            host=main,
            listening=bound[0],
            more=tuple(bound[1:]),
            names=names,
            keys=home.keys,
            files=home.files,
            secret=secret_of(home.secret),
            tls=None if chosen.insecure else server_context(home.tls, main, *names),
        )
        if chosen.insecure:
            return Prepared(place=place)
        addresses = tuple(joined(host, port) for host, port in hosts)
        return Prepared(place=place, addresses=addresses, authority=authority_of(home.tls))
    except OSError as error:
        for listening in bound:
            listening.close()
        raise ListenError(
            f"key or certificate cannot be kept in {home.path}: {error}", "free some space, or look at it"
        ) from error


class Listener:
    """Serves W&B's client and, over TLS, our own wire."""

    def __init__(self, server: Server, wire: Wire) -> None:
        self._server = server
        self._wire = wire

    @property
    def url(self) -> str:
        """What `WANDB_BASE_URL` must say."""
        return self._server.url

    async def close(self) -> None:
        """Accept nothing more and let requests finish for a moment."""
        self._wire.end_streams()
        await self._server.close()


async def open_listener(
    prepared: Prepared,
    door: Client,
    tasks: asyncio.TaskGroup,
    look: Callable[[], World],
    n_connections: int,
) -> Listener:
    """Serve what was prepared; the engine runs already, so that the first caller is not sent away."""
    from controller.wandb_api.server import serve

    wire = Wire(door, look)
    place = replace(prepared.place, n_connections=n_connections)
    if place.tls is not None:  # keys never cross a network in the clear, and our own wire knows no exception
        place = replace(place, beside=wire.answer)
    server = await serve(door, place, tasks, size_of=size_of)
    with suppress(TimeoutError):
        async with asyncio.timeout(READY_S):
            await server.mirror.is_ready.wait()
    return Listener(server, wire)


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
