"""Further views of one sweep: importance, the log of events; each is one page of text."""

from __future__ import annotations

import os

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll

from controller.domain.queries import GetImportance, GetNotes, ImportanceTable, Notes, NotFound
from tui_sweeps.format import clock, counted, duration, fit, sanitise
from tui_sweeps.messages import Answered, Ask
from tui_sweeps.model import Touched
from tui_sweeps.screens.acts import Acts
from tui_sweeps.screens.board import Board, Setting, bindings
from tui_sweeps.screens.history import HistoryScreen
from tui_sweeps.screens.parallel import ParallelScreen
from tui_sweeps.screens.plots import PlotBoard
from tui_sweeps.screens.slices import SlicesScreen
from tui_sweeps.screens.ways import GoUp
from tui_sweeps.views.importance import head, n_ended, next_metric, next_value, query, said
from tui_sweeps.views.runs import RunRows
from tui_sweeps.views.scales import Columns
from tui_sweeps.widgets.words import Words


class SweepView(Acts, Board):
    """A view of one sweep that is a page of text."""

    AUTO_FOCUS = "VerticalScroll"

    DEFAULT_CSS = """
    SweepView #page { height: 1fr; padding: 1 1; scrollbar-size-vertical: 1; }
    SweepView #text { height: auto; }
    """

    def __init__(self, setting: Setting, sweep_id: str) -> None:
        super().__init__(setting)
        self.sweep_id = sweep_id

    def body(self) -> ComposeResult:
        """Lay out the page."""
        with VerticalScroll(id="page"):
            yield Words(id="text")

    def crumbs(self) -> list[str]:
        """Return the way to here."""
        sweep = self.model.world.sweeps.get(self.sweep_id)
        return ["Sweeps", (sweep.name or sweep.id) if sweep else self.sweep_id, self.VIEW]

    def chosen_sweep(self) -> str | None:
        """Return this sweep."""
        return self.sweep_id

    def action_back(self) -> None:
        """Go up."""
        self.post_message(GoUp())

    def page(self, text: Text) -> None:
        """Show a text."""
        self.query_one("#text", Words).update(text)


