"""One sweep: its header and the table of its runs."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult

from controller.domain.states import RUN_ACTIVE
from tui_sweeps.format import count, counted
from tui_sweeps.messages import Copy, WantTails
from tui_sweeps.model import Touched
from tui_sweeps.screens.acts import Acts
from tui_sweeps.screens.board import Board, Setting, bindings
from tui_sweeps.screens.choosing import Choosing
from tui_sweeps.screens.filter_line import FilterLine
from tui_sweeps.screens.heading import Heading
from tui_sweeps.screens.marking import Marking
from tui_sweeps.screens.ways import GoUp as GoUp
from tui_sweeps.screens.ways import OpenRun as OpenRun
from tui_sweeps.views.cells import Cell
from tui_sweeps.views.filter import FilterError, parse
from tui_sweeps.views.order import Order, sort_words
from tui_sweeps.views.run import command_text, config_yaml
from tui_sweeps.views.runs import SPARK_CELLS, RunRows, run_key, run_passes
from tui_sweeps.views.sorting import toggled
from tui_sweeps.views.tally import Sums
from tui_sweeps.widgets.table import Column, LineTable
from tui_sweeps.widgets.words import Words


class RunsScreen(Heading, Marking, Choosing, Acts, Board):
    """The runs of one sweep."""

    VIEW = "runs"
    BINDINGS = bindings("runs")

    DEFAULT_CSS = """
    RunsScreen #header { height: 2; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    RunsScreen.roomy #header { height: 3; }
    """

    def __init__(self, setting: Setting, sweep_id: str) -> None:
        super().__init__(setting)
        self.sweep_id = sweep_id
        self._rows = RunRows(self.model, sweep_id)
        self._order = Order()
        self._node = parse("")
        self._marks = setting.marks.setdefault(sweep_id, {})
        self._filter = ""
        """The text that `_node` was read from; a plot may have changed the sweep's filter meanwhile."""
        self._columns: list[str] = []
        self._sums: Sums | None = None
        self._times: dict[str, str] = {}
        """Run times of the active runs in sight as they were painted."""
        self._asked_tails: set[str] = set()
        self._best: tuple[str, float | None] | None = None

    def body(self) -> ComposeResult:
        """Lay out header, table and filter line."""
        yield Words(id="header")
        yield LineTable(
            [], 0, self._cell, marked=self._is_marked, empty="No runs yet. Press a to launch agents."
        )
        yield FilterLine()

    def crumbs(self) -> list[str]:
        """Return the way to here."""
        sweep = self.model.world.sweeps.get(self.sweep_id)
        return ["Sweeps", (sweep.name or sweep.id) if sweep else self.sweep_id]

    def right_crumbs(self, room: int) -> Text:
        """Return how many rows are shown and marked."""
        shown, total = len(self._order.ids), len(self.model.world.runs_of.get(self.sweep_id, ()))
        text = counted(total, "run")
        if shown != total:
            text = f"{count(shown)} of {text}"
        if self._marks:
            text += f" · {count(len(self._marks))} marked"
        return Text(text, "dim")

    def on_mount(self) -> None:
        """Show the filter as it was left."""
        super().on_mount()
        if self.place.filter:
            self._set_filter(self.place.filter)
            self.query_one(FilterLine).show_text(self.place.filter)
        if self.setting.foresight is not None:
            self.look_ahead()

    def on_screen_resume(self) -> None:
        """Take over the filter and the cursor that a plot of this sweep left."""
        super().on_screen_resume()
        if self._is_up and self.place.filter != self._filter:
            self._set_filter(self.place.filter)
            self.query_one(FilterLine).show_text(self.place.filter)
        elif (row := self._order.row_of(self.place.cursor)) is not None:
            self.table.cursor_row = row

    # ------------------------------------------------------------------ rows

    def show(self, touched: Touched) -> None:
        """Bring the touched rows up to date."""
        if self.sweep_id not in self.model.world.sweeps:
            if self.model.ready:
                self.post_message(GoUp(is_asked=False))
            return
        if touched.everything:
            self._sums = None
            self._rebuild()
        elif self.sweep_id in touched.sweeps:
            mine = [one for one in touched.runs if one in self.model.world.runs_of[self.sweep_id]]
            if self._sums is not None:
                self._sums.touch(mine)
            if self._order.update(mine):
                self._reset()
            else:
                self._repaint(self._in_sight() if self._is_best_new() else mine)
        self.show_header()

    def _is_best_new(self) -> bool:
        """Say whether there is another best since the last look: every row compares itself with it."""
        found = self._rows.best()
        before, self._best = self._best, None if found is None else (found.id, found.best)
        return self._best != before

    def tick(self) -> None:
        """Show run times and the time left; most run times read the same as a second ago."""
        world, times = self.model.world, {}
        for run_id in self._in_sight():
            run = world.runs.get(run_id)
            if run is not None and run.state in RUN_ACTIVE:
                times[run_id] = self._rows.cell(run_id, "duration", self.now).text
        self._repaint([one for one, text in times.items() if self._times.get(one) != text])
        self._times = times
        self.show_header()

    def _in_sight(self) -> list[str]:
        top = self.table.scroll_offset.y
        return self._order.ids[top : top + self.table.n_visible_rows]

    def _repaint(self, run_ids: Sequence[str]) -> None:
        rows = [row for one in run_ids if (row := self._order.row_of(one)) is not None]
        self.table.refresh_rows(rows)

    def _rebuild(self) -> None:
        world = self.model.world
        if self.sweep_id not in world.sweeps:
            return
        self._order.rebuild(
            world.runs_of[self.sweep_id],
            run_passes(self._rows, self._node),
            run_key(self._rows, self.place.sort, self.now),
        )
        for gone in [one for one in self._marks if one not in world.runs_of[self.sweep_id]]:
            del self._marks[gone]
        self._reset()

    def _reset(self) -> None:
        columns = self._rows.columns(self.desk.columns.get(self._project, ()))
        keys = [column.key for column in columns]
        shown = None
        if keys != self._columns:
            self._columns = keys
            shown = [Column(c.key, c.title, c.width, c.align, c.fixed) for c in columns]
        row = self._order.row_of(self.place.cursor)
        if self.place.filter:
            self.table.set_empty("No run matches the filter; esc drops it.")
        self.table.reset(len(self._order.ids), shown)
        self.table.set_sort(sort_words(self.place.sort))
        if row is not None:
            self.table.cursor_row = row
        shown_rows, total = len(self._order.ids), len(self.model.world.runs_of[self.sweep_id])
        self.query_one(FilterLine).say(f"{count(shown_rows)} of {count(total)}")
        self._show_frame()
        self.later(self._ask_tails)

    def _cell(self, row: int, key: str) -> Cell:
        if row >= len(self._order.ids):
            return Cell("")
        return self._rows.cell(self._order.ids[row], key, self.now)

    # ------------------------------------------------------------------ what is chosen

    def chosen_sweep(self) -> str | None:
        """Return this sweep."""
        return self.sweep_id

    def chosen_runs(self) -> list[str]:
        """Return the marked runs, else the one under the cursor."""
        if self._marks:
            return list(self._marks)
        run_id = self._under_cursor()
        return [] if run_id is None else [run_id]

    def on_line_table_row_highlighted(self, message: LineTable.RowHighlighted) -> None:
        """Remember the run under the cursor by its id."""
        self.place.cursor = self._under_cursor() or self.place.cursor
        self.later(self._ask_tails)

    def _ask_tails(self) -> None:
        """Ask for the metric's course of the rows in sight that came before this dashboard."""
        metric = self._rows.sweep.config.metric if self.sweep_id in self.model.world.sweeps else None
        if metric is None:
            return
        seen = self._in_sight()
        ids = tuple(one for one in seen if one not in self.model.tails and one not in self._asked_tails)
        if ids:
            self._asked_tails.update(ids)
            self.post_message(WantTails(ids, metric.name, SPARK_CELLS))

    def on_line_table_row_selected(self, message: LineTable.RowSelected) -> None:
        """Open the run."""
        self.action_open()

    def action_open(self) -> None:
        """Open the run under the cursor."""
        if (run_id := self._under_cursor()) is not None:
            self.post_message(OpenRun(run_id))

    def action_back(self) -> None:
        """Drop the marks, then the filter, then go up."""
        if self._marks:
            self.action_mark_none()
        elif self.place.filter:
            self._set_filter("")
            self.query_one(FilterLine).show_text("")
        else:
            self.post_message(GoUp())

    # ------------------------------------------------------------------ sorting, copying, filter

    def on_line_table_header_selected(self, message: LineTable.HeaderSelected) -> None:
        """Sort by a clicked column."""
        self.place.sort = toggled(self.place.sort, message.column_key)
        self._rebuild()

    def action_copy(self) -> None:
        """Copy the run's id."""
        if (run_id := self._under_cursor()) is not None:
            self.post_message(Copy(run_id, "run id"))

    def action_copy_config(self) -> None:
        """Copy the run's config."""
        if (run_id := self._under_cursor()) is not None:
            self.post_message(Copy(config_yaml(self.model.world.runs[run_id]), "config as YAML"))

    def action_copy_more(self) -> None:
        """Copy the run's command line."""
        run_id = self._under_cursor()
        if run_id is not None and (text := command_text(self.model.world.runs[run_id])):
            self.post_message(Copy(text, "command line"))

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterLine).open(self.place.filter)

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        """Filter as it is typed."""
        self._set_filter(message.text)

    def on_filter_line_left(self, message: FilterLine.Left) -> None:
        """Go back to the table."""
        if not message.keep:
            self._set_filter("")
        self.query_one(FilterLine).show_text(self.place.filter)
        self.table.focus()

    def _set_filter(self, text: str) -> None:
        if self.sweep_id not in self.model.world.sweeps:
            return
        try:
            self._node = parse(text, self._rows.fields())
        except FilterError as error:
            self.query_one(FilterLine).say("", error)
            return
        self.place.filter = self._filter = text
        self._rebuild()
