"""The Sweeps screen's rows: one sweep, its progress, its numbers."""

from __future__ import annotations

from collections.abc import Callable

from controller.domain.sweeps import Sweep
from controller.domain.world import World
from tui_sweeps.format import ago, count, duration, fit, number, percent, sanitise
from tui_sweeps.model import Model
from tui_sweeps.views.cells import EMPTY, Cell, Column
from tui_sweeps.views.configs import config_text
from tui_sweeps.views.filter import Node, SweepSubject, matches
from tui_sweeps.views.order import SortKey, rank, sort_words
from tui_sweeps.views.states import BAD, GOOD, LIVE, QUIET, WARN, sweep_state
from tui_sweeps.views.tally import Eta, Sums, Tally, eta

COLUMNS: tuple[Column, ...] = (
    Column("state", "STATE", 11, fixed=True),
    Column("name", "SWEEP", 18, fixed=True),
    Column("progress", "PROGRESS", 19),
    Column("active", "RUN", 4, "right"),
    Column("failed", "FAIL", 4, "right"),
    Column("best", "BEST", 8, "right"),
    Column("eta", "LEFT", 7, "right"),
    Column("agents", "AGENTS", 6, "right"),
    Column("queued", "QUEUE", 5, "right"),
    Column("hours", "RUN TIME", 8, "right"),
    Column("gpu_hours", "GPU-H", 7, "right"),
    Column("changed", "CHANGED", 8, "right"),
    Column("method", "METHOD", 6),
    Column("metric", "METRIC", 16),
    Column("id", "ID", 8),
    Column("range", "LEFT FROM-TO", 15),
    Column("config", "BEST CONFIG", 48),
)

SORTABLE = (
    "state",
    "name",
    "progress",
    "active",
    "failed",
    "best",
    "agents",
    "queued",
    "hours",
    "gpu_hours",
    "changed",
    "method",
)
"""Columns with a value that has an order."""

BAR_CELLS = 9


class SweepRows:
    """Cells of the Sweeps table; a sweep's numbers are kept until it is touched."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._sums: dict[str, Sums] = {}
        self._row: tuple[str, float, dict[str, Cell]] = ("", 0.0, {})

    def forget(self) -> None:
        """Let go of all numbers: the World is another one."""
        self._row = ("", 0.0, {})
        self._sums.clear()

    def touch(self, run_ids: set[str]) -> None:
        """Count these runs anew."""
        self._row = ("", 0.0, {})
        for sums in self._sums.values():
            sums.touch(run_ids)

    def tally(self, sweep_id: str) -> Tally:
        """Return a sweep's numbers."""
        found = self._sums.get(sweep_id)
        if found is None:
            found = self._sums[sweep_id] = Sums(self._model.world, sweep_id)
        return found.numbers()

    def cell(self, sweep_id: str, key: str, now: float) -> Cell:
        """Return one cell; a row is made at once and kept for its other cells."""
        if self._row[:2] != (sweep_id, now):
            self._row = (sweep_id, now, self._cells(sweep_id, now))
        return self._row[2].get(key, EMPTY)

    def _cells(self, sweep_id: str, now: float) -> dict[str, Cell]:
        world = self._model.world
        sweep = world.sweeps.get(sweep_id)
        if sweep is None:
            return {}
        numbers = self.tally(sweep_id)
        left = eta(sweep, numbers, now)
        best = world.best_of.get(sweep_id)
        best_run = world.runs[best] if best is not None else None
        return {
            "state": sweep_state(sweep, self._model.waiting.get(sweep_id, "")),
            "name": Cell(sanitise(sweep.name or sweep.id), "bold"),
            "progress": progress(sweep, numbers),
            "active": tint(numbers.n_active, LIVE),
            "failed": tint(numbers.n_failed, BAD),
            "best": EMPTY if best_run is None else Cell(number(best_run.best, 8), GOOD),
            "eta": EMPTY if left is None else Cell(duration(left.middle_s)),
            "agents": tint(numbers.n_agents, ""),
            "queued": tint(numbers.n_queued, WARN),
            "hours": Cell(duration(numbers.run_s(now))),
            "gpu_hours": Cell(f"{gpu_s / 3600:,.1f}") if (gpu_s := numbers.gpu_s(now)) else EMPTY,
            "changed": Cell(ago(now - sweep.updated_at), QUIET) if sweep.updated_at else EMPTY,
            "method": Cell(sweep.config.method.value),
            "metric": metric_cell(sweep),
            "id": Cell(sweep.id, QUIET),
            "range": EMPTY if left is None else Cell(range_text(left)),
            "config": EMPTY if best_run is None else Cell(config_text(sweep, best_run, 48)),
        }


