"""Time and ids, as the engine hands them to the core."""

from __future__ import annotations

import secrets
import string
import time
from typing import Protocol

_LETTERS = string.ascii_lowercase + string.digits


class Clock(Protocol):
    """Where the engine reads the time."""

    def wall(self) -> float:
        """Return Unix seconds."""
        ...

    def mono(self) -> float:
        """Return monotonic seconds."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def wall(self) -> float:
        """Return Unix seconds."""
        return time.time()

    def mono(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic()


def random_id() -> str:
    """Return eight lower-case letters or digits; two alike in a thousand years of sweeps."""
    return secrets.choice(string.ascii_lowercase) + "".join(secrets.choice(_LETTERS) for _ in range(7))
