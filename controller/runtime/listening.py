"""Where the controller listens: what was asked for, kept in the home for every start to come.

One listener serves our own wire (agents on other hosts, commands there) and W&B's client. Nothing listens
unless somebody asks, and on all interfaces only when that is what was written.
"""

from __future__ import annotations

import ipaddress
import random
import socket
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from controller.api.listener import ListenError
from controller.client.addresses import joined
from controller.domain.wire import WireError, decode, encode
from controller.runtime.interfaces import is_for_others, local_addresses, own_names
from controller.settings import Home
from controller.wandb_api.keys import write_private

ALL = "all"
"""Written for a host: every interface."""

LOWEST_PORT = 20_000
"""Below are the ports of well-known services."""
N_TRIES = 20
"""Ports of our own choice that are tried before one that the kernel chooses."""


class Address(Struct, frozen=True):
    """One place to listen at."""

    host: str
    port: int
    """0: any that is free."""


class Listening(Struct, frozen=True, kw_only=True):
    """Where to listen."""

    addresses: tuple[Address, ...] = ()
    """Empty: nowhere."""
    advertise: tuple[str, ...] = ()
    """What else other hosts may find us by: `HOST` or `HOST:PORT`, for instance behind a tunnel."""
    insecure: bool = False
    """Plain HTTP; on loopback only, and for W&B's client only."""


def read_listening(texts: Sequence[str], advertise: Sequence[str] = (), *, insecure: bool) -> Listening:
    """Return what `--listen HOST:PORT …`, `--listen all:PORT` or `--listen off` asks for.

    Raises:
        ListenError: one is no address, or one that must not be listened at like this.
    """
    if list(texts) == ["off"]:
        return Listening()
    addresses = tuple(_address(text, insecure=insecure) for text in texts)
    for text in advertise:
        host, port = _split(text) if _has_port(text) else (text.strip("[]"), 1)
        if not host or not port or any(c.isspace() or c in "/@" for c in host):
            raise ListenError(f"{text!r} is nothing to advertise", "give HOST or HOST:PORT")
    return Listening(addresses=addresses, advertise=tuple(advertise), insecure=insecure)


def _address(text: str, *, insecure: bool) -> Address:
    host, port = _split(text)
    if host in ("0.0.0.0", "::"):
        raise ListenError(
            "never on all interfaces by accident",
            "name the one the agents reach this host by, or write all:PORT if all is what you mean",
        )
    if insecure and not _is_loopback(host):
        raise ListenError(
            f"plain HTTP would send keys readable over the network to {host}",
            "leave out --insecure, or listen on 127.0.0.1",
        )
    return Address(host, port)


def _split(text: str) -> tuple[str, int]:
    host, _, digits = text.rpartition(":")
    host = host.strip("[]")
    if not host or not digits.isascii() or not digits.isdecimal() or int(digits[:6]) > 65535:
        raise ListenError(f"{text!r} is no address", "give HOST:PORT, for instance 127.0.0.1:8080, or all:0")
    return host, int(digits)


def _has_port(text: str) -> bool:
    """Tell `host:80` and `[::1]:80` from `host` and `::1`."""
    return text.count(":") == 1 or "]:" in text


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def saved(home: Home) -> Listening | None:
    """Return what was chosen last; None: no listening."""
    try:
        return decode(home.listen.read_bytes(), Listening)
    except (FileNotFoundError, WireError):
        return None


def choose(home: Home, chosen: Listening) -> None:
    """Have every controller that starts from now on listen there."""
    home.path.mkdir(exist_ok=True, mode=0o700)
    write_private(home.listen, encode(chosen))


def bind(chosen: Listening, prefer: int = 0) -> tuple[socket.socket, ...]:
    """Return a listening socket for every address; those that take any port get the same one if they can.

    `prefer`: the one that is tried first.

    Raises:
        ListenError: one cannot be listened at.
    """
    bound: list[socket.socket] = []
    try:
        for address in chosen.addresses:
            shared = 0 if address.port else bound[0].getsockname()[1] if bound else prefer
            found = _try_bind(address.host, shared) if shared else None
            bound.append(found or _bind_new(address))
    except ListenError:
        for listening in bound:
            listening.close()
        raise
    return tuple(bound)


def _bind_new(address: Address) -> socket.socket:
    """Bind; a port of our own choice is one that no outgoing connection of this machine is given by chance.

    Otherwise somebody has it when a controller comes back, and W&B's client knows no other.
    """
    if address.port == 0:
        room = range(LOWEST_PORT, _first_given_port())
        for port in random.sample(room, min(N_TRIES, len(room))):
            if (found := _try_bind(address.host, port)) is not None:
                return found
    return _bind(address.host, address.port)


def _first_given_port() -> int:
    """Return the lowest port that the kernel gives to outgoing connections (ip(7), ip_local_port_range)."""
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return 32_768


def _try_bind(host: str, port: int) -> socket.socket | None:
    try:
        return _bind(host, port)
    except ListenError:
        return None


def _bind(host: str, port: int) -> socket.socket:
    try:
        if host == ALL:
            if socket.has_dualstack_ipv6():
                return socket.create_server(
                    ("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=1024
                )
            return socket.create_server(("", port), backlog=1024)
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(found[4][:2], family=found[0], backlog=1024)
    except OSError as error:
        raise ListenError(
            f"cannot listen at {joined(host, port)}: {error.strerror}",
            "give another port with --listen; 0 takes any that is free",
        ) from error


def hosts_of(chosen: Listening, bound: Sequence[socket.socket]) -> tuple[tuple[str, int], ...]:
    """Return every host and port by which others may find what is bound, the best first.

    Addresses stand before names: on compute nodes, names often resolve to an address without a route.
    """
    by_address: list[tuple[str, int]] = []
    by_name: list[tuple[str, int]] = []
    for address, listening in zip(chosen.addresses, bound, strict=True):
        name, port = listening.getsockname()[:2]
        if address.host == ALL:
            by_address += [(host, port) for host in local_addresses()]
            by_name += [(host, port) for host in own_names()]
        else:
            by_address.append((name, port))
            by_name.append((address.host, port))
    port = bound[0].getsockname()[1]
    given = [_split(text) if _has_port(text) else (text.strip("[]"), port) for text in chosen.advertise]
    reachable = [pair for pair in (*by_address, *by_name) if is_for_others(pair[0])]
    return tuple(dict.fromkeys((*given, *reachable)))
