"""A screen in memory: rows of characters and style numbers.

A cell holds a character with its combining marks; the second cell of a wide character is the empty string.
Writing over one half of a wide character leaves a space in the other, as terminals do. Rows grow as they are
written to: the true size is known to the writer, who crops.
"""

from __future__ import annotations

from rich.cells import split_graphemes

__all__ = ["BLANK", "Grid", "Row"]

BLANK = " "

MAX_CELLS = 4096
"""Of a row and of a column: nothing outside is a screen."""


_SINGLE_CELLS = frozenset(
    chr(code)
    for first, last in (
        (0x20, 0x7E),
        (0xA1, 0xAC),
        (0xAE, 0x2FF),
        (0x391, 0x3A1),
        (0x2010, 0x2027),
        (0x2500, 0x25FC),
        (0x2800, 0x28FF),
    )
    for code in range(first, last + 1)
)
"""Most of what a dashboard draws; everything else is measured."""


class Row:
    """One line of cells."""

    __slots__ = ("chars", "styles")

    def __init__(self, chars: list[str] | None = None, styles: list[int] | None = None) -> None:
        self.chars: list[str] = [] if chars is None else chars
        self.styles: list[int] = [] if styles is None else styles

    def put(self, x: int, text: str, style: int) -> int:
        """Write `text` from cell `x` on; return the cell after it."""
        cells = list(text) if text.isascii() or _SINGLE_CELLS.issuperset(text) else _cells_of(text)
        end = x + len(cells)
        chars, styles = self.chars, self.styles
        if len(chars) < end:
            n_more = end - len(chars)
            chars.extend([BLANK] * n_more)
            styles.extend([0] * n_more)
        if cells:
            if x and chars[x] == "":
                chars[x - 1] = BLANK
            if end < len(chars) and chars[end] == "":
                chars[end] = BLANK
        chars[x:end] = cells
        styles[x:end] = [style] * len(cells)
        return end

    def cropped(self, width: int) -> Row:
        """Return a copy of exactly `width` cells; a wide character cut at the edge becomes a space."""
        n_missing = width - len(self.chars)
        if n_missing > 0:
            return Row(self.chars + [BLANK] * n_missing, self.styles + [0] * n_missing)
        chars = self.chars[:width]
        if width and len(self.chars) > width and self.chars[width] == "":
            chars[-1] = BLANK
        return Row(chars, self.styles[:width])


def _cells_of(text: str) -> list[str]:
    """Split text into cells: a grapheme, followed by an empty string when it is two cells wide."""
    cells: list[str] = []
    for start, end, width in split_graphemes(text)[0]:
        if width == 0:
            continue  # a mark without a base: the base is in the cell before, which may be another style
        cells.append(text[start:end])
        cells.extend([""] * (width - 1))
    return cells


class Grid:
    """All rows, and which of them were written to since the last look."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.dirty: set[int] = set()

    def row(self, y: int) -> Row:
        """Return row `y` to write to."""
        y = min(max(y, 0), MAX_CELLS)
        while len(self.rows) <= y:
            self.rows.append(Row())
        self.dirty.add(y)
        return self.rows[y]

    def clear(self) -> None:
        """Make every cell a plain space."""
        self.dirty.update(range(len(self.rows)))
        self.rows = [Row() for _ in self.rows]
