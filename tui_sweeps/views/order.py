"""Which rows a table shows and in which order, kept up to date row by row.

A change re-judges only the rows it touched; sorting an almost sorted list is cheap, so ten thousand rows
follow a hundred changes a second without effort.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import total_ordering
from typing import Any

from controller.domain.parameters import MISSING

SortKey = tuple[tuple[int, Any], ...]


@total_ordering
class Backwards:
    """A text that sorts the other way round."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Backwards) and self.text == other.text

    def __lt__(self, other: Backwards) -> bool:
        return other.text < self.text


def rank(value: Any, descending: bool) -> tuple[int, Any]:
    """Return a sortable form of any value: numbers, then texts, what is missing always last."""
    if value is None or value is MISSING or (isinstance(value, float) and math.isnan(value)):
        return (2, 0)
    if isinstance(value, bool | int | float):
        return (0, -value if descending else value)
    return (1, Backwards(str(value)) if descending else str(value))


class Order:
    """The ids that pass a filter, sorted."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._keys: dict[str, SortKey] = {}
        self._rows: dict[str, int] | None = None
        self._passes: Callable[[str], bool] = lambda _: True
        self._key: Callable[[str], SortKey] = lambda _: ()

    def rebuild(
        self, ids: Iterable[str], passes: Callable[[str], bool], key: Callable[[str], SortKey]
    ) -> None:
        """Start over with another set of rows, filter or sorting."""
        self._passes, self._key = passes, key
        self._keys = {one: key(one) for one in ids if passes(one)}
        self._sort()

    def update(self, touched: Iterable[str]) -> bool:
        """Judge these rows again; return whether any row moved, came or went."""
        moved = False
        for one in touched:
            old = self._keys.get(one)
            new = self._key(one) if self._passes(one) else None
            if new == old:
                continue
            moved = True
            if new is None:
                del self._keys[one]
            else:
                self._keys[one] = new
        if moved:
            self._sort()
        return moved

    def row_of(self, one: str) -> int | None:
        """Return the row an id stands in."""
        if self._rows is None:
            self._rows = {key: row for row, key in enumerate(self.ids)}
        return self._rows.get(one)

    def _sort(self) -> None:
        self.ids = sorted(self._keys, key=self._keys.__getitem__)
        self._rows = None


def sort_words(text: str) -> list[tuple[str, bool]]:
    """Return (column key, descending) pairs from their text form `a,-b`."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    return [(word.lstrip("-"), word.startswith("-")) for word in words]