class ImportanceScreen(SweepView):
    """Which parameters drive the metric; computed by the controller when asked, which takes seconds."""

    VIEW = "importance"
    BINDINGS = bindings("importance")

    def __init__(self, setting: Setting, sweep_id: str) -> None:
        super().__init__(setting, sweep_id)
        self.place = self.desk.of(sweep_id)
        self.columns = Columns(RunRows(self.model, sweep_id))
        self._answers: dict[GetImportance, ImportanceTable | NotFound] = {}
        """Of every question asked so far: going back and forth is free."""
        self._n_ended: dict[GetImportance, int] = {}
        """How many runs had ended when it was asked."""
        self._asked: GetImportance | None = None
        """What the page is about."""
        self._awaited: GetImportance | None = None
        self._asked_at = 0.0

    @property
    def _waits(self) -> bool:
        return self._asked is not None and self._asked == self._awaited

    def on_mount(self) -> None:
        """Count the seconds while it is computed."""
        super().on_mount()
        self.set_interval(1.0, lambda: self._draw() if self._waits and self._is_up else None)

    def show(self, touched: Touched) -> None:
        """Ask at first; later only say how many runs have ended since."""
        if self.sweep_id not in self.model.world.sweeps:
            if self.model.ready:
                self.post_message(GoUp(is_asked=False))
            return
        if touched.everything:
            self.columns.reset()
        else:
            self.columns.touch(())  # there may be other metrics now
        if self._asked is None or (touched.everything and self._waits):
            self.action_again()
        elif touched.everything or self.sweep_id in touched.sweeps:
            self._draw()

    def action_again(self) -> None:
        """Compute it anew."""
        self._asked = self._awaited = query(self.columns, self.place)
        if self._asked is not None:
            self._asked_at = self.setting.clock()
            self._n_ended[self._asked] = n_ended(self.model.world, self.sweep_id)
            self.post_message(Ask(self, "importance", self._asked))
        self._draw()

    def _ask(self) -> None:
        """Show what is known of the question, or have it computed."""
        asked = query(self.columns, self.place)
        if asked is not None and (asked == self._awaited or self._answered(asked)):
            self._asked = asked
            self._draw()
        else:
            self.action_again()

    def _answered(self, asked: GetImportance) -> bool:
        return isinstance(self._answers.get(asked), ImportanceTable)

    def on_answered(self, message: Answered) -> None:
        """Draw the bars."""
        if isinstance(message.query, GetImportance) and isinstance(
            message.answer, ImportanceTable | NotFound
        ):
            self._answers[message.query] = message.answer
            if message.query == self._awaited:
                self._awaited = None
            self._draw()

    def action_metric(self) -> None:
        """Ask about the next metric."""
        if next_metric(self.columns, self.place):
            self._ask()
        else:
            self.say("there is no other metric", bad=True)

    def action_value(self) -> None:
        """Ask about another value of each run."""
        if reason := next_value(self.columns, self.place):
            self.say(reason, bad=True)
        else:
            self._ask()

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new width."""
        super().on_resize(event)
        self.later(self._draw)

    def _draw(self) -> None:
        if not self._is_up:
            return
        text = Text()
        if self._asked is None:
            text.append("The sweep names no metric, and no run has logged a number yet.", "dim")
        else:
            answer = self._answers.get(self._asked)
            if isinstance(answer, NotFound):
                text.append(sanitise(answer.reason), "dim")
            else:
                text.append(head(self.columns, self._asked, answer), "bold")
                if answer is not None:
                    self._draw_bars(text, answer)
        if self._waits:
            text.append("\n\n")
            since = max(0.0, self.setting.clock() - self._asked_at)
            text.append("… computing ", "bold")
            text.append(f"in a process of its own, {duration(since) if since >= 1 else 'just asked'}", "dim")
        elif self._asked is not None and (n_since := self._n_since(self._asked)) > 0:
            text.append(f"\n\n{counted(n_since, 'more run')} ended since; c computes it anew.", "bold")
        self.page(text)

    def _n_since(self, asked: GetImportance) -> int:
        return n_ended(self.model.world, self.sweep_id) - self._n_ended[asked]

    def _draw_bars(self, text: Text, answer: ImportanceTable) -> None:
        from tui_sweeps.charts.bars import Bar, bars
        from tui_sweeps.charts.glyphs import glyphs

        width = max(24, self.size.width - 4)
        text.append("\n")
        items = [
            Bar(row.name, row.importance, row.importance_low, row.importance_high, row.correlation)
            for row in answer.parameters
        ]
        if items:
            left, right = "share of its variance, 95 % interval", "rank correlation"
            text.append(left + right.rjust(width - len(left)) if width >= 60 else left, "dim")
            text.append("\n\n")
        colours = not os.environ.get("NO_COLOR")
        for line in bars(items, width=width, glyphs=glyphs(os.environ), colours=colours):
            text.append_text(line)
            text.append("\n")
        for sentence in said(answer):
            text.append(f"\n{sentence}")


class EventsScreen(SweepView):
    """Who did what, and what was decided why."""

    VIEW = "events"
    BINDINGS = bindings("events")

    def show(self, touched: Touched) -> None:
        """Ask for the latest lines."""
        if touched.everything or touched.notes:
            self.post_message(Ask(self, "notes", GetNotes(sweep_id=self.sweep_id)))

    def answered(self, key: str, answer: object) -> None:
        """Show the lines, newest first."""
        if not isinstance(answer, Notes):
            return
        text = Text()
        for note in reversed(answer.notes):
            text.append(f"{clock(note.at)}  ", "dim")
            text.append(fit(sanitise(note.actor), 24).ljust(24) + "  ", "dim")
            text.append(sanitise(note.text) + "\n")
        self.page(text if answer.notes else Text("Nothing has happened yet.", "dim"))


VIEWS: dict[str, type[SweepView | PlotBoard]] = {
    "parallel": ParallelScreen,
    "importance": ImportanceScreen,
    "slices": SlicesScreen,
    "history": HistoryScreen,
    "events": EventsScreen,
}
