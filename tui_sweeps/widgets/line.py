"""One line of a table put together from its cells: pure, styles and texts in, a strip out.

A moving column that is only partly in sight is laid out anew in the cells it has: a number cut in the middle
would read as another number, one that ends in an ellipsis does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_sweeps.format import sanitise
from tui_sweeps.widgets.columns import Cell, Column, Geometry, padded

__all__ = ["LineLook", "compose_line", "header_line", "sort_title"]

SORT_UP, SORT_DOWN = "▲", "▼"


@dataclass(frozen=True, slots=True)
class LineLook:
    """The styles of a whole line."""

    base: Style
    """Below the cells' own."""
    above: Style
    """Over the cells' own: the cursor's."""
    mark: Style
    """Of the mark's symbol."""


class _Runs:
    """Gathers texts; neighbours of the same style make one segment: less to lay out, to parse and to send."""

    def __init__(self, look: LineLook) -> None:
        self.segments: list[Segment] = []
        self._look = look
        self._plain = look.base + look.above
        self._texts: list[str] = []
        self._style = ""

    def add(self, text: str, style: str) -> None:
        if style != self._style:
            self.close()
            self._style = style
        self._texts.append(text)

    def close(self) -> None:
        if self._texts:
            look = self._look
            style = look.base + Style.parse(self._style) + look.above if self._style else self._plain
            self.segments.append(Segment("".join(self._texts), style))
            self._texts.clear()


def compose_line(
    geometry: Geometry,
    window: tuple[int, int],
    look: LineLook,
    cell: Callable[[Column], Cell],
    mark: str = "",
) -> Strip:
    """Return the line seen through `window` (sideways scroll, width): mark, fixed columns, moving columns."""
    scroll_x, width = window
    runs = _Runs(look)
    if mark:
        runs.segments.append(Segment(mark.ljust(geometry.mark_width), look.base + look.mark + look.above))
    else:
        runs.add(" " * geometry.mark_width, "")
    for column in geometry.fixed:
        shown = cell(column)
        runs.add(padded(shown.text, column.width, column.align), shown.style)
    left, right = scroll_x + geometry.fixed_width, scroll_x + width
    first, end = geometry.in_window(left, right)
    for column in geometry.moving[first:end]:
        start = geometry.starts[column.key]
        n_cells = min(start + column.width, right) - max(start, left)
        if n_cells >= 0:
            shown = cell(column)
            runs.add(padded(shown.text, n_cells, column.align), shown.style)
    runs.close()
    return Strip(runs.segments).adjust_cell_length(width, look.base + look.above)


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
    look = LineLook(style, Style.null(), Style.null())
    n_left, n_right = geometry.n_out_of_sight(scroll_x, width)
    hint = (f" ←{n_left}" if n_left else "") + (f" {n_right}→" if n_right else "")
    room = width - len(hint)
    if room <= geometry.fixed_width:
        hint, room = "", width
    line = compose_line(geometry, (scroll_x, room), look, lambda column: sort_title(column, sort))
    return Strip.join([line, Strip([Segment(hint, style)])]) if hint else line
