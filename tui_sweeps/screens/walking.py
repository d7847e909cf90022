"""The cursor in a plot: it walks the runs in the order of the metric and stands on the table's own run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from controller.domain.runs import Run
from tui_sweeps.format import MISSING, count, fit, number, sanitise
from tui_sweeps.messages import Copy
from tui_sweeps.model import SweepDesk
from tui_sweeps.screens.ways import OpenRun
from tui_sweeps.views.order import Order
from tui_sweeps.views.run import config_yaml
from tui_sweeps.views.runs import RunRows
from tui_sweeps.views.states import run_state

if TYPE_CHECKING:
    from tui_sweeps.screens.board import Board

    Base = Board
else:
    Base = object


class Walking(Base):
    """Walks and marks the runs that pass the filter."""

    sweep_id: str
    rows: RunRows
    order: Order
    marks: dict[str, None]

    @property
    def place(self) -> SweepDesk:
        """How this sweep's screens were left."""
        return self.desk.of(self.sweep_id)

    def draw_now(self) -> None:
        """Draw everything as it is now."""
        raise NotImplementedError

    def draw_cursor(self) -> None:
        """Draw at once what the cursor changes."""
        raise NotImplementedError

    def run_line(self, width: int) -> Text:
        """Return the cursor's run: name, state, metric, place."""
        run = self.cursor_run()
        line = Text(no_wrap=True, overflow="ellipsis", end="")
        if run is None:
            line.append(
                "No run passes the filter; esc drops it." if self.place.filter else "No runs yet.", "dim"
            )
            return line
        line.append("▸ " if run.id not in self.marks else "▸✓ ", "bold")
        line.append(f"{run.number} {fit(sanitise(run.name), 24)}  ", "bold")
        state = run_state(run, self.model.waiting.get(run.id, ""))
        line.append(f"{state.text}  ", state.style or None)
        metric = self.rows.sweep.config.metric
        if metric is not None:
            line.append(f"{fit(sanitise(metric.name), 24)} ")
            line.append(MISSING if run.best is None else number(run.best, 9), "bold")
            at = self.order.row_of(run.id)
            if run.best is not None and at is not None:
                line.append(f"  {count(at + 1)} of {count(len(self.order.ids))}", "dim")
        return line

    def cursor_run(self) -> Run | None:
        """Return the run under the cursor, the best one when it does not pass the filter."""
        ids = self.order.ids
        if self.order.row_of(self.place.cursor) is None:
            if not ids:
                return None
            self.place.cursor = ids[0]
        return self.model.world.runs[self.place.cursor]

    def walk(self, by: int) -> None:
        """Move the cursor by so many runs, in the order of the metric."""
        ids = self.order.ids
        if ids and self.cursor_run() is not None:
            at = self.order.row_of(self.place.cursor) or 0
            self.place.cursor = ids[min(max(0, at + by), len(ids) - 1)]
            self.draw_cursor()

    def action_run_up(self) -> None:
        """Go to the next better run."""
        self.walk(-1)

    def action_run_down(self) -> None:
        """Go to the next worse run."""
        self.walk(1)

    def action_run_best(self) -> None:
        """Go to the best run."""
        self.walk(-len(self.order.ids))

    def action_copy_config(self) -> None:
        """Copy the config of the run under the cursor."""
        if (run := self.cursor_run()) is not None:
            self.post_message(Copy(config_yaml(run), "config as YAML"))

    def chosen_sweep(self) -> str | None:
        """Return this sweep."""
        return self.sweep_id

    def chosen_runs(self) -> list[str]:
        """Return the marked runs, else the one under the cursor."""
        if self.marks:
            return list(self.marks)
        run = self.cursor_run()
        return [] if run is None else [run.id]

    def action_open(self) -> None:
        """Open the run under the cursor."""
        if (run := self.cursor_run()) is not None:
            self.post_message(OpenRun(run.id))

    def action_copy(self) -> None:
        """Copy the run's id."""
        if (run := self.cursor_run()) is not None:
            self.post_message(Copy(run.id, "run id"))

    def action_mark(self) -> None:
        """Mark the run and go on."""
        if (run := self.cursor_run()) is None:
            return
        if run.id in self.marks:
            del self.marks[run.id]
        else:
            self.marks[run.id] = None
        self.walk(1)

    def action_mark_all(self) -> None:
        """Mark all runs that the filter lets pass."""
        self.marks.clear()
        self.marks.update(dict.fromkeys(self.order.ids))
        self.draw_now()
