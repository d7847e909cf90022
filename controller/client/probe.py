"""What `doctor --slurm` runs on a compute node: tries every way to the controller, as an agent would.

Started as a program: `python -m controller.client.probe HOME RESULT`; the result is one JSON document.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from pathlib import Path

from msgspec import Struct

from controller.client.addresses import Tried, attempt, pinned
from controller.client.announced import is_near, read, write_whole
from controller.client.door import Client, ClientError
from controller.client.http import HttpClient
from controller.client.returning import addresses_of, is_spool, key_of
from controller.client.spooled import SpooledClient
from controller.client.ways import SocketWay, TlsWay
from controller.domain.queries import GetStatus
from controller.domain.wire import encode
from controller.settings import Home

ANSWER_S = 10.0
"""How long the controller's answer may take once it is reached."""


class Probe(Struct, frozen=True, kw_only=True):
    """How the controller can be reached from one host."""

    node: str
    addresses: tuple[Tried, ...] = ()
    socket: Tried | None = None
    """None: it cannot be seen from there."""
    spool: Tried | None = None
    error: str = ""
    """Why nothing could be tried."""


async def probe(home: Home) -> Probe:
    """Try every way to the controller of a home."""
    node = os.environ.get("SLURMD_NODENAME") or socket.gethostname()
    try:
        found = read(home.connection)
        if found is None:
            return Probe(node=node, error=f"there is no {home.connection} here")
        tried = []
        if known := addresses_of(found):
            pin, key = pinned(found.authority), key_of(home)
            for address in known:
                reached = await attempt(address, pin)
                tried.append(reached if reached.error else await _asked(address, TlsWay(address, pin, key)))
    except ClientError as error:
        return Probe(node=node, error=f"{error}; {error.hint}" if error.hint else str(error))
    near = (
        await _timed(found.socket, HttpClient(SocketWay(Path(found.socket)), timeout_s=ANSWER_S))
        if is_near(found)
        else None
    )
    spool = await _timed(str(home.spool), SpooledClient(home.spool)) if is_spool(home) else None
    return Probe(node=node, addresses=tuple(tried), socket=near, spool=spool)


async def _asked(name: str, way: TlsWay) -> Tried:
    return await _timed(name, HttpClient(way, timeout_s=ANSWER_S))


async def _timed(name: str, client: Client) -> Tried:
    """Ask one question and let go of the client."""
    began_s = time.monotonic()
    error = ""
    try:
        await client.ask(GetStatus())
    except ClientError as failed:
        error = f"{failed} {failed.hint}".strip()
    finally:
        await client.close()
    return Tried(address=name, took_s=time.monotonic() - began_s, error=error)


def main(argv: list[str]) -> int:
    """Probe, and leave the result where it was asked for."""
    home, result = argv
    found = asyncio.run(probe(Home(Path(home))))
    write_whole(Path(result), encode(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
