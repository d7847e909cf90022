"""Columns, sorting and filter of the runs table, chosen in a dialog or typed after `:`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_sweeps.model import SweepDesk
from tui_sweeps.screens.columns import Chosen, ColumnsScreen
from tui_sweeps.screens.filter_line import FilterLine
from tui_sweeps.views.filter import FilterError, parse
from tui_sweeps.views.order import sort_words
from tui_sweeps.views.runs import RunRows

if TYPE_CHECKING:
    from tui_sweeps.screens.board import Board

    Base = Board
else:
    Base = object


class Choosing(Base):
    """Takes choices; columns are kept for the sweep's project, sorting and filter for the sweep."""

    sweep_id: str
    _rows: RunRows
    _columns: list[str]

    @property
    def place(self) -> SweepDesk:
        """How this sweep's screens were left."""
        return self.desk.of(self.sweep_id)

    def _rebuild(self) -> None:
        raise NotImplementedError

    def _set_filter(self, text: str) -> None:
        raise NotImplementedError

    def action_sort(self) -> None:
        """Choose what to sort by."""
        self._choose(sorting=True)

    def action_columns(self) -> None:
        """Choose columns and their order."""
        self._choose(sorting=False)

    def _choose(self, *, sorting: bool) -> None:
        if self.sweep_id not in self.model.world.sweeps:
            return

        def taken(chosen: Chosen | None) -> None:
            if chosen is None or self.sweep_id not in self.model.world.sweeps:
                return
            if not sorting:
                self.desk.columns.pop(self._project, None)
                if chosen[0]:
                    self.desk.columns[self._project] = chosen[0]
            self.place.sort = chosen[1]
            self._rebuild()

        own = [column.key for column in self._rows.columns()]
        screen = ColumnsScreen(self._rows.all_columns(), own, self._columns, self.place.sort, sorting=sorting)
        self.app.push_screen(screen, taken)

    @property
    def _project(self) -> str:
        return self._rows.sweep.project

    def take_sort(self, text: str) -> str:
        """Sort by what was typed; return what is wrong with it."""
        known = [column.key for column in self._rows.all_columns()]
        for key, _ in sort_words(text):
            if key not in known:
                return f"there is no column {key}; known are {', '.join(known[:8])} …"
        self.place.sort = text
        self._rebuild()
        return ""

    def take_filter(self, text: str) -> str:
        """Filter by what was typed; return what is wrong with it."""
        try:
            parse(text, self._rows.fields())
        except FilterError as error:
            return str(error)
        self._set_filter(text)
        self.query_one(FilterLine).show_text(text)
        return ""
