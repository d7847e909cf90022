"""Lines drawn as dots inside character cells: numbers and a size in, styled text lines out.

A column of dots is one integer, a layer one integer per column, so that a segment is drawn by OR-ing a cached
stamp into a slice. Lines of the same style that follow each other share a layer; the colour of a cell is that
of the last layer with a dot in it. Thousands of lines over the same places are drawn at once by `bundle`:
numpy counts where dots begin and end, so that the work hardly grows with their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby, pairwise
from operator import or_
from typing import TYPE_CHECKING, Any

from rich.text import Span, Text

from tui_sweeps.charts.glyphs import Glyphs
from tui_sweeps.charts.palette import attributes_only

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Raster"]

_LEFT = (0x01, 0x02, 0x04, 0x40)
_RIGHT = (0x08, 0x10, 0x20, 0x80)
_QUADRANTS = " ▘▖▌▝▀▞▛▗▚▄▙▐▜▟█"
"""By upper left 1, lower left 2, upper right 4, lower right 8."""
_HALVES = " '.:"


def _braille(left: int, right: int) -> str:
    code = 0x2800
    for row in range(4):
        if left >> row & 1:
            code += _LEFT[row]
        if right >> row & 1:
            code += _RIGHT[row]
    return chr(code)


_BRAILLE = tuple(tuple(_braille(left, right) for right in range(16)) for left in range(16))


class Raster:
    """A canvas of `width` x `height` cells; dot (0, 0) is at the upper left."""

    def __init__(self, width: int, height: int, glyphs: Glyphs = Glyphs.BRAILLE) -> None:
        across, down = glyphs.dots
        self.width, self.height = max(0, width), max(0, height)
        self.n_dots_x, self.n_dots_y = self.width * across, self.height * down
        self._glyphs = glyphs
        self._layers: list[tuple[str, list[int], bool]] = []
        self._labels: list[tuple[int, int, str, str]] = []

    def line(self, points: Sequence[tuple[int, int]], style: str = "", *, alone: bool = False) -> None:
        """Draw a polyline through dots (x, y), x not falling; what is outside the canvas is cut off.

        With `alone` the cells it passes show its own dots only, so that it can be followed among many.
        """
        if not self._layers or self._layers[-1][0] != style or self._layers[-1][2] != alone:
            self._layers.append((style, [0] * self.n_dots_x, alone))
        columns = self._layers[-1][1]
        if len(points) == 1:
            points = (points[0], points[0])
        for (x0, y0), (x1, y1) in pairwise(points):
            if x0 >= 0 and 0 <= y0 < self.n_dots_y and 0 <= y1 < self.n_dots_y and x1 < self.n_dots_x:
                stamp = _stamp(x1 - x0, y0, y1)
                columns[x0 : x1 + 1] = map(or_, columns[x0 : x1 + 1], stamp)
            else:
                self._clipped(columns, (x0, y0), (x1, y1))

    def _clipped(self, columns: list[int], start: tuple[int, int], end: tuple[int, int]) -> None:
        (x0, y0), (x1, y1) = start, end
        inside = (1 << self.n_dots_y) - 1
        low = min(y0, y1, 0)
        for at, dots in enumerate(_stamp(x1 - x0, y0 - low, y1 - low), start=x0):
            if 0 <= at < len(columns):
                columns[at] |= (dots >> -low) & inside

    def bundle(self, xs: Sequence[int], ys: np.ndarray, groups: np.ndarray, styles: Sequence[str]) -> None:
        """Draw many polylines with the same corners' columns, the first style's group lowest.

        `xs` rises, on the canvas; `ys` are dot rows (n_lines, n_corners) on the canvas; `groups` (n_lines)
        says which of `styles` each line has.
        """
        import numpy as np

        first, n_columns = xs[0], xs[-1] - xs[0] + 1
        n_groups, n_places = len(styles), self.n_dots_y + 1
        ends = np.zeros((n_groups, n_columns, n_places), dtype=np.int32)
        for at in range(max(1, len(xs) - 1)):
            x0, x1 = xs[at], xs[min(at + 1, len(xs) - 1)]
            low, high = _spans(x1 - x0, ys[:, at], ys[:, min(at + 1, len(xs) - 1)])
            part = ends[:, x0 - first : x1 - first + 1]
            place = (groups[:, None] * (x1 - x0 + 1) + np.arange(x1 - x0 + 1)) * n_places
            part += np.bincount((place + low).ravel(), minlength=part.size).reshape(part.shape)
            part -= np.bincount((place + high + 1).ravel(), minlength=part.size).reshape(part.shape)
        dots = ends.cumsum(axis=2, dtype=np.int32)[:, :, : self.n_dots_y] > 0
        packed = np.packbits(dots, axis=2, bitorder="little")
        for style, rows in zip(styles, packed, strict=True):
            columns = [0] * self.n_dots_x
            columns[first : first + n_columns] = [int.from_bytes(row.tobytes(), "little") for row in rows]
            self._layers.append((style, columns, False))

    def mark(self) -> tuple[int, int]:
        """Return how much has been drawn, for `back_to`."""
        return len(self._layers), len(self._labels)

    def back_to(self, mark: tuple[int, int]) -> None:
        """Take away what was drawn after `mark`."""
        del self._layers[mark[0] :]
        del self._labels[mark[1] :]

    def column(self, x: int, y0: int, y1: int, style: str = "") -> None:
        """Draw the dots from `y0` to `y1` of one dot column."""
        self.line(((x, y0), (x, y1)), style)

    def label(self, x: int, y: int, text: str, style: str = "") -> None:
        """Write plain single-cell text over the dots, from cell (x, y) on."""
        self._labels.append((x, y, text, style))

    def rows(self, *, colours: bool = True) -> list[Text]:
        """Return the picture, one text per line of cells."""
        chars = [[" "] * self.width for _ in range(self.height)]
        styles = [[""] * self.width for _ in range(self.height)]
        for cell_x in range(self.width):
            self._fill_column(cell_x, chars, styles)
        for x, y, text, style in self._labels:
            for at, char in enumerate(text, start=x):
                if 0 <= y < self.height and 0 <= at < self.width:
                    chars[y][at], styles[y][at] = char, style
        pairs = zip(chars, styles, strict=True)
        return [_text(row, row_styles, colours) for row, row_styles in pairs]

    def _fill_column(self, cell_x: int, chars: list[list[str]], styles: list[list[str]]) -> None:
        across, down = self._glyphs.dots
        mask = (1 << down) - 1
        all_left = all_right = 0
        looks: dict[int, str] = {}
        for style, columns, alone in self._layers:
            left = columns[cell_x * across]
            right = columns[cell_x * across + 1] if across == 2 else 0
            if not left | right:
                continue
            passed = _cells(left | right, down)
            if alone:
                hidden = sum(mask << row * down for row in passed)
                all_left, all_right = all_left & ~hidden, all_right & ~hidden
            all_left |= left
            all_right |= right
            for row in passed:
                looks[row] = style
        for row, style in looks.items():
            shift = row * down
            chars[row][cell_x] = self._char(all_left >> shift & mask, all_right >> shift & mask)
            styles[row][cell_x] = style

    def _char(self, left: int, right: int) -> str:
        if self._glyphs is Glyphs.BRAILLE:
            return _BRAILLE[left][right]
        return _QUADRANTS[left | right << 2] if self._glyphs is Glyphs.BLOCK else _HALVES[left]


def _spans(dx: int, y0: Any, y1: Any) -> tuple[Any, Any]:
    """Return lowest and highest dots (n_lines, dx + 1) on the way from `y0` to `y1`, as `_stamp` has them."""
    import numpy as np

    if dx <= 0:
        return np.minimum(y0, y1)[:, None], np.maximum(y0, y1)[:, None]
    step = ((y1 - y0) / dx)[:, None]
    flat = np.rint(y0[:, None] + step * np.arange(dx + 1)).astype(np.int64)
    ends = np.rint(y0[:, None] + step * (np.arange(dx + 1) + 0.5)).astype(np.int64)
    ends[:, -1] = y1
    starts = np.empty_like(ends)
    starts[:, 0] = y0
    past = np.where(step > 0, 1, -1)
    starts[:, 1:] = ends[:, :-1] + np.where(ends[:, :-1] != ends[:, 1:], past, 0)
    is_flat = np.abs(step) <= 1
    starts, ends = np.where(is_flat, flat, starts), np.where(is_flat, flat, ends)
    return np.minimum(starts, ends), np.maximum(starts, ends)


@lru_cache(maxsize=32768)
def _stamp(dx: int, y0: int, y1: int) -> tuple[int, ...]:
    """Dot columns of a segment from (0, y0) to (dx, y1), without gaps between neighbouring columns."""
    if dx <= 0:
        return (_run(y0, y1),)
    step = (y1 - y0) / dx
    if -1.0 <= step <= 1.0:
        return tuple([1 << round(y0 + step * x) for x in range(dx + 1)])
    ends = [*[round(y0 + step * (x + 0.5)) for x in range(dx)], y1]
    past = 1 if step > 0 else -1  # a column begins past the last dot of the one before
    starts = [y0, *[end + past if end != after else end for end, after in pairwise(ends)]]
    return tuple(map(_run, starts, ends))


@lru_cache(maxsize=65536)
def _run(y0: int, y1: int) -> int:
    low, high = (y0, y1) if y0 <= y1 else (y1, y0)
    return (1 << high + 1) - (1 << low)


@lru_cache(maxsize=65536)
def _cells(dots: int, down: int) -> tuple[int, ...]:
    """Rows of cells in which a dot column has any dot."""
    mask = (1 << down) - 1
    found = []
    row = 0
    while dots:
        if dots & mask:
            found.append(row)
        dots >>= down
        row += 1
    return tuple(found)


def _text(chars: list[str], styles: list[str], colours: bool) -> Text:
    spans: list[Span] = []
    start = 0
    for style, cells in groupby(styles):
        end = start + sum(1 for _ in cells)
        shown = style if colours else attributes_only(style)
        if shown:
            spans.append(Span(start, end, shown))
        start = end
    return Text("".join(chars), no_wrap=True, end="", spans=spans)
