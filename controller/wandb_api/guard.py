"""Who may ask at all: the Host a request was meant for, no web page, and a key.

The listener is open to everybody on the machine, so nothing is trusted before the key. Whoever fails often
waits; a request with a good key never does, else strangers could lock our agents out.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import ipaddress
import socket
import time
from collections import deque

from aiohttp import web

from controller.domain.world import World
from controller.wandb_api.callers import Caller
from controller.wandb_api.faults import FaultError
from controller.wandb_api.keys import KeyRing

N_FAILURES = 10
"""Wrong keys a minute before answers are slowed down."""
WINDOW_S = 60.0
PENALTY_S = 1.0


class Guard:
    """Holds requests against what is allowed."""

    def __init__(self, ring: KeyRing, *names: str) -> None:
        self._ring = ring
        # Not the fully qualified name: looking that up may block; whoever uses it listens at it.
        self._hosts = frozenset(name.lower() for name in ("localhost", *names, socket.gethostname()))
        self._failures: deque[float] = deque(maxlen=N_FAILURES)

    def check(self, request: web.BaseRequest) -> None:
        """Refuse what was meant for another server or comes from a web page.

        Raises:
            FaultError: it is not served.
        """
        hosts = request.headers.getall("Host", ())
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            raise FaultError(403, "this Host is not served here")
        if "Origin" in request.headers:
            raise FaultError(403, "requests of web pages are not served")
        if any(site.strip().lower() != "none" for site in request.headers.getall("Sec-Fetch-Site", ())):
            raise FaultError(403, "requests of web pages are not served")

    def _is_ours(self, value: str) -> bool:
        name = value.rpartition(":")[0] if not value.endswith("]") and ":" in value else value
        if name.lower() in self._hosts:
            return True
        try:
            # A web page that rebinds names comes under a name, never under an address.
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True

    async def caller(self, request: web.BaseRequest, world: World) -> Caller:
        """Return who asks.

        Raises:
            FaultError: there is no key, or it is nobody's; the answer does not say which.
        """
        key = key_of(request.headers.get("Authorization", ""))
        now_s = time.monotonic()
        found = None if key is None else self._ring.caller(key, world, mono_s=now_s, at=time.time())
        if found is not None:
            return found
        if len(self._failures) == N_FAILURES and now_s - self._failures[0] < WINDOW_S:
            await asyncio.sleep(PENALTY_S)
        self._failures.append(now_s)
        raise FaultError(401, "the key is not known; `tui-sweeps env SWEEP_ID` prints one that is")


def key_of(header: str) -> str | None:
    """Return the key of an `Authorization` header: Basic with any user name, or Bearer."""
    kind, _, value = header.strip().partition(" ")
    match kind.lower():
        case "basic":
            try:
                text = base64.b64decode(value.strip(), validate=True).decode("utf-8")
            except (binascii.Error, ValueError):
                return None
            return text.partition(":")[2] or None
        case "bearer":
            return value.strip() or None
        case _:
            return None
