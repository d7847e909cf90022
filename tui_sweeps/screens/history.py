"""History: every run's value and the best one so far, over the number of runs or over time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rich.text import Text

from tui_sweeps.format import ago, count, fit, sanitise
from tui_sweeps.screens.axes import axis_of
from tui_sweeps.screens.board import Setting, bindings
from tui_sweeps.screens.slices import MetricPlot, dot_of
from tui_sweeps.views.history import History, history

if TYPE_CHECKING:
    from tui_sweeps.charts.scatter import Panel


class HistoryScreen(MetricPlot):
    """How the best value came about."""

    VIEW = "history"
    BINDINGS = bindings("history")
    N_BELOW = 2

    def __init__(self, setting: Setting, sweep_id: str) -> None:
        super().__init__(setting, sweep_id)
        self._history = History((), (), (), 0, "")
        self._panel: Panel | None = None

    def draw(self, width: int, height: int) -> list[Text]:
        """Draw dots and stairs."""
        from tui_sweeps.charts.axes import Axis
        from tui_sweeps.charts.glyphs import glyphs
        from tui_sweeps.charts.scatter import Panel, scatter

        metric = self.plot.colour()
        if not metric:
            return [Text("The sweep names no metric, and no run has logged a number yet.", "dim")]
        over_time = self.place.over_time
        if not self._kept:
            passing = dict.fromkeys(self.order.ids)
            self._history = history(self.plot, passing, over_time=over_time, now=self.now)
            self._panel = Panel(
                Axis(
                    "time since the first start" if over_time else "runs by their end",
                    ticks=self._history.ticks,
                ),
                tuple(dot_of(spot) for spot in self._history.spots),
                self._history.stairs,
            )
        if not self._history.spots or self._panel is None:
            return [Text("No run that passes the filter has a value of this metric yet.", "dim")]
        found = {spot.run_id: spot for spot in self._history.spots}
        return scatter(
            [self.highlighted(self._panel, found)],
            axis_of(self.plot.placed([metric])[0]),
            width=width,
            height=height,
            glyphs=glyphs(os.environ),
            colours=self.colours,
            kept=self._kept,
        )

    def below(self, width: int) -> list[Text]:
        """Return the cursor's run, and when the best value was last improved."""
        line = self.metric_words()
        best = self.model.world.runs.get(self._history.last_better)
        if best is not None:
            line.append(f"   {count(self._history.n_better)} times improved, last by ")
            line.append(f"{best.number} {fit(sanitise(best.name), 24)}", "bold")
            if best.ended_at is not None:
                line.append(f" {ago(self.now - best.ended_at)}", "dim")
        return [self.run_line(width), line]

    def action_over_time(self) -> None:
        """Switch between time and number of runs."""
        self.place.over_time = not self.place.over_time
        self.draw_now()
