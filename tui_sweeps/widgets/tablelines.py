"""What a table looks like: its header and the rows in sight, painted line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui_sweeps.format import fit, sanitise
from tui_sweeps.widgets.columns import Column, Geometry
from tui_sweeps.widgets.kept import KeptLines
from tui_sweeps.widgets.line import LineLook, compose_line, header_line

__all__ = ["HEADER_LINES", "TableLines"]

HEADER_LINES = 1
MARK = "●"

_NONE = Style.null()
_NOT_DIM = Style(dim=False)
"""The cursor's row reads well, and costs a terminal few changes of style."""

CellFunction = Callable[[int, str], tuple[str, str]]
"""Row and column key in, text and style of the cell out, as a `Cell` has them."""


class TableLines(KeptLines, ScrollView):
    """Header and rows, of which nothing exists but the lines in sight."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "linetable--header",
        "linetable--cursor",
        "linetable--marked",
        "linetable--empty",
    }

    cursor_row: reactive[int] = reactive(-1, repaint=False)
    """The row under the cursor, -1 when there are no rows."""

    def __init__(
        self,
        columns: Sequence[Column],
        n_rows: Callable[[], int] | int,
        cell: CellFunction,
        *,
        marked: Callable[[int], bool] | None = None,
        empty: str = "",
        id: str | None = None,  # noqa: A002 - Textual's word
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._row_source = n_rows
        self._cell = cell
        self._marked = marked
        self._empty = empty
        self._geometry = Geometry(columns, marks=marked is not None)
        self._sort: tuple[tuple[str, bool], ...] = ()
        self.n_rows = 0

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns in the order they stand on screen."""
        return (*self._geometry.fixed, *self._geometry.moving)

    def set_sort(self, keys: Sequence[tuple[str, bool]]) -> None:
        """Show (column key, descending) in the titles, the first key first; sorting is the owner's."""
        self._sort = tuple(keys)
        self._refresh_visible(Region(0, 0, self.size.width, HEADER_LINES))

    def set_empty(self, text: str) -> None:
        """Say what stands there when there are no rows."""
        self._empty = text
        if not self.n_rows:
            self.refresh()

    def refresh_rows(self, rows: Iterable[int]) -> None:
        """Draw these rows again, those out of sight excepted."""
        first = self.scroll_offset.y
        end = min(first + self.n_visible_rows, self.n_rows)
        seen = sorted({row for row in rows if first <= row < end})
        regions: list[Region] = []
        width = self.size.width
        for row in seen:
            y = row - first + HEADER_LINES
            if regions and regions[-1].bottom == y:
                regions[-1] = Region(0, regions[-1].y, width, regions[-1].height + 1)
            else:
                regions.append(Region(0, y, width, 1))
        self._refresh_visible(*regions)

    def refresh_cell(self, row: int, column_key: str) -> None:
        """Draw one cell again if it is in sight."""
        y = self._line_of(row)
        span = self._geometry.span(column_key, self.scroll_offset.x, self.scrollable_content_region.width)
        if y is not None and span is not None:
            self._refresh_visible(Region(span[0], y, span[1], 1))

    @property
    def n_visible_rows(self) -> int:
        """How many rows fit on the screen now."""
        return max(0, self.scrollable_content_region.height - HEADER_LINES)

    def _line_of(self, row: int) -> int | None:
        y = row - self.scroll_offset.y + HEADER_LINES
        return y if HEADER_LINES <= y <= self.n_visible_rows and row < self.n_rows else None

    def _refresh_visible(self, *regions: Region) -> None:
        if regions:  # without a region Textual repaints the whole widget
            self.refresh(*regions)

    def paint(self, ys: Sequence[int]) -> Iterator[Strip]:
        """Yield screen lines: the header, rows, or the word for an empty table."""
        base, region = self.rich_style, self.scrollable_content_region
        first, scroll_x = self.scroll_offset.y - HEADER_LINES, self.scroll_offset.x
        window, width = (scroll_x, region.width), self.size.width  # the last column may be the scrollbar's
        marked = self._style("marked")
        looks = (LineLook(base, _NONE, marked), LineLook(base, self._style("cursor") + _NOT_DIM, marked))
        for y in ys:
            row = y + first
            if y < HEADER_LINES:
                line = header_line(self._geometry, window, base + self._style("header"), self._sort)
            elif row < self.n_rows:
                line = self._row_line(row, window, looks[row == self.cursor_row])
            elif not self.n_rows and y == HEADER_LINES + 1 and self._empty:
                text = fit(" " + sanitise(self._empty), region.width)
                line = Strip([Segment(text, base + self._style("empty"))])
            else:
                line = Strip.blank(width, base)
            yield line if line.cell_length == width else line.adjust_cell_length(width, base)

    def _row_line(self, row: int, window: tuple[int, int], look: LineLook) -> Strip:
        mark = MARK if self._marked is not None and self._marked(row) else ""
        return compose_line(self._geometry, window, look, lambda column: self._cell(row, column.key), mark)

    def _style(self, part: str) -> Style:
        return self.get_component_rich_style(f"linetable--{part}", partial=True)
