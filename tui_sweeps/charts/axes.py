"""Axes of charts: what a position between 0 and 1 means, and round tick labels.

Charts draw positions; whoever owns the values turns them into positions with `Axis.position` or by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tui_sweeps.format import number

__all__ = ["Axis", "AxisKind", "axis_of", "categorical_axis", "nice_ticks"]

AxisKind = Literal["linear", "log", "categorical"]

_TICK_CELLS = 8
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis; position 0 is its low end, before any flipping."""

    name: str
    kind: AxisKind = "linear"
    ticks: tuple[tuple[float, str], ...] = ()
    """(position 0-1, label)."""
    flipped: bool = False
    """Drawn with its low end on top."""
    has_missing: bool = False
    """Some lines have no value here; they meet at a tick of their own."""
    brush: tuple[float, float] | None = None
    """Chosen range as positions (low, high)."""
    low: float = 0.0
    """Value at position 0, of a numeric axis."""
    high: float = 1.0
    """Value at position 1, of a numeric axis."""

    def position(self, value: float) -> float | None:
        """Return where a value of a numeric axis lies, or None when it has no place on it."""
        low, high = self.low, self.high
        if self.kind == "log":
            if value <= 0 or low <= 0:
                return None
            value, low, high = math.log10(value), math.log10(low), math.log10(high)
        if not math.isfinite(value):
            return None
        return 0.5 if high == low else min(1.0, max(0.0, (value - low) / (high - low)))


def nice_ticks(low: float, high: float, n_ticks: int, *, log: bool = False) -> list[float]:
    """Return about `n_ticks` round values from `low` to `high`, powers of ten when `log` spans some."""
    if not (math.isfinite(low) and math.isfinite(high)) or n_ticks < 1:
        return []
    if high <= low:
        return [low]
    if log and low > 0:
        first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
        if last > first:
            every = max(1, math.ceil((last - first + 1) / n_ticks))
            return [10.0**power for power in range(first, last + 1, every)]
    raw = (high - low) / max(1, n_ticks)
    if raw <= 0 or not math.isfinite(raw):
        return [low, high]
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next((s * magnitude for s in _STEPS if s * magnitude >= raw * 0.999), 10 * magnitude)
    if step == 0 or not math.isfinite(step):
        return [low, high]
    first_at, last_at = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    if last_at - first_at > 4 * n_ticks + 4:
        return [low, high]
    return [
        round(at * step, 12) if abs(at * step) > 1e-6 else at * step for at in range(first_at, last_at + 1)
    ]


def axis_of(
    name: str,
    values: Sequence[float | None],
    *,
    log: bool = False,
    n_ticks: int = 4,
    flipped: bool = False,
    brush: tuple[float, float] | None = None,
) -> Axis:
    """Return a numeric axis over the finite values there are; None and NaN are missing."""
    found = [v for v in values if v is not None and math.isfinite(v) and (not log or v > 0)]
    if not found:
        return Axis(name, flipped=flipped, has_missing=True, brush=brush)
    low, high = min(found), max(found)
    kind: AxisKind = "log" if log else "linear"
    bare = Axis(name, kind, (), flipped, len(found) < len(values), brush, low, high)
    ticks = tuple(
        (position, number(value, _TICK_CELLS))
        for value in nice_ticks(low, high, n_ticks, log=log)
        if (position := bare.position(value)) is not None
    )
    return Axis(name, kind, ticks, flipped, bare.has_missing, brush, low, high)


def categorical_axis(
    name: str,
    categories: Sequence[str],
    *,
    has_missing: bool = False,
    flipped: bool = False,
    brush: tuple[float, float] | None = None,
) -> Axis:
    """Return an axis of categories in the order they were declared; category i of n lies at i / (n - 1)."""
    last = max(1, len(categories) - 1)
    only = len(categories) == 1
    ticks = tuple((0.5 if only else at / last, text) for at, text in enumerate(categories))
    return Axis(name, "categorical", ticks, flipped, has_missing, brush, 0.0, float(last))
