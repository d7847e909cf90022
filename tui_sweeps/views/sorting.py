"""Sorting by keys: what the next press gives."""

from __future__ import annotations

from collections.abc import Sequence


def next_sort(choices: Sequence[str], now: str) -> str:
    """Return the sorting after this one; each column in the way that is most asked for, then round again."""
    return choices[(choices.index(now) + 1) % len(choices)] if now in choices else choices[0]


def toggled(sort: str, key: str, *, add: bool = False) -> str:
    """Return the sorting after a column's title was chosen; `add` keeps the others as further keys."""
    words = [word for word in sort.split(",") if word]
    new = f"-{key}" if key in words else key
    if not add:
        return new
    rest = [word for word in words if word.lstrip("-") != key]
    return ",".join([*rest, new])
