"""Filters changed by keys: a brush on an axis is nothing but two comparisons in the filter text."""

from __future__ import annotations

import re

from tui_sweeps.views.filter.parser import FilterError, parse
from tui_sweeps.views.filter.words import And, Compare, Op

PLAIN_NAME = re.compile(r"[^\s|()\":=<>!/-][^\s|()\":=<>!]*")


def quoted(name: str) -> str:
    """Return a field or value as the filter's text needs it."""
    return name if PLAIN_NAME.fullmatch(name) else f'"{name.replace(chr(34), "")}"'


def limits_of(text: str, field: str) -> tuple[float | None, float | None]:
    """Return the low and the high limit that the filter sets to a field, None where it sets none."""
    low: float | None = None
    high: float | None = None
    for term in _terms(text):
        if term.field == field and term.number is not None:
            if term.op is Op.GE:
                low = term.number
            elif term.op is Op.LE:
                high = term.number
    return low, high


def with_limits(text: str, field: str, low: float | None, high: float | None) -> str:
    """Return the filter with these limits for a field instead of the ones it had."""
    name = quoted(field)
    kept = re.sub(rf"(?<!\S){re.escape(name)}[<>]=\S+\s*", "", text).strip()
    parts = [kept] if kept else []
    if low is not None:
        parts.append(f"{name}>={low:.6g}")
    if high is not None:
        parts.append(f"{name}<={high:.6g}")
    return " ".join(parts)


def _terms(text: str) -> list[Compare]:
    try:
        node = parse(text)
    except FilterError:
        return []
    nodes = node.parts if isinstance(node, And) else (node,)
    return [part for part in nodes if isinstance(part, Compare)]
