"""Sorting by a column's title."""

from __future__ import annotations


def toggled(sort: str, key: str, *, add: bool = False) -> str:
    """Return the sorting after a column's title was chosen; `add` keeps the others as further keys."""
    words = [word for word in sort.split(",") if word]
    new = f"-{key}" if key in words else key
    if not add:
        return new
    rest = [word for word in words if word.lstrip("-") != key]
    return ",".join([*rest, new])
