"""One run: curves, configuration beside the best, summary, attempts, log."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Static

from controller.domain.queries import Attempts, GetAttempts, GetLog, Log
from controller.domain.runs import Attempt, Run
from tui_sweeps.format import sanitise
from tui_sweeps.messages import Ask, Copy
from tui_sweeps.model import Touched
from tui_sweeps.screens.acts import Acts
from tui_sweeps.screens.board import Board, Setting, bindings, line_of
from tui_sweeps.screens.curve import CurveView
from tui_sweeps.screens.curves import ABOUT, CurvesPart
from tui_sweeps.screens.filter_line import FilterLine
from tui_sweeps.screens.ways import GoUp
from tui_sweeps.views.run import (
    attempt_lines,
    command_text,
    config_lines,
    config_yaml,
    header,
    own_config_lines,
    stop_chain,
    summary_lines,
    system_line,
    where_lines,
    why_lines,
)
from tui_sweeps.widgets.logview import LogView
from tui_sweeps.widgets.words import Words

N_LINES_AT_ONCE = 2000
"""Log lines asked for at a time; the rest follows as soon as these have come."""


class RunScreen(CurvesPart, Acts, Board):
    """A run."""

    VIEW = "run"
    BINDINGS = bindings("run")
    AUTO_FOCUS = "LogView"

    DEFAULT_CSS = """
    RunScreen #header { height: auto; max-height: 3; padding: 0 1; }
    RunScreen #upper { height: 1fr; min-height: 7; }
    RunScreen #chart { width: 3fr; height: 100%; padding: 0 1; }
    RunScreen #facts { width: 2fr; height: 100%; padding: 0 1; scrollbar-size-vertical: 1; }
    RunScreen #facts > Static { height: auto; }
    RunScreen #logtitle { height: 1; background: $panel; padding: 0 1; }
    RunScreen #lower { height: 1fr; }
    RunScreen LogView { padding: 0 1; }
    RunScreen:ansi #logtitle { background: ansi_default; text-style: underline; }
    """

    def __init__(self, setting: Setting, run_id: str) -> None:
        super().__init__(setting)
        self.run_id = run_id
        self._curves = {}
        self._lines: list[str] = []
        self._token: int | None = None
        self._attempts: tuple[Attempt, ...] = ()
        self._asked: set[str] = set()
        self._again: set[str] = set()

    @property
    def run_now(self) -> Run | None:
        """The run as it stands now; None when it is gone or deleted."""
        run = self.model.world.runs.get(self.run_id)
        return None if run is None or run.deleted else run

    def body(self) -> ComposeResult:
        """Lay out curves and facts above, the log below."""
        yield Words(id="header")
        with Horizontal(id="upper"):
            yield CurveView(id="chart")
            with VerticalScroll(id="facts"):
                yield Words(id="text")
        with Vertical(id="lower"):
            yield Static("Log", id="logtitle", markup=False)
            yield LogView(lambda: len(self._lines), self._line)
        yield FilterLine(sign="/", placeholder="search the log; enter for the next")

    def crumbs(self) -> list[str]:
        """Return the way to here."""
        run = self.run_now
        if run is None:
            return ["Sweeps", self.run_id]
        sweep = self.model.world.sweeps[run.sweep_id]
        return ["Sweeps", sweep.name or sweep.id, f"{run.number} {run.name}"]

    def _line(self, at: int) -> str:
        return self._lines[at] if at < len(self._lines) else ""

    # ------------------------------------------------------------------ news

    def show(self, touched: Touched) -> None:
        """Show what is new and ask for what the model does not hold."""
        run = self.run_now
        if run is None:
            if self.model.ready:
                self.post_message(GoUp(is_asked=False))
            return
        if not (touched.everything or self.run_id in touched.runs):
            return
        if run.token != self._token:
            self._token, self._lines = run.token, []
            self.query_one(LogView).reload()
        self._show_facts()
        self._ask("attempts")
        self.ask_curves()
        self._ask("log")

    def tick(self) -> None:
        """Show the run's time."""
        self._show_header()

    def _ask(self, key: str) -> None:
        """Ask once; while the answer is on its way, remember to ask again after it."""
        if key in self._asked:
            self._again.add(key)
            return
        run = self.run_now
        if run is None:
            return
        if key == "attempts":
            self.post_message(Ask(self, key, GetAttempts(run_id=self.run_id)))
        elif key == "log":
            first = max(0, len(self._lines) - 1)  # the last line may be rewritten by a progress bar
            query = GetLog(run_id=self.run_id, first=first, limit=N_LINES_AT_ONCE)
            self.post_message(Ask(self, key, query))
        else:
            self.post_message(self.curve_question(key))
        self._asked.add(key)

    def answered(self, key: str, answer: object) -> None:
        """Take an answer."""
        self._asked.discard(key)
        if isinstance(answer, Attempts):
            self._attempts = answer.attempts
            self._show_facts()
        elif key.startswith(ABOUT):
            self.take_curves(key, answer)
        elif isinstance(answer, Log):
            self._lines[answer.first :] = answer.lines
            self.query_one(LogView).grow()
            if len(self._lines) < answer.n_lines and answer.lines:
                self._again.add("log")
        if key in self._again:
            self._again.discard(key)
            self._ask(key)

    # ------------------------------------------------------------------ drawing

    def _show_header(self) -> None:
        run = self.run_now
        if run is None:
            return
        text = line_of(header(self.model, run, self.now))
        if chain := stop_chain(run):
            text.append(f"\n{chain}", "yellow")
        if load := system_line(run):
            text.append("\n").append_text(line_of(load))
        self.query_one("#header", Words).update(text)

    def _show_facts(self) -> None:
        run = self.run_now
        if run is None:
            return
        self._show_header()
        width = max(20, self.query_one("#facts").size.width - 3)
        text = Text(no_wrap=False, overflow="fold")
        sections = (
            ("Config", config_lines(self.model.world, run, width)),
            ("Why", why_lines(self.model.world, run)),
            ("The program's own config", own_config_lines(run)),
            ("Summary", summary_lines(run, width)),
            ("Attempts", attempt_lines(self._attempts)),
        )
        for title, lines in sections:
            if lines:
                text.append(f"{title}\n", "bold")
                for line in lines:
                    text.append_text(line_of(line, " "))
                    text.append("\n")
        if command := command_text(run):
            text.append("Command\n", "bold")
            text.append(sanitise(command) + "\n")
        text.append("Environment\n", "bold")
        for line in where_lines(self.model.world.sweeps[run.sweep_id], run):
            text.append_text(line_of(line, " "))
            text.append("\n")
        self.query_one("#text", Words).update(text)

    def on_screen_resume(self) -> None:
        """Catch up."""
        super().on_screen_resume()
        self.later(self._draw)

    def _draw(self) -> None:
        if self._is_up:
            self.query_one(CurveView).draw()

    # ------------------------------------------------------------------ what keys do

    def chosen_sweep(self) -> str | None:
        """Return the run's sweep."""
        run = self.run_now
        return None if run is None else run.sweep_id

    def chosen_runs(self) -> list[str]:
        """Return this run."""
        return [self.run_id]

    def action_back(self) -> None:
        """Go up."""
        self.post_message(GoUp())

    def action_log(self) -> None:
        """Give the log the full height, or not."""
        upper = self.query_one("#upper")
        upper.display = not upper.display  # a class would have every widget's style looked up again
        self.query_one(LogView).focus()
        self.later(self._draw)

    def action_next_pane(self) -> None:
        """Go to the next pane."""
        self.focus_next()

    def action_search_log(self) -> None:
        """Type what to look for."""
        self.query_one(FilterLine).open("")

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        """Search as it is typed."""
        found = self.query_one(LogView).find(message.text)
        self.query_one(FilterLine).say("" if found is None else f"line {found + 1}")

    def on_filter_line_left(self, message: FilterLine.Left) -> None:
        """Go to the next find, or end the search."""
        if message.keep and self.query_one(FilterLine).input.value:
            self.query_one(LogView).find(self.query_one(FilterLine).input.value)
            return
        self.query_one(FilterLine).show_text("")
        self.query_one(LogView).focus()

    def action_copy(self) -> None:
        """Copy the run's id."""
        self.post_message(Copy(self.run_id, "run id"))

    def action_copy_config(self) -> None:
        """Copy the config."""
        if self.run_now is not None:
            self.post_message(Copy(config_yaml(self.run_now), "config as YAML"))

    def action_copy_more(self) -> None:
        """Copy the command line."""
        run = self.run_now
        if run is not None and (text := command_text(run)):
            self.post_message(Copy(text, "command line"))
