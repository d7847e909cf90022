"""One line of a table put together from its cells: pure, styles and texts in, a strip out.

A moving column that is only partly in sight is laid out anew in the cells it has: a number cut in the middle
would read as another number, one that ends in an ellipsis does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_sweeps.format import sanitise
from tui_sweeps.widgets.columns import GAP_CELLS, Cell, Column, Geometry, padded

__all__ = ["LineLook", "compose_line", "header_line", "sort_title"]

_NONE = Style.null()

SORT_UP, SORT_DOWN = "▲", "▼"


class LineLook:
    """The styles of whole lines, each put together once."""

    def __init__(self, base: Style, above: Style = _NONE, mark: Style = _NONE) -> None:
        """`base` lies below the cells' own styles, `above` over them; `mark` is the mark's own."""
        self.plain = base + above
        self.mark = base + mark + above
        self._base, self._above = base, above
        self._known: dict[str, Style] = {"": self.plain}

    def of(self, style: str) -> Style:
        """Return the look of a cell of this style."""
        found = self._known.get(style)
        if found is None:
            found = self._known[style] = self._base + Style.parse(style) + self._above
        return found


class _Runs:
    """Gathers texts; neighbours of the same style make one segment: less to lay out, to parse and to send."""

    def __init__(self, look: LineLook) -> None:
        self.segments: list[Segment] = []
        self.n_cells = 0
        self._look = look
        self._texts: list[str] = []
        self._style = ""

    def add(self, text: str, style: str, n_cells: int) -> None:
        if style != self._style:
            self.close()
            self._style = style
        self._texts.append(text)
        self.n_cells += n_cells

    def close(self) -> None:
        if self._texts:
            self.segments.append(Segment("".join(self._texts), self._look.of(self._style)))
            self._texts.clear()

    def fit(self, width: int) -> None:
        """Fill up to the width, or leave out the last cell's gap."""
        if self.n_cells < width:
            self.add(" " * (width - self.n_cells), "", width - self.n_cells)
        elif self.n_cells == width + GAP_CELLS and self._texts:
            self._texts[-1] = self._texts[-1][:-GAP_CELLS]
            self.n_cells = width
        self.close()


def compose_line(
    geometry: Geometry,
    window: tuple[int, int],
    look: LineLook,
    cell: Callable[[Column], tuple[str, str]],
    mark: str = "",
) -> Strip:
    """Return the line seen through `window` (sideways scroll, width): mark, fixed columns, moving columns."""
    scroll_x, width = window
    runs = _Runs(look)
    if mark:
        runs.segments.append(Segment(mark.ljust(geometry.mark_width), look.mark))
        runs.n_cells = geometry.mark_width
    else:
        runs.add(" " * geometry.mark_width, "", geometry.mark_width)
    for column in geometry.fixed:
        text, style = cell(column)
        runs.add(padded(text, column.width, column.align), style, column.width + GAP_CELLS)
    left, right = scroll_x + geometry.fixed_width, scroll_x + width
    first, end = geometry.in_window(left, right)
    for column in geometry.moving[first:end]:
        start = geometry.starts[column.key]
        n_cells = min(start + column.width, right) - max(start, left)
        if n_cells >= 0:
            text, style = cell(column)
            runs.add(padded(text, n_cells, column.align), style, n_cells + GAP_CELLS)
    runs.fit(width)
    strip = Strip(runs.segments, runs.n_cells)
    return strip if runs.n_cells == width else strip.crop(0, width)


def sort_title(column: Column, sort: Sequence[tuple[str, bool]]) -> Cell:
    """Return the column's title, with an arrow (and its place among several keys) when it is sorted by."""
    for place, (key, descending) in enumerate(sort, start=1):
        if key == column.key:
            sign = (SORT_DOWN if descending else SORT_UP) + (str(place) if len(sort) > 1 else "")
            return Cell(sanitise(column.title, width=max(0, column.width - len(sign))) + sign)
    return Cell(column.title)


def header_line(
    geometry: Geometry, window: tuple[int, int], style: Style, sort: Sequence[tuple[str, bool]]
) -> Strip:
    """Return the titles; at the right end, how many columns are hidden on either side."""
    scroll_x, width = window
    look = LineLook(style)
    n_left, n_right = geometry.n_out_of_sight(scroll_x, width)
    hint = (f" ←{n_left}" if n_left else "") + (f" {n_right}→" if n_right else "")
    room = width - len(hint)
    if room <= geometry.fixed_width:
        hint, room = "", width
    line = compose_line(geometry, (scroll_x, room), look, lambda column: sort_title(column, sort))
    return Strip.join([line, Strip([Segment(hint, style)])]) if hint else line
