"""The desk: how the dashboard was left. Cursor, filters, sorting, columns, view; read and written as JSON.

Only plain values, so that an unknown or damaged file is simply a fresh desk.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct


class SweepDesk(Struct, kw_only=True, omit_defaults=True):
    """How one sweep's screens were left."""

    view: str = "runs"
    cursor: str = ""
    """Id of the run under the cursor."""
    filter: str = ""
    sort: str = ""
    """Column keys separated by commas, a leading `-` for descending; empty: newest first."""
    columns: list[str] = []
    """Column keys in their order; empty: the view's own choice."""
    axes: list[str] = []
    """Parallel coordinates' axes in their order; empty: all."""


class Seen(Struct, kw_only=True, omit_defaults=True):
    """How a sweep stood when the dashboard was last looked at."""

    n_ended: int = 0
    n_failed: int = 0
    best: float | None = None
    state: str = ""


class Desk(Struct, kw_only=True, omit_defaults=True):
    """Everything the dashboard remembers from one start to the next."""

    screen: str = "sweeps"
    """`sweeps` or `sweep`: where the dashboard was left."""
    sweep: str = ""
    """Id of the sweep under the cursor, or open."""
    filter: str = ""
    sort: str = ""
    theme: str = ""
    sweeps: dict[str, SweepDesk] = {}
    seen: dict[str, Seen] = {}
    left_at: float = 0.0
    n_agents: int = 2
    """The last choice in the launch form."""
    quiet: list[str] = []
    """Sweeps whose news ring no bell."""

    def of(self, sweep_id: str) -> SweepDesk:
        """Return the sweep's part, made on first use."""
        return self.sweeps.setdefault(sweep_id, SweepDesk())


def read_desk(text: str) -> Desk:
    """Return the desk that the JSON text holds; a fresh one when it holds none."""
    try:
        return msgspec.json.decode(text, type=Desk)
    except (msgspec.DecodeError, UnicodeError):
        return Desk()


def write_desk(desk: Desk) -> str:
    """Return the desk as JSON text."""
    return msgspec.json.encode(desk).decode()
