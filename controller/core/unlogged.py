"""A metric that never comes: said once, with the names that did, before a sweep has been for nothing."""

from __future__ import annotations

from controller.core.draft import Draft
from controller.domain.bands import bands
from controller.domain.metrics import absence
from controller.domain.runs import Run
from controller.domain.sweeps import Sweep


def look_at_first_band(draft: Draft, sweep: Sweep, before: Run, after: Run) -> None:
    """Tell of a metric that is missing when the first run has logged as often as the first band."""
    early, metric = sweep.config.early_terminate, sweep.config.metric
    if early is None or metric is None or after.n_metric_values:
        return
    band = min(bands(early), default=1)
    if not before.n_points < band <= after.n_points:
        return
    runs = [draft.world.runs[run_id] for run_id in draft.world.runs_of[sweep.id]]
    if any(run.n_points >= band for run in runs if run.id != after.id):
        return
    _tell(draft, sweep, runs, after, f"at the first band, {band}, of early termination")


def look_at_end(draft: Draft, sweep: Sweep, run: Run) -> None:
    """Tell of a metric that is missing when the first run has finished without it."""
    if run.best is not None or not run.n_points or sweep.config.metric is None:
        return
    runs = [draft.world.runs[run_id] for run_id in draft.world.runs_of[sweep.id]]
    if not any(other.ended_at for other in runs if other.id != run.id):
        _tell(draft, sweep, runs, run, "when the first run has finished")


def _tell(draft: Draft, sweep: Sweep, runs: list[Run], run: Run, when: str) -> None:
    metric = sweep.config.metric
    if metric is None or any(other.best is not None for other in runs):
        return
    missing, hint = absence(runs, metric.name)
    if missing:
        text = f"{missing} {when}" + (f"; {hint}" if hint else "")
        draft.note(f"warning: {text}", sweep_id=sweep.id, run_id=run.id)
