"""What all plots of a sweep share: filter, marks and cursor of the runs table, a picture, lines below it."""

from __future__ import annotations

import os

from rich.text import Text
from textual.app import ComposeResult

from tui_sweeps.format import count, counted
from tui_sweeps.model import Touched
from tui_sweeps.screens.acts import Acts
from tui_sweeps.screens.board import Board, Setting, line_of
from tui_sweeps.screens.drawing import Drawing
from tui_sweeps.screens.filter_line import FilterLine
from tui_sweeps.screens.walking import Walking
from tui_sweeps.screens.ways import GoUp
from tui_sweeps.views.filter import FilterError, parse
from tui_sweeps.views.header import state_line
from tui_sweeps.views.order import Order, SortKey, rank
from tui_sweeps.views.parallel import Plot
from tui_sweeps.views.runs import RunRows, run_passes
from tui_sweeps.views.scales import Columns
from tui_sweeps.widgets.picture import Picture
from tui_sweeps.widgets.words import Words

ROOMY_HEIGHT = 20
"""From so many lines on the sweep's state stands above the picture."""


class PlotBoard(Drawing, Walking, Acts, Board):
    """A picture of one sweep's runs."""

    AUTO_FOCUS = "Picture"

    N_BELOW = 2
    """Lines below the picture."""

    DEFAULT_CSS = """
    PlotBoard #header { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    PlotBoard.low #header { display: none; }
    PlotBoard #picture { margin: 0 1; }
    PlotBoard #below { padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    PlotBoard.filtered #below { margin-bottom: 1; }
    """

    def __init__(self, setting: Setting, sweep_id: str) -> None:
        super().__init__(setting)
        self.sweep_id = sweep_id
        self.rows = RunRows(self.model, sweep_id)
        self.columns = Columns(self.rows)
        self.plot = Plot(self.columns, self.place)
        self.order = Order()
        self.marks = setting.marks.setdefault(sweep_id, {})
        self._node = parse("")
        self._mistake: FilterError | None = None
        """What is wrong with the filter that the desk kept."""
        self._news = set()

    @property
    def colours(self) -> bool:
        """Whether colours may be used."""
        return not os.environ.get("NO_COLOR")

    def body(self) -> ComposeResult:
        """Lay out header, picture, lines below and the filter line."""
        yield Words(id="header")
        yield Picture()
        below = Words(id="below")
        below.styles.height = self.N_BELOW
        yield below
        yield FilterLine()

    # ------------------------------------------------------------------ what subclasses say

    def below(self, width: int) -> list[Text]:
        """Return the lines below the picture."""
        return [self.run_line(width)]

    def action_metric(self) -> None:
        """Show the next metric."""
        self.plot.next_colour()
        self.draw_now()

    def action_value(self) -> None:
        """Show the metric's best, last, lowest or highest value of each run."""
        key = self.plot.colour()
        self.plot.next_value()
        if key and self.plot.colour() == key:
            self.say(f"of {self.columns.title(key)} only the last value of each run is kept", bad=True)
        self.draw_now()

    # ------------------------------------------------------------------ frame

    def crumbs(self) -> list[str]:
        """Return the way to here."""
        sweep = self.model.world.sweeps.get(self.sweep_id)
        return ["Sweeps", (sweep.name or sweep.id) if sweep else self.sweep_id, self.VIEW]

    def right_crumbs(self, room: int) -> Text:
        """Return how many runs pass the filter and how many are marked."""
        shown, total = len(self.order.ids), len(self.model.world.runs_of.get(self.sweep_id, ()))
        text = counted(total, "run")
        if shown != total:
            text = f"{count(shown)} of {text}"
        if self.marks:
            text += f" · {count(len(self.marks))} marked"
        return Text(text, "dim")

    def on_mount(self) -> None:
        """Show the filter as it was left."""
        self._parse()
        super().on_mount()
        self._show_filter()

    def on_unmount(self) -> None:
        """Let go of every run's numbers at once: a closed screen waits long for the collector."""
        super().on_unmount()
        self.columns.reset()
        self.order = Order()
        self.forget()

    def on_picture_resized(self) -> None:
        """Draw for the new size."""
        self.set_class(self.size.height < ROOMY_HEIGHT, "low")
        self.draw_now()

    # ------------------------------------------------------------------ news

    def show(self, touched: Touched) -> None:
        """Follow the touched runs and draw before long."""
        if not self.exists:
            if self.model.ready:
                self.post_message(GoUp(is_asked=False))
            return
        if touched.everything:
            self._news.clear()
            self.columns.reset()
            self._parse()
            self._rebuild()
            self._show_filter()
            self.draw_now()
        elif self.sweep_id in touched.sweeps:
            self._news.update(touched.runs & self.model.world.runs_of[self.sweep_id].keys())
            self.draw_soon()

    def follow(self) -> None:
        """Read the runs again that were touched since the last drawing."""
        if self._news:
            self.columns.touch(self._news)
            self.order.update(self._news)
            self._news.clear()
            self._say_count()

    def show_words(self, width: int) -> None:
        """Show the lines around the picture."""
        lines = self.below(width)[: self.N_BELOW]
        lines += [Text("")] * (self.N_BELOW - len(lines))
        self.query_one("#below", Words).update(Text("\n").join(lines))
        sweep = self.model.world.sweeps[self.sweep_id]
        self.query_one("#header", Words).update(line_of(state_line(self.model, sweep)))
        self._show_frame()

    # ------------------------------------------------------------------ filter

    def action_back(self) -> None:
        """Drop the marks, then the filter, then go up."""
        if self.marks:
            self.marks.clear()
            self.draw_now()
        elif self.place.filter:
            self.set_filter("")
        else:
            self.post_message(GoUp())

    def action_filter(self) -> None:
        """Type a filter."""
        self.add_class("filtered")
        self.query_one(FilterLine).open(self.place.filter)

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        """Filter as it is typed."""
        self._take(message.text)

    def on_filter_line_left(self, message: FilterLine.Left) -> None:
        """Go back to the picture."""
        if not message.keep:
            self._take("")
        self._show_filter()
        self.query_one(Picture).focus()

    def set_filter(self, text: str) -> None:
        """Take a filter that was made by keys, and show it where filters are typed."""
        if self._take(text):
            self._show_filter()

    def _take(self, text: str) -> bool:
        if not self.exists:
            return False
        try:
            self._node = parse(text, self.rows.fields())
        except FilterError as error:
            self.query_one(FilterLine).say("", error)
            return False
        self.place.filter, self._mistake = text, None
        self._rebuild()
        self.draw_now()
        return True

    def _parse(self) -> None:
        """Read the filter as the desk has it; one that is none any more holds back nothing, and says so."""
        if not self.exists:
            return
        self._mistake = None
        try:
            self._node = parse(self.place.filter, self.rows.fields())
        except FilterError as error:
            self._node, self._mistake = parse(""), error

    def _show_filter(self) -> None:
        if self._is_up:
            line = self.query_one(FilterLine)
            line.show_text(self.place.filter)
            self.set_class(bool(self.place.filter), "filtered")
            self._say_count()

    def _say_count(self) -> None:
        total = len(self.model.world.runs_of.get(self.sweep_id, ()))
        self.query_one(FilterLine).say(f"{count(len(self.order.ids))} of {count(total)}", self._mistake)

    def _rebuild(self) -> None:
        world = self.model.world
        metric = self.rows.sweep.config.metric
        is_high = metric is not None and metric.goal.value == "maximize"

        def key(run_id: str) -> SortKey:
            run = world.runs[run_id]
            return (rank(run.best, is_high), (0, -run.number))

        for gone in [one for one in self.marks if one not in world.runs_of[self.sweep_id]]:
            del self.marks[gone]
        self.order.rebuild(world.runs_of[self.sweep_id], run_passes(self.rows, self._node), key)
        self._say_count()
