"""Numbers, times and shares in few cells.

Percent exists only here; everywhere else a share is a fraction. Functions of the past take the time that has
passed, never a clock.
"""

from __future__ import annotations

import math
import time
from typing import Any

from tui_sweeps.format.text import fit, sanitise

__all__ = ["number", "duration", "ago", "percent", "clock", "count", "MISSING"]

MISSING = "\N{EN DASH}"
"""Shown for a value that is not there."""

_LONG, _HUGE = 10**18, 10**300
"""Integers shown like floats from here on; integers without a float from there on."""

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


def number(value: Any, width: int = 10) -> str:
    """Return a config or summary value in at most `width` cells, with as many digits as fit.

    Integers stay whole while they fit, floats keep up to six significant digits. Anything that is not a
    number is sanitised text.
    """
    if value is None:
        return MISSING[:width]
    if isinstance(value, bool):
        return fit("true" if value else "false", width)
    if isinstance(value, int):
        if abs(value) >= _HUGE:
            return fit("huge", width)
        text = str(value) if abs(value) < _LONG else ""
        return text if 0 < len(text) <= width else _shortest(float(value), width)
    if isinstance(value, float):
        return _shortest(value, width)
    return sanitise(str(value), width=width)


def _shortest(value: float, width: int) -> str:
    if math.isnan(value):
        return fit("nan", width)
    if math.isinf(value):
        return fit("inf" if value > 0 else "-inf", width)
    for n_digits in range(6, 0, -1):
        text = f"{value:.{n_digits}g}"
        if "e" in text:
            mantissa, exponent = text.split("e")
            text = f"{mantissa}e{int(exponent)}"
        if len(text) <= width:
            return text
    return "#" * max(0, width)  # a cut number would be a wrong number


def count(n: int) -> str:
    """Return a count with thousands marked, from a million on in millions: 1,234 and 1.23M."""
    for limit, unit in ((1_000_000_000, "G"), (1_000_000, "M")):
        if abs(n) >= limit:
            return f"{n / limit:.3g}{unit}" if abs(n) < 1000 * limit else f"{n / limit:,.0f}{unit}"
    return f"{n:,d}"


def counted(n: int, noun: str) -> str:
    """Return a count with its noun: `1 run`, `1,234 runs`."""
    return f"{count(n)} {noun}" if n == 1 else f"{count(n)} {noun}s"


def percent(fraction: float | None) -> str:
    """Return a share in 0-1 as percent; never 100% before it is whole and never 0% when it is something."""
    if fraction is None or math.isnan(fraction):
        return MISSING
    value = fraction * 100
    if 99.5 <= value < 100:
        return "99%"
    if 0 < value < 1:
        return "<1%"
    return f"{value:.0f}%"


def duration(seconds: float | None) -> str:
    """Return a span in its two largest units: 0.4s, 12s, 3m05s, 2h14m, 3d04h."""
    if seconds is None or math.isnan(seconds):
        return MISSING
    if math.isinf(seconds):
        return "∞"
    if seconds < 0:
        return "-" + duration(-seconds)
    if 0 < seconds < 0.95:
        return f"{max(0.1, seconds):.1f}s"
    whole = round(seconds)
    if whole < _MINUTE_S:
        return f"{whole}s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S}m{whole % _MINUTE_S:02d}s"
    if whole < _DAY_S:
        return f"{whole // _HOUR_S}h{whole % _HOUR_S // _MINUTE_S:02d}m"
    return f"{whole // _DAY_S}d{whole % _DAY_S // _HOUR_S:02d}h"


def ago(seconds: float | None) -> str:
    """Return how long ago something was, in one unit, given the seconds since."""
    if seconds is None or math.isnan(seconds):
        return MISSING
    if seconds < 2:
        return "now"
    for limit, unit, name in (
        (_MINUTE_S, 1, "s"),
        (_HOUR_S, _MINUTE_S, "m"),
        (_DAY_S, _HOUR_S, "h"),
        (math.inf, _DAY_S, "d"),
    ):
        if seconds < limit:
            return f"{int(seconds // unit)}{name} ago"
    return "long ago"


def clock(at: float | None, *, seconds: bool = True) -> str:
    """Return the local time of day of a moment (Unix seconds)."""
    if at is None:
        return MISSING
    try:
        return time.strftime("%H:%M:%S" if seconds else "%H:%M", time.localtime(at))
    except (OverflowError, ValueError, OSError):
        return MISSING
