"""How the dashboard is left, and the one function that shows it until then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum


class ExitReason(StrEnum):
    """How the dashboard was left."""

    QUIT = "quit"
    DETACH = "detach"


Begin = Callable[[], Awaitable[str | None]]
"""What happens once at the start; returns the id of a sweep to open."""
