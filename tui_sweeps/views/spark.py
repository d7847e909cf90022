"""A line of values as a few characters."""

from __future__ import annotations

import math
from collections.abc import Iterable

BARS = "▁▂▃▄▅▆▇█"


def spark(values: Iterable[float], width: int) -> str:
    """Return the last `width` values between their least and their largest; what is no number is a gap."""
    last = list(values)[-width:]
    finite = [value for value in last if math.isfinite(value)]
    if not finite:
        return ""
    low, high = min(finite), max(finite)
    span = high - low
    if not math.isfinite(span):
        return ""
    out = []
    for value in last:
        if not math.isfinite(value):
            out.append(" ")
        elif span <= 0:
            out.append(BARS[3])
        else:
            out.append(BARS[min(7, int((value - low) / span * 8))])
    return "".join(out)
