"""The Run screen's curves: one or several metrics, of this run and of those beside which it is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from controller.domain.queries import Curves, GetCurves, NotFound
from controller.domain.runs import Run
from tui_sweeps.format import fit, sanitise
from tui_sweeps.messages import Ask
from tui_sweeps.screens.axes import AxesScreen
from tui_sweeps.screens.curve import CurveView, Points
from tui_sweeps.views.run import compared, metric_keys

if TYPE_CHECKING:
    from tui_sweeps.screens.board import Board

    Base = Board
else:
    Base = object

ABOUT = "curve "
"""Begins the name of each question about a metric's curves."""

N_COLUMNS = 400
"""More than a chart has dots; where there are more points, each column's lowest and highest come."""


class CurvesPart(Base):
    """Asks for curves and draws them."""

    run_id: str
    _asked: set[str]
    _compares: bool | None = None
    """Whether other runs are drawn too; None: when some are marked."""
    _curves: dict[str, dict[str, Points]]
    """Per metric the curve of each run."""

    @property
    def run_now(self) -> Run | None:
        """The run as it stands now."""
        raise NotImplementedError

    def _ask(self, key: str) -> None:
        raise NotImplementedError

    # ------------------------------------------------------------------ what is drawn

    def _metrics(self) -> list[str]:
        """Return the metrics to draw: the chosen ones that this run has, else its first."""
        run = self.run_now
        if run is None:
            return []
        keys = metric_keys(self.model.world.sweeps[run.sweep_id], run)
        chosen = [key for key in self.desk.of(run.sweep_id).curves if key in keys]
        return chosen or keys[:1]

    def _runs(self) -> list[str]:
        """Return the runs to draw, this one first."""
        run = self.run_now
        if run is None:
            return []
        marks = self.setting.marks.get(run.sweep_id, {})
        others = compared(self.model.world, run, marks) if self._compares is not False else []
        return [run.id, *(others if self._compares or marks else [])]

    def ask_curves(self) -> None:
        """Ask for what is to be drawn."""
        for metric in self._metrics():
            self._ask(ABOUT + metric)

    def curve_question(self, key: str) -> Ask:
        """Return the question about one metric."""
        query = GetCurves(run_ids=tuple(self._runs()), key=key.removeprefix(ABOUT), n_columns=N_COLUMNS)
        return Ask(self, key, query)

    def take_curves(self, key: str, answer: object) -> None:
        """Draw what came."""
        if isinstance(answer, Curves):
            self._curves[answer.key] = dict(answer.curves)
            self.draw_curves()
        elif isinstance(answer, NotFound):
            self.query_one(CurveView).update(Text(sanitise(answer.reason)))

    def draw_curves(self) -> None:
        """Draw the curves that are known."""
        metrics, runs = self._metrics(), self._runs()
        series: dict[str, Points] = {}
        for metric in metrics:
            for run_id in runs:
                points = self._curves.get(metric, {}).get(run_id)
                if points is not None and run_id in self.model.world.runs:
                    series[self._series_name(metric, run_id, len(metrics), len(runs))] = points
        title = ", ".join(metrics) if len(runs) > 1 else ""
        self.query_one(CurveView).take(series or dict.fromkeys(metrics[:1], ()), title)

    def _series_name(self, metric: str, run_id: str, n_metrics: int, n_runs: int) -> str:
        if n_runs == 1:
            return metric
        run = self.model.world.runs[run_id]
        return f"{run.number} {metric}" if n_metrics > 1 else f"{run.number} {fit(sanitise(run.name), 20)}"

    # ------------------------------------------------------------------ what keys do

    def action_metric(self) -> None:
        """Draw the next metric alone."""
        run = self.run_now
        if run is None:
            return
        keys = metric_keys(self.model.world.sweeps[run.sweep_id], run)
        drawn = self._metrics()
        if keys:
            at = keys.index(drawn[-1]) if drawn else -1
            self._choose([keys[(at + 1) % len(keys)]])

    def action_metrics(self) -> None:
        """Choose several metrics."""
        run = self.run_now
        if run is None:
            return
        drawn = self._metrics()
        keys = metric_keys(self.model.world.sweeps[run.sweep_id], run)
        rows = [(key, sanitise(key), key in drawn) for key in keys]
        self.app.push_screen(AxesScreen(rows), lambda chosen: self._choose(chosen) if chosen else None)

    def _choose(self, metrics: list[str]) -> None:
        run = self.run_now
        if run is not None:
            self.desk.of(run.sweep_id).curves = metrics
            self.ask_curves()
            self.draw_curves()

    def action_compare(self) -> None:
        """Draw the marked runs, else the best one, beside this run; or this one alone."""
        was = len(self._runs()) > 1
        self._compares = not was
        if not was and len(self._runs()) < 2:
            self.say("no run is marked, and this one is the best", bad=True)
        self.ask_curves()
        self.draw_curves()

    def action_smooth(self) -> None:
        """Smooth more, then not at all."""
        self.query_one(CurveView).smooth_more()

    def action_log_scale(self) -> None:
        """Logarithmic or linear."""
        self.query_one(CurveView).toggle_log()
