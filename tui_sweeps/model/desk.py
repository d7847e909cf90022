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
    axes: list[str] = []
    """Parallel coordinates' axes in their order; empty: all."""
    flipped: list[str] = []
    """Axes drawn with their low end on top."""
    log_axes: dict[str, bool] = {}
    """Axes whose scale was switched: True for logarithmic."""
    colour: str = ""
    """Column of the metric that plots and importance are about, as `best`, `summary.loss`, `min.loss`."""
    curves: list[str] = []
    """Metrics whose curves a run shows; empty: the sweep's own."""
    over_time: bool = False
    """The history goes over time, not over the number of runs."""


class LaunchDesk(Struct, kw_only=True, omit_defaults=True):
    """What was chosen in the launch form."""

    way: str = "local"
    """`local` or `slurm`."""
    values: dict[str, str] = {}
    """What was typed, by field; both ways keep theirs."""


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
    launches: dict[str, LaunchDesk] = {}
    """Per project the last choice in the launch form."""
    quiet: list[str] = []
    """Sweeps whose news ring no bell."""
    columns: dict[str, list[str]] = {}
    """Per project the columns of its sweeps' runs, in their order; missing: the view's own choice."""
    commands: list[str] = []
    """What was typed after `:`, latest last."""
    unsent: list[str] = []
    """Acts that count down: still here at a start when the last dashboard ended before they were sent."""
    hinted: bool = False
    """The first start's hint was shown."""

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
