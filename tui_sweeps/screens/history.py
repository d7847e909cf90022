"""History: every run's value and the best one so far, over the number of runs or over time."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.text import Text

from tui_sweeps.format import ago, counted, fit, sanitise
from tui_sweeps.screens.axes import axis_of
from tui_sweeps.screens.board import Setting, bindings
from tui_sweeps.screens.drawing import Work
from tui_sweeps.screens.slices import MetricPlot, dots_of
from tui_sweeps.views.history import History, history
from tui_sweeps.views.slices import Spot

if TYPE_CHECKING:
    from tui_sweeps.charts.axes import Axis
    from tui_sweeps.charts.scatter import Kept, Panel

NOTHING = History((), (), (), 0, "")


class HistoryScreen(MetricPlot):
    """How the best value came about."""

    VIEW = "history"
    BINDINGS = bindings("history")
    N_BELOW = 2

    def __init__(self, setting: Setting, sweep_id: str) -> None:
        super().__init__(setting, sweep_id)
        self._history = NOTHING
        self._panel: Panel | None = None
        self._spots: dict[str, Spot] = {}

    def keys_drawn(self, width: int, height: int) -> list[str]:
        """Return the metric."""
        metric = self.plot.colour()
        return [metric] if metric else []

    def plan(self, width: int, height: int) -> Work:
        """Return what draws dots and stairs."""
        metric = self.plot.colour()
        if not metric:
            return self.without
        world, over_time, now = self.model.world, self.place.over_time, self.now
        runs = [world.runs[one] for one in self.order.ids]
        still = self.plot.still((), self.order.ids)
        up, colours = axis_of(self.plot.placed([metric])[0]), self.colours

        def work() -> Callable[[], None]:
            from tui_sweeps.charts.axes import Axis
            from tui_sweeps.charts.glyphs import glyphs
            from tui_sweeps.charts.scatter import Panel, scatter

            found = history(still, runs, over_time=over_time, now=now)
            below = "time since the first start" if over_time else "runs by their end"
            panel = Panel(Axis(below, ticks=found.ticks), dots_of(found.spots), found.stairs)
            kept: Kept = {}
            size = {"width": width, "height": height}
            scatter([panel], up, **size, glyphs=glyphs(os.environ), colours=colours, kept=kept)
            return lambda: self._keep(found, panel, kept, up)

        return work

    def _keep(self, found: History, panel: Panel, kept: Kept, up: Axis) -> None:
        self._history, self._panel, self._kept, self._up = found, panel, kept, up
        self._spots = {spot.run_id: spot for spot in found.spots}

    def forget(self) -> None:
        """Let go of the kept picture."""
        self._history, self._panel, self._spots, self._kept = NOTHING, None, {}, {}

    def lines(self, width: int, height: int) -> list[Text]:
        """Bring the cursor's run and the marked ones out."""
        if self._up is not None and (not self._spots or self._panel is None):
            return [Text("No run that passes the filter has a value of this metric yet.", "dim")]
        panels = [] if self._panel is None else [self.highlighted(self._panel, self._spots)]
        return self.over(panels, width, height)

    def below(self, width: int) -> list[Text]:
        """Return the cursor's run, and when the best value was last improved."""
        line = self.metric_words()
        best = self.model.world.runs.get(self._history.last_better)
        if best is not None:
            line.append(f"   {counted(self._history.n_better, 'time')} improved, last by ")
            line.append(f"{best.number} {fit(sanitise(best.name), 24)}", "bold")
            if best.ended_at is not None:
                line.append(f" {ago(self.now - best.ended_at)}", "dim")
        return [self.run_line(width), line]

    def action_over_time(self) -> None:
        """Switch between time and number of runs."""
        self.place.over_time = not self.place.over_time
        self.draw_now()
