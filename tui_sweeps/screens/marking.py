"""Marks in the runs table: one by one, a range, all that the filter shows, none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_sweeps.views.order import Order
from tui_sweeps.widgets.table import LineTable

if TYPE_CHECKING:
    from tui_sweeps.screens.board import Board

    Base = Board
else:
    Base = object


class Marking(Base):
    """Marks runs by their ids, in the order of marking; which rows there are, the board says."""

    _marks: dict[str, None]
    _order: Order

    @property
    def table(self) -> LineTable:
        """The table."""
        return self.query_one(LineTable)

    def _under_cursor(self) -> str | None:
        row = self.table.cursor_row
        return self._order.ids[row] if 0 <= row < len(self._order.ids) else None

    def _is_marked(self, row: int) -> bool:
        return row < len(self._order.ids) and self._order.ids[row] in self._marks

    def action_mark(self) -> None:
        """Mark the run and go on."""
        if (run_id := self._under_cursor()) is not None:
            if run_id in self._marks:
                del self._marks[run_id]
            else:
                self._marks[run_id] = None
            self.table.refresh_rows([self.table.cursor_row])
            self.table.action_cursor_by(1)
            self._show_frame()

    def action_mark_range(self) -> None:
        """Mark everything from the last mark to the cursor."""
        rows = [row for one in self._marks if (row := self._order.row_of(one)) is not None]
        start, here = (rows[-1] if rows else self.table.cursor_row), self.table.cursor_row
        for row in range(min(start, here), max(start, here) + 1):
            if 0 <= row < len(self._order.ids):
                self._marks[self._order.ids[row]] = None
        self._marks_changed()

    def action_mark_all(self) -> None:
        """Mark all rows that the filter shows."""
        self._marks.clear()
        self._marks.update(dict.fromkeys(self._order.ids))
        self._marks_changed()

    def action_mark_none(self) -> None:
        """Take all marks away."""
        self._marks.clear()
        self._marks_changed()

    def _marks_changed(self) -> None:
        self.table.refresh()
        self._show_frame()
