"""Columns, cells and the geometry of a table line: pure, in terminal cells.

Columns marked `fixed` stand at the left and do not scroll sideways; the others follow in their order. Every
column is as wide as it says plus one separating space, so a cell's place is known without any row being read.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from tui_sweeps.format import cell_width, sanitise

__all__ = ["Align", "Cell", "Column", "Geometry", "padded"]

Align = Literal["left", "right"]

GAP_CELLS = 1
"""Between two columns."""

MARK_CELLS = 2
"""The mark's symbol and its gap, at the far left."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    key: str
    """What the cell function is asked with."""
    title: str
    width: int
    """In terminal cells, without the gap."""
    align: Align = "left"
    fixed: bool = False
    """Stays at the left when the table scrolls sideways."""


class Cell(NamedTuple):
    """What one cell shows."""

    text: str
    """Plain; cleaned and cut by the table, never read as markup."""
    style: str = ""
    """A Rich style, such as "bold red"."""


class Geometry:
    """Where the columns of a table stand on a line that is not scrolled."""

    def __init__(self, columns: Sequence[Column], *, marks: bool) -> None:
        self.fixed = tuple(column for column in columns if column.fixed)
        self.moving = tuple(column for column in columns if not column.fixed)
        self.mark_width = MARK_CELLS if marks else 0
        self.fixed_width = self.mark_width + sum(column.width + GAP_CELLS for column in self.fixed)
        """Of the part that does not scroll, mark included."""
        self.starts: dict[str, int] = {}
        at = self.mark_width
        for column in (*self.fixed, *self.moving):
            self.starts[column.key] = at
            at += column.width + GAP_CELLS
        self.total_width = at
        self.moving_starts = tuple(self.starts[column.key] for column in self.moving)
        self.by_key = {column.key: column for column in (*self.fixed, *self.moving)}

    def in_window(self, left: int, right: int) -> tuple[int, int]:
        """Return first and one past the last of the moving columns that touch cells `left` to `right`."""
        first = max(0, bisect_right(self.moving_starts, left) - 1)
        return first, max(first, bisect_right(self.moving_starts, right - 1))

    def span(self, key: str, scroll_x: int, width: int) -> tuple[int, int] | None:
        """Return (x, cells) of a column on a screen line `width` wide, or None when it is out of sight."""
        column = self.by_key.get(key)
        if column is None:
            return None
        left = self.starts[key]
        right = left + column.width
        if not column.fixed:
            left, right = max(left - scroll_x, self.fixed_width), right - scroll_x
        right = min(right, width)
        return (left, right - left) if right > left else None

    def n_out_of_sight(self, scroll_x: int, width: int) -> tuple[int, int]:
        """Return how many moving columns are hidden on the left and, wholly or partly, on the right."""
        left = sum(start < self.fixed_width + scroll_x for start in self.moving_starts)
        right = sum(self.starts[one.key] + one.width > scroll_x + width for one in self.moving)
        return left, right

    def column_at(self, x: int, scroll_x: int) -> Column | None:
        """Return the column under screen position `x`."""
        at = x if x < self.fixed_width else x + scroll_x
        for column in (*self.fixed, *self.moving):
            if self.starts[column.key] <= at < self.starts[column.key] + column.width + GAP_CELLS:
                return column
        return None

    def next_stop(self, scroll_x: int, step: Literal[-1, 1]) -> int:
        """Return the scroll position that shows the next or previous moving column from its start."""
        stops = [start - self.fixed_width for start in self.moving_starts]
        if step > 0:
            return next((stop for stop in stops if stop > scroll_x), scroll_x)
        return next((stop for stop in reversed(stops) if stop < scroll_x), 0)


@lru_cache(maxsize=16384)
def padded(text: str, width: int, align: Align) -> str:
    """Return `text` cleaned and exactly `width` cells wide, followed by the gap."""
    clean = sanitise(text, width=width)
    room = " " * (width - cell_width(clean))
    return f"{room}{clean} " if align == "right" else f"{clean}{room} "
