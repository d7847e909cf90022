"""The chooser of columns and of sorting: every column there is, found by typing, on or off, in any order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from tui_sweeps.format import sanitise
from tui_sweeps.screens.dialog import Dialog
from tui_sweeps.views.cells import Column
from tui_sweeps.views.choice import Choice
from tui_sweeps.widgets.lineinput import LineInput
from tui_sweeps.widgets.table import Cell, LineTable
from tui_sweeps.widgets.table import Column as TableColumn

Chosen = tuple[list[str], str]
"""Column keys in their order (empty: the view's own choice), and the sorting as text."""

COLUMNS = (
    TableColumn("on", "ON", 3),
    TableColumn("sort", "SORT", 5),
    TableColumn("title", "TITLE", 16),
    TableColumn("key", "FIELD", 34),
)


class ColumnsScreen(Dialog[Chosen | None]):
    """Returns columns and sorting, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "leave", show=False, priority=True),
        Binding("slash", "search", show=False),
        Binding("space", "turn", show=False),
        Binding("s,S", "sort", show=False),
        Binding("K,shift+up,less_than_sign", "move(-1)", show=False),
        Binding("J,shift+down,greater_than_sign", "move(1)", show=False),
        Binding("asterisk", "own", show=False),
        Binding("minus", "unsorted", show=False),
        Binding("C", "take", show=False),
    ]

    DEFAULT_CSS = """
    ColumnsScreen { align: center middle; background: $background 60%; }
    ColumnsScreen > Vertical {
        width: 70; max-width: 96%; height: 90%; border: round $primary; background: $surface; padding: 0 1;
    }
    ColumnsScreen Static { height: auto; }
    ColumnsScreen #hint { color: $text-muted; }
    ColumnsScreen Input { border: none; height: 1; padding: 0; background: $boost; }
    ColumnsScreen:ansi > Vertical { border: round ansi_default; background: ansi_default; }
    ColumnsScreen:ansi { background: ansi_default; }
    """

    def __init__(
        self,
        columns: Sequence[Column],
        own: Sequence[str],
        shown: Sequence[str],
        sort: str,
        *,
        sorting: bool = False,
    ) -> None:
        super().__init__()
        self._choice = Choice(columns, own, shown, sort)
        self._sorting = sorting
        self._found = self._choice.find("")

    def compose(self) -> ComposeResult:
        """Lay out search, list, hint."""
        with Vertical():
            yield Static(Text("Sort by" if self._sorting else "Columns", "bold"))
            yield LineInput(placeholder="/ search")
            yield LineTable(COLUMNS, len(self._found), self._cell, empty="No column has such a name.")
            turns = "sorts up, down, not" if self._sorting else "on/off, s sorts, < > move, * the usual"
            yield Static(f"space {turns}, - no sorting, enter takes it, esc leaves", id="hint", markup=False)

    def on_mount(self) -> None:
        """Stand on the list."""
        self.query_one(LineTable).focus()

    def _cell(self, row: int, key: str) -> Cell:
        if row >= len(self._found):
            return Cell("")
        column = self._found[row]
        if key == "on":
            return Cell("[x]" if self._choice.is_on(column.key) else "[ ]")
        if key == "sort":
            return Cell(self._choice.sort_sign(column.key), "bold")
        return Cell(sanitise(column.title), "bold") if key == "title" else Cell(sanitise(column.key), "dim")

    def _under_cursor(self) -> str | None:
        row = self.query_one(LineTable).cursor_row
        return self._found[row].key if 0 <= row < len(self._found) else None

    def _show(self, key: str | None = None) -> None:
        self._found = self._choice.find(self.query_one(Input).value)
        table = self.query_one(LineTable)
        table.reset(len(self._found))
        keys = [column.key for column in self._found]
        if key in keys:
            table.cursor_row = keys.index(key)

    # ------------------------------------------------------------------ what keys do

    def action_search(self) -> None:
        """Type a part of the name."""
        self.query_one(Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what fits."""
        self._show()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the list."""
        self.query_one(LineTable).focus()

    def action_turn(self) -> None:
        """Turn the column on or off, or its sorting."""
        key = self._under_cursor()
        if key is not None:
            (self._choice.sort if self._sorting else self._choice.turn)(key)
            self._show(key)

    def action_sort(self) -> None:
        """Sort by the column: up, down, not."""
        if (key := self._under_cursor()) is not None:
            self._choice.sort(key)
            self._show(key)

    def action_unsorted(self) -> None:
        """Sort by nothing."""
        self._choice.unsort()
        self._show(self._under_cursor())

    def action_move(self, step: int) -> None:
        """Move the column."""
        if (key := self._under_cursor()) is not None and self._choice.is_on(key):
            self._choice.move(key, step)
            self._show(key)

    def action_own(self) -> None:
        """Go back to the view's own choice."""
        self._choice.reset()
        self._show(self._under_cursor())

    def on_line_table_row_selected(self, message: LineTable.RowSelected) -> None:
        """Take it."""
        message.stop()
        self.action_take()

    def action_take(self) -> None:
        """Take it."""
        self.dismiss((self._choice.chosen(), self._choice.sort_text()))

    def action_leave(self) -> None:
        """Leave everything as it was."""
        self.dismiss(None)
