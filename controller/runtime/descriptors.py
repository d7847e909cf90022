"""Open files: how many there may be, and how connections share them.

A login node's soft limit of 1,024 cannot hold the connections of a thousand agents, while the hard limit
mostly can. What is left is shared out, so that neither strangers at the port nor too many agents of our own
keep the store from opening a file.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import time
from typing import Any

log = logging.getLogger(__name__)

MOST = 65536
"""Enough for ten thousand agents; programs that close every possible file one by one still start at once."""
RESERVED = 128
"""For the store, its copies, logs, uploads, the processes of search and analysis, and agents started here."""
SOCKET_SHARE = 0.4
"""Of the rest: on the socket are this machine's own agents, at the port those of all others."""
QUIET_S = 60.0

_ACCEPT = "socket.accept() out of system resource"


def raise_limit() -> int:
    """Raise the soft limit as far as it may go; return how many files can be open now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return MOST if soft == resource.RLIM_INFINITY else soft


def shared_out(n_files: int) -> tuple[int, int]:
    """Return how many connections the socket and the port may have."""
    n_left = max(n_files - RESERVED, 64)
    n_socket = int(n_left * SOCKET_SHARE)
    return n_socket, n_left - n_socket


def complain_seldom(loop: asyncio.AbstractEventLoop) -> None:
    """Have the loop say once a minute that files have run out, instead of a thousand times a second."""
    said_s = float("-inf")

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal said_s
        if context.get("message") != _ACCEPT:
            loop.default_exception_handler(context)
        elif time.monotonic() - said_s >= QUIET_S:
            said_s = time.monotonic()
            log.error("no more files can be opened: new connections wait (%s)", context.get("exception"))

    loop.set_exception_handler(handle)
