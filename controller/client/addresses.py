"""The addresses of a controller: read, tried, and the one that answers found.

Names of a login node often resolve, on a compute node, to an address without a route; interfaces exist that
no node can reach. So there is a list, each gets three seconds, and they overlap: one that drops packets does
not make the next one wait. An address counts only when the controller's own certificate answers there: who
took over its port gets nothing, not even a key.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from collections.abc import Sequence

from msgspec import Struct

from controller.client.door import ProtocolError, UnreachableError

CONNECT_S = 3.0
"""Without a route the kernel gives up after 3.1 s, a firewall that drops never says anything."""
ANSWER_S = 15.0
"""How long the one who is there may take to show a certificate: two hundred agents come at once, to a busy
login node."""
STAGGER_S = 0.3
"""The next address is tried beside the one before when that took so long."""


class Tried(Struct, frozen=True, kw_only=True):
    """One address and what came of it."""

    address: str
    took_s: float
    error: str = ""
    """Empty: the controller answers there."""


def split(address: str) -> tuple[str, int]:
    """Return host and port of `HOST:PORT` or `[HOST]:PORT`.

    Raises:
        ProtocolError: it is no address.
    """
    host, _, digits = address.rpartition(":")
    if not host or not digits.isascii() or not digits.isdecimal() or not 0 < int(digits[:6]) < 65536:
        raise ProtocolError(f"{address!r} is no address of a controller", "start the controller again")
    return host.removeprefix("[").removesuffix("]"), int(digits)


def joined(host: str, port: int) -> str:
    """Return `HOST:PORT`, with brackets where the host is an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def pinned(authority: str) -> ssl.SSLContext:
    """Return a context that trusts the one server this authority (PEM) signed for, whatever its name.

    Raises:
        ProtocolError: it is no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    try:
        context.load_verify_locations(cadata=authority)
    except (ssl.SSLError, ValueError) as error:
        raise ProtocolError("the controller's certificate is not readable", "start it again") from error
    return context


async def attempt(
    address: str, pin: ssl.SSLContext, within_s: float = CONNECT_S, answer_s: float = ANSWER_S
) -> Tried:
    """Connect, see whose certificate answers, and hang up; nothing is sent."""
    began_s = time.monotonic()
    error = ""
    try:
        host, port = split(address)
        limit_s = within_s
        async with asyncio.timeout(within_s):
            connected = await _connected(host, port)
        limit_s = answer_s
        with connected:
            async with asyncio.timeout(answer_s):
                _, writer = await asyncio.open_connection(sock=connected, ssl=pin, server_hostname=host)
            writer.transport.abort()
    except TimeoutError:
        error = f"no answer within {limit_s:g} s"
    except ssl.SSLError:
        error = "somebody else answers there, not this controller"
    except OSError as found:
        # asyncio puts its own words over the system's, except for names that are not known.
        code = found.errno or 0
        error = os.strerror(code) if code > 0 else found.strerror or str(found)
    except ProtocolError as found:
        error = str(found)
    return Tried(address=address, took_s=time.monotonic() - began_s, error=error)


async def _connected(host: str, port: int) -> socket.socket:
    """Return a connection to the first of a host's addresses that takes one."""
    loop = asyncio.get_running_loop()
    reason: OSError | None = None
    for family, kind, protocol, _, place in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        connecting = socket.socket(family, kind, protocol)
        try:
            connecting.setblocking(False)
            await loop.sock_connect(connecting, place)
            return connecting
        except OSError as error:
            connecting.close()
            reason = error
        except BaseException:
            connecting.close()
            raise
    raise reason or OSError(f"{host} has no address")


async def meet(addresses: Sequence[str], pin: ssl.SSLContext) -> str:
    """Return the first address at which the controller answers, earlier ones preferred.

    Raises:
        UnreachableError: it answers at none; the hint has the reason for each.
    """
    failures: list[Tried] = []
    found: list[str] = []

    async def go(number: int) -> None:
        await asyncio.sleep(number * STAGGER_S)
        tried = await attempt(addresses[number], pin)
        if tried.error:
            failures.append(tried)
            return
        found.append(tried.address)
        for task in tasks:
            if task is not asyncio.current_task():
                task.cancel()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(go(number)) for number in range(len(addresses))]
    if found:
        return found[0]
    raise UnreachableError(
        f"The controller answers at none of its {len(addresses)} address(es).",
        "; ".join(f"{tried.address}: {tried.error}" for tried in failures),
    )
