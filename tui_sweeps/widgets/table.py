"""A table over a row function: nothing is mounted, only what is on screen is asked for.

Textual's `DataTable` mounts every row and repaints itself whole for one changed cell. This one is drawn line
by line, so that 100,000 rows start as fast as a hundred and one changed cell costs one small
region. It knows neither runs nor sweeps: the owner gives `n_rows` and `cell`, and says what changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import ClassVar, Literal

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui_sweeps.format import fit, sanitise
from tui_sweeps.widgets.columns import Cell, Column, Geometry
from tui_sweeps.widgets.kept import KeptLines
from tui_sweeps.widgets.line import LineLook, compose_line, header_line

__all__ = ["Cell", "Column", "LineTable"]

HEADER_LINES = 1
MARK = "●"

_NONE = Style.null()
_NOT_DIM = Style(dim=False)
"""The cursor's row reads well, and costs a terminal few changes of style."""

CellFunction = Callable[[int, str], tuple[str, str]]
"""Row and column key in, text and style of the cell out, as a `Cell` has them."""


class LineTable(KeptLines, ScrollView, can_focus=True):
    """A table with a sticky header, sticky first columns, a row cursor and marks."""

    ALLOW_SELECT = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor_by(-1)", "Up", show=False),
        Binding("down,j", "cursor_by(1)", "Down", show=False),
        Binding("pageup", "cursor_page(-1)", "Page up", show=False),
        Binding("pagedown", "cursor_page(1)", "Page down", show=False),
        Binding("home", "cursor_edge(-1)", "First row", show=False),
        Binding("end", "cursor_edge(1)", "Last row", show=False),
        Binding("left", "column_by(-1)", "Columns to the left", show=False),
        Binding("right", "column_by(1)", "Columns to the right", show=False),
        Binding("enter", "select_row", "Open", show=False),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "linetable--header",
        "linetable--cursor",
        "linetable--marked",
        "linetable--empty",
    }

    DEFAULT_CSS = """
    LineTable {
        height: 1fr;
        background: $surface;
        color: $foreground;
        scrollbar-size: 0 1;
        & > .linetable--header { text-style: bold; background: $panel; color: $foreground; }
        & > .linetable--cursor { background: $block-cursor-blurred-background; text-style: bold; }
        & > .linetable--marked { text-style: bold; color: $accent; }
        & > .linetable--empty { color: $text-muted; }
        &:focus > .linetable--cursor {
            background: $block-cursor-background; color: $block-cursor-foreground;
            text-style: $block-cursor-text-style;
        }
        &:ansi > .linetable--header, &:ansi > .linetable--cursor, &:ansi > .linetable--empty {
            background: ansi_default; color: ansi_default;
        }
        &:ansi > .linetable--header { text-style: bold underline; }
        &:ansi:focus > .linetable--cursor { text-style: bold reverse; }
        &:nocolor > .linetable--header { text-style: bold underline; }
        &:nocolor:focus > .linetable--cursor { text-style: bold reverse; }
    }
    """

    cursor_row: reactive[int] = reactive(-1, repaint=False)
    """The row under the cursor, -1 when there are no rows."""

    class RowHighlighted(Message):
        """The cursor came to another row."""

        def __init__(self, table: LineTable, row: int) -> None:
            super().__init__()
            self.table = table
            self.row = row

        @property
        def control(self) -> LineTable:
            """The table that sent this."""
            return self.table

    class RowSelected(RowHighlighted):
        """A row was opened, by enter or a double click."""

    class HeaderSelected(Message):
        """A column's title was clicked."""

        def __init__(self, table: LineTable, column_key: str) -> None:
            super().__init__()
            self.table = table
            self.column_key = column_key

        @property
        def control(self) -> LineTable:
            """The table that sent this."""
            return self.table

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

    def reset(
        self,
        n_rows: Callable[[], int] | int | None = None,
        columns: Sequence[Column] | None = None,
        keep_cursor: bool = True,
    ) -> None:
        """Take a new number of rows (and columns) and draw everything again.

        With `keep_cursor` the cursor stays on its row number as far as there are rows, else it goes to
        the first.
        """
        if n_rows is not None:
            self._row_source = n_rows
        if columns is not None:
            self._geometry = Geometry(columns, marks=self._marked is not None)
        self.n_rows = self._row_source if isinstance(self._row_source, int) else self._row_source()
        self.virtual_size = Size(self._geometry.total_width, self.n_rows + HEADER_LINES)
        self.cursor_row = max(self.cursor_row, 0) if keep_cursor else 0
        if self.is_mounted:
            self._show_cursor()
        self.refresh()

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

    def _show_cursor(self) -> None:
        """Scroll as little as needed to bring the cursor's row into sight."""
        top, n_visible = self.scroll_offset.y, self.n_visible_rows
        row = max(0, self.cursor_row)
        if not n_visible or top <= row < top + n_visible:
            return
        self.scroll_to(y=row if row < top else row - n_visible + 1, animate=False)

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

    def validate_cursor_row(self, row: int) -> int:
        """Keep the cursor on the rows there are."""
        return min(max(row, 0), self.n_rows - 1)

    def watch_cursor_row(self, old: int, new: int) -> None:
        """Draw the two rows concerned, scroll if need be, and tell the owner."""
        if self.is_mounted:
            self.refresh_rows((old, new))
            self._show_cursor()
        if new >= 0:
            self.post_message(self.RowHighlighted(self, new))

    def on_mount(self) -> None:
        """Read the number of rows for the first time."""
        super().on_mount()  # type: ignore[no-untyped-call]
        self.reset()

    def on_resize(self, _event: events.Resize) -> None:
        """Keep the cursor in sight."""
        self._show_cursor()

    def action_cursor_by(self, n_rows: int) -> None:
        """Move the cursor by so many rows."""
        self.cursor_row += n_rows

    def action_cursor_page(self, step: int) -> None:
        """Move the cursor by a screen, the scroll position with it."""
        n_rows = max(1, self.n_visible_rows)
        self.scroll_to(y=self.scroll_offset.y + step * n_rows, animate=False)
        self.cursor_row += step * n_rows

    def action_cursor_edge(self, step: int) -> None:
        """Move the cursor to the first or the last row."""
        self.cursor_row = 0 if step < 0 else self.n_rows - 1

    def action_column_by(self, step: Literal[-1, 1]) -> None:
        """Scroll sideways to the next column's start."""
        self.scroll_to(x=self._geometry.next_stop(self.scroll_offset.x, step), animate=False)

    def action_select_row(self) -> None:
        """Open the row under the cursor."""
        if self.cursor_row >= 0:
            self.post_message(self.RowSelected(self, self.cursor_row))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to a clicked row, open it on the second click; tell of a clicked title."""
        at = event.get_content_offset(self)
        if at is None:
            return
        event.stop()
        if at.y < HEADER_LINES:
            column = self._geometry.column_at(at.x, self.scroll_offset.x)
            if column is not None:
                self.post_message(self.HeaderSelected(self, column.key))
            return
        row = at.y - HEADER_LINES + self.scroll_offset.y
        if row < self.n_rows:
            self.cursor_row = row
            if event.chain == 2:
                self.action_select_row()
