"""A table over a row function: nothing is mounted, only what is on screen is asked for.

Textual's `DataTable` mounts every row and repaints itself whole for one changed cell. This one is drawn line
by line, so that 100,000 rows start as fast as a hundred and one changed cell costs one small
region. It knows neither runs nor sweeps: the owner gives `n_rows` and `cell`, and says what changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message

from tui_sweeps.widgets.columns import Cell, Column, Geometry
from tui_sweeps.widgets.tablelines import HEADER_LINES, TableLines

__all__ = ["Cell", "Column", "LineTable"]


class LineTable(TableLines, can_focus=True):
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

    def _show_cursor(self) -> None:
        """Scroll as little as needed to bring the cursor's row into sight."""
        top, n_visible = self.scroll_offset.y, self.n_visible_rows
        row = max(0, self.cursor_row)
        if not n_visible or top <= row < top + n_visible:
            return
        self.scroll_to(y=row if row < top else row - n_visible + 1, animate=False)

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