def sweep_values(world: World, rows: SweepRows, sweep_id: str, key: str, now: float) -> object:
    """Return what a column is sorted by."""
    sweep = world.sweeps[sweep_id]
    numbers = rows.tally(sweep_id)
    best = world.best_of.get(sweep_id)
    table: dict[str, Callable[[], object]] = {
        "state": lambda: list(type(sweep.state)).index(sweep.state),
        "name": lambda: sweep.name or sweep.id,
        "progress": lambda: numbers.n_ended / sweep.n_expected if sweep.n_expected else None,
        "active": lambda: numbers.n_active,
        "failed": lambda: numbers.n_failed,
        "best": lambda: None if best is None else world.runs[best].best,
        "agents": lambda: numbers.n_agents,
        "queued": lambda: numbers.n_queued,
        "hours": lambda: round(numbers.run_s(now)),
        "gpu_hours": lambda: round(numbers.gpu_s(now)),
        "changed": lambda: sweep.updated_at,
        "method": lambda: sweep.config.method.value,
    }
    return table.get(key, lambda: sweep.id)()


def sweep_key(world: World, rows: SweepRows, sort: str, now: float) -> Callable[[str], SortKey]:
    """Return the sorting of sweeps; by default open ones first, then the latest."""
    words = sort_words(sort)

    def key(sweep_id: str) -> SortKey:
        sweep = world.sweeps[sweep_id]
        wanted = tuple(
            rank(sweep_values(world, rows, sweep_id, word, now), descending) for word, descending in words
        )
        return (*wanted, (int(sweep.ended_at is not None), 0), (0, -sweep.created_at), (1, sweep.id))

    return key


def sweep_passes(world: World, node: Node) -> Callable[[str], bool]:
    """Return the filter on sweeps."""

    def passes(sweep_id: str) -> bool:
        if sweep_id not in world.sweeps:
            return False
        best = world.best_of.get(sweep_id)
        value = None if best is None else world.runs[best].best
        return matches(node, SweepSubject(world.sweeps[sweep_id], value))

    return passes


def progress(sweep: Sweep, numbers: Tally) -> Cell:
    """Return a bar with done/expected; without an end only the count."""
    if not sweep.n_expected:
        return Cell(f"{count(numbers.n_ended)} done, no end", QUIET)
    share = min(1.0, numbers.n_ended / sweep.n_expected)
    style = GOOD if share >= 1.0 else LIVE if numbers.n_active else QUIET
    text = f"{count(numbers.n_ended)}/{count(sweep.n_expected)}"
    if len(text) > 9:
        text = percent(share)
    return Cell(f"{bar(share, BAR_CELLS)} {text}", style)


def bar(share: float, width: int) -> str:
    """Return a bar of so many cells."""
    n_full = int(share * width)
    return "█" * n_full + "░" * (width - n_full)


def tint(n: int, style: str) -> Cell:
    """Return a count; zero stays quiet."""
    return Cell(count(n), style) if n else Cell("·", QUIET)


def range_text(left: Eta) -> str:
    """Return the time left as a range."""
    return f"{duration(left.low_s)} .. {duration(left.high_s)}"


def metric_cell(sweep: Sweep) -> Cell:
    """Return the metric with the way that is better."""
    metric = sweep.config.metric
    if metric is None:
        return EMPTY
    return Cell(f"{'↓' if metric.goal.value == 'minimize' else '↑'} {fit(sanitise(metric.name), 14)}")
