"""Which rows a table shows and in which order, kept up to date row by row.

A change re-judges only the rows it touched and moves those alone: ten thousand rows follow a hundred changes
a second without being sorted again.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable
from functools import total_ordering
from typing import Any

from controller.domain.parameters import MISSING

SortKey = tuple[tuple[int, Any], ...]
Place = tuple[SortKey, int]
"""A row's key, and when it came: no two are equal."""

FEW = 8
"""Up to one row in so many moves by itself; more are sorted together."""


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
    """The ids that pass a filter, sorted; those with equal keys as they came."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._places: list[Place] = []
        """What `ids` is sorted by, in the same order."""
        self._place_of: dict[str, Place] = {}
        self._came: dict[str, int] = {}
        self._passes: Callable[[str], bool] = lambda _: True
        self._key: Callable[[str], SortKey] = lambda _: ()

    def rebuild(
        self, ids: Iterable[str], passes: Callable[[str], bool], key: Callable[[str], SortKey]
    ) -> None:
        """Start over with another set of rows, filter or sorting."""
        self._passes, self._key = passes, key
        self._came = {one: n for n, one in enumerate(ids)}
        self._place_of = {one: (key(one), n) for one, n in self._came.items() if passes(one)}
        self._sort()

    def update(self, touched: Iterable[str]) -> bool:
        """Judge these rows again; return whether any row moved, came or went."""
        moved: list[tuple[str, Place | None, Place | None]] = []
        for one in dict.fromkeys(touched):
            came = self._came.setdefault(one, len(self._came))
            old, new = self._place_of.get(one), (self._key(one), came) if self._passes(one) else None
            if new == old:
                continue
            moved.append((one, old, new))
            if new is None:
                del self._place_of[one]
            else:
                self._place_of[one] = new
        if len(moved) * FEW > len(self.ids):
            self._sort()
        else:
            for one, old, new in moved:
                self._move(one, old, new)
        return bool(moved)

    def row_of(self, one: str) -> int | None:
        """Return the row an id stands in."""
        place = self._place_of.get(one)
        return None if place is None else bisect_left(self._places, place)

    def _move(self, one: str, old: Place | None, new: Place | None) -> None:
        if old is not None:
            row = bisect_left(self._places, old)
            del self._places[row], self.ids[row]
        if new is not None:
            row = bisect_left(self._places, new)
            self._places.insert(row, new)
            self.ids.insert(row, one)

    def _sort(self) -> None:
        self.ids = sorted(self._place_of, key=self._place_of.__getitem__)
        self._places = [self._place_of[one] for one in self.ids]


def sort_words(text: str) -> list[tuple[str, bool]]:
    """Return (column key, descending) pairs from their text form `a,-b`."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    return [(word.lstrip("-"), word.startswith("-")) for word in words]
