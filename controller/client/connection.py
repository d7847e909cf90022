"""How to find the controller of a home: by its socket here, by its addresses from other hosts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from controller.client.announced import Connection, Machine, read, this_machine, write
from controller.client.door import START_HINT, Client, UnreachableError
from controller.client.http import HttpClient
from controller.client.returning import ReturningClient, Via, is_spool, via_of
from controller.client.ways import SocketWay
from controller.settings import Home

__all__ = ["Connection", "Machine", "connect", "read", "this_machine", "write"]


def connect(home: Home, *, timeout_s: float = 10.0, say: Callable[[str], None] = lambda text: None) -> Client:
    """Return a client to the controller of a home; nothing is sent yet.

    `say` is told when only the slow way leads there.

    Raises:
        UnreachableError: none runs for it, or none can be reached from here; the hint says what to do.
        DeniedError: the connection file is not ours alone.
        ProtocolError: the connection file is not understood.
    """
    found = read(home.connection)
    if found is None:
        raise UnreachableError(f"No controller runs for {home.path}.", START_HINT)
    via, here = via_of(None), this_machine()
    is_here = here.is_same(found.host, found.boot_id)
    if via is Via.AUTO and is_here and Path(found.socket).exists():
        return HttpClient(SocketWay(Path(found.socket)), timeout_s=timeout_s)
    if via is not Via.AUTO or found.addresses or (not is_here and is_spool(home)):
        return ReturningClient(home, via=via, timeout_s=timeout_s, say=say)
    if is_here:
        raise UnreachableError(
            f"No controller runs for {home.path} any more: pid {found.pid} on {found.host} is gone.",
            START_HINT,
        )
    if here.host == found.host:
        raise UnreachableError(
            f"No controller runs for {home.path}: {found.host} was restarted since.", START_HINT
        )
    raise UnreachableError(
        f"Your controller for {home.path} runs on host {found.host} and listens for no other; "
        f"this is {here.host}.",
        f"ssh {found.host}, and run the same command there; or start the controller with --listen all:0",
    )
