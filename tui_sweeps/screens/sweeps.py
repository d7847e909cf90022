"""The start screen: every sweep with its progress and its numbers."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult

from tui_sweeps.format import count, counted
from tui_sweeps.messages import Copy
from tui_sweeps.model import Touched
from tui_sweeps.screens.acts import Acts
from tui_sweeps.screens.board import Board, Setting, bindings
from tui_sweeps.screens.columns import Chosen, ColumnsScreen
from tui_sweeps.screens.filter_line import FilterLine
from tui_sweeps.screens.ways import OpenSweep
from tui_sweeps.views.cells import Cell
from tui_sweeps.views.filter import SWEEP_FIELDS, FilterError, parse
from tui_sweeps.views.order import Order, sort_words
from tui_sweeps.views.sweeps import COLUMNS, SORTABLE, SweepRows, sweep_key, sweep_passes
from tui_sweeps.widgets.table import Column, LineTable
from tui_sweeps.widgets.words import Words


class SweepsScreen(Acts, Board):
    """The Sweeps table."""

    VIEW = "sweeps"
    BINDINGS = bindings("sweeps")

    DEFAULT_CSS = """
    SweepsScreen #since { height: 1; padding: 0 1; color: $accent; display: none; }
    SweepsScreen.news #since { display: block; }
    """

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._rows = SweepRows(self.model)
        self._order = Order()
        self._node = parse("")
        self._cursor = self.desk.sweep
        self._n_waited = 0
        """Seconds without any facts."""

    def body(self) -> ComposeResult:
        """Lay out the table."""
        yield Words(id="since")
        yield LineTable(
            [Column(c.key, c.title, c.width, c.align, c.fixed) for c in COLUMNS],
            0,
            self._cell,
            empty="Asking the controller …",
            id="table",
        )
        yield FilterLine(placeholder="words, state:running, method:grid, project:…")

    @property
    def table(self) -> LineTable:
        """The table."""
        return self.query_one(LineTable)

    def right_crumbs(self, room: int) -> Text:
        """Return the sum over all sweeps."""
        tallies = [self._rows.tally(sweep_id) for sweep_id in self.model.world.sweeps]
        n_active = sum(one.n_active for one in tallies)
        n_agents = sum(one.n_agents for one in tallies)
        sweeps, agents = counted(len(tallies), "sweep"), counted(n_agents, "agent")
        return Text(f"{sweeps} · {count(n_active)} running · {agents}", "dim")

    def on_mount(self) -> None:
        """Show the filter as it was left."""
        super().on_mount()
        self._set_filter(self.desk.filter)
        self.query_one(FilterLine).show_text(self.desk.filter)
        self._waiting = self.set_interval(1.0, self._say_waiting)

    def _say_waiting(self) -> None:
        """Count the seconds until the first facts are here: a home with very many runs takes some."""
        if self.model.ready or not self._is_up:
            self._waiting.stop()
            return
        self._n_waited += 1
        self.table.set_empty(f"Asking the controller for everything it knows … {self._n_waited} s")

    # ------------------------------------------------------------------ rows

    def show(self, touched: Touched) -> None:
        """Bring the touched rows up to date."""
        if touched.everything:
            self._rows.forget()
            self._rebuild()
            return
        self._rows.touch(touched.runs)
        if self._order.update(touched.sweeps):
            self._reset()
        else:
            self._repaint(touched.sweeps)

    def tick(self) -> None:
        """Show run times and the time left."""
        busy = [one for one in self._order.ids if self._rows.tally(one).n_active]
        self._repaint(set(busy))

    def _repaint(self, sweep_ids: set[str]) -> None:
        rows = [row for one in sweep_ids if (row := self._order.row_of(one)) is not None]
        self.table.refresh_rows(rows)

    def _rebuild(self) -> None:
        world = self.model.world
        self._order.rebuild(
            world.sweeps,
            sweep_passes(world, self._node),
            sweep_key(world, self._rows, self.desk.sort, self.now),
        )
        self._reset()

    def _reset(self) -> None:
        table = self.table
        if self.model.ready:
            table.set_empty(
                "No sweep matches the filter; esc drops it."
                if self.desk.filter
                else "No sweeps yet. Press n to create one from a YAML file, or run: tui-sweeps demo"
            )
        row = self._order.row_of(self._cursor)
        table.reset(len(self._order.ids))
        table.set_sort(sort_words(self.desk.sort))
        if row is not None:
            table.cursor_row = row
        self._count()
        news = self.setting.since
        self.set_class(bool(news), "news")
        self.query_one("#since", Words).update(Text(news, no_wrap=True, overflow="ellipsis"))

    def _cell(self, row: int, key: str) -> Cell:
        if row >= len(self._order.ids):
            return Cell("")
        return self._rows.cell(self._order.ids[row], key, self.now)

    def chosen_sweep(self) -> str | None:
        """Return the sweep under the cursor."""
        row = self.table.cursor_row
        return self._order.ids[row] if 0 <= row < len(self._order.ids) else None

    # ------------------------------------------------------------------ what keys do

    def on_line_table_row_highlighted(self, message: LineTable.RowHighlighted) -> None:
        """Remember the sweep under the cursor by its id."""
        self._cursor = self.chosen_sweep() or self._cursor
        self.desk.sweep = self._cursor

    def on_line_table_row_selected(self, message: LineTable.RowSelected) -> None:
        """Open the sweep."""
        self.action_open()

    def action_open(self) -> None:
        """Open the sweep under the cursor."""
        sweep_id = self.chosen_sweep()
        if sweep_id is not None:
            self.setting.since = ""
            self.post_message(OpenSweep(sweep_id))

    def action_back(self) -> None:
        """Drop the news line, then the filter."""
        if self.setting.since:
            self.setting.since = ""
        elif self.desk.filter:
            self._set_filter("")
            self.query_one(FilterLine).show_text("")
        self._reset()

    def action_sort(self) -> None:
        """Choose what to sort by."""

        def taken(chosen: Chosen | None) -> None:
            if chosen is not None:
                self.desk.sort = chosen[1]
                self._rebuild()

        columns = [column for column in COLUMNS if column.key in SORTABLE]
        keys = [column.key for column in columns]
        self.app.push_screen(ColumnsScreen(columns, keys, keys, self.desk.sort, sorting=True), taken)

    def take_sort(self, text: str) -> str:
        """Sort by what was typed; return what is wrong with it."""
        for key, _ in sort_words(text):
            if key not in SORTABLE:
                return f"there is no column {key}; known are {', '.join(SORTABLE)}"
        self.desk.sort = text
        self._rebuild()
        return ""

    def take_filter(self, text: str) -> str:
        """Filter by what was typed; return what is wrong with it."""
        try:
            parse(text, SWEEP_FIELDS)
        except FilterError as error:
            return str(error)
        self._set_filter(text)
        self.query_one(FilterLine).show_text(text)
        return ""

    def action_copy(self) -> None:
        """Copy the sweep's id."""
        if (sweep_id := self.chosen_sweep()) is not None:
            self.post_message(Copy(sweep_id, "sweep id"))

    def on_line_table_header_selected(self, message: LineTable.HeaderSelected) -> None:
        """Sort by a clicked column."""
        key = message.column_key
        self.desk.sort = f"-{key}" if self.desk.sort == key else key
        self._rebuild()

    # ------------------------------------------------------------------ filter

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterLine).open(self.desk.filter)

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        """Filter as it is typed."""
        self._set_filter(message.text)

    def on_filter_line_left(self, message: FilterLine.Left) -> None:
        """Go back to the table."""
        if not message.keep:
            self._set_filter("")
        self.query_one(FilterLine).show_text(self.desk.filter)
        self.table.focus()

    def _set_filter(self, text: str) -> None:
        try:
            self._node = parse(text, SWEEP_FIELDS)
        except FilterError as error:
            self.query_one(FilterLine).say("", error)
            return
        self.desk.filter = text
        self._rebuild()

    def _count(self) -> None:
        shown, total = len(self._order.ids), len(self.model.world.sweeps)
        self.query_one(FilterLine).say(f"{count(shown)} of {count(total)}")
