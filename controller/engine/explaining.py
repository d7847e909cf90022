"""Explaining at work: importance is computed in a process of its own, never on a loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from controller.domain.metrics import absence
from controller.domain.queries import GetImportance, ImportanceRow, ImportanceTable, NotFound
from controller.domain.runs import Run, metric_value
from controller.domain.sweeps import Goal, Sweep
from controller.domain.world import World
from controller.engine.suggesting import new_pool


class Explainer:
    """Answers `GetImportance`."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    async def importance(self, query: GetImportance, world: World) -> ImportanceTable | NotFound:
        """Return which parameters drive the metric."""
        sweep = world.sweeps.get(query.sweep_id)
        if sweep is None:
            return NotFound(reason=f"there is no sweep {query.sweep_id}", hint="see `tui-sweeps ls`")
        metric = query.metric or (sweep.config.metric.name if sweep.config.metric else "")
        if not metric:
            return ImportanceTable(
                metric="", n_runs=0, parameters=(), note="the sweep names no metric; give one"
            )
        every = (world.runs[run_id] for run_id in world.runs_of[sweep.id])
        runs = [run for run in every if not run.ignored]
        missing, hint = absence(runs, metric)
        own = bool(_best_end(sweep, metric))
        if missing and not (own and any(run.best is not None for run in runs)):
            return NotFound(reason=f"{missing} (sweep {sweep.id})", hint=hint)
        if note := _unknown(runs, sweep, metric, query.of):
            return ImportanceTable(metric=metric, n_runs=0, parameters=(), note=note)
        values = tuple(_value(run, sweep, metric, query.of) for run in runs)
        if self._pool is None:
            self._pool = new_pool()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._pool, _compute, sweep, tuple(run.config for run in runs), values, metric
        )

    def close(self) -> None:
        """End the worker process."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def _unknown(runs: Sequence[Run], sweep: Sweep, metric: str, of: str) -> str:
    """Return why this value of a metric is known of no run; empty: it is."""
    if of not in ("best", "last", "min", "max"):
        return f"{of} is none of best, last, min and max"
    if any(_value(run, sweep, metric, of) is not None for run in runs):
        return ""
    if of in ("min", "max") and any(metric_value(run.summary, metric) is not None for run in runs):
        word = {"min": "lowest", "max": "highest"}[of]
        return f"the {word} {metric} was not kept when these runs logged it; their last value was"
    return f"no run has logged a number as {metric} yet"


def _best_end(sweep: Sweep, metric: str) -> str:
    """Return which end of a metric's values is its best one; empty for metrics without a goal."""
    own = sweep.config.metric
    if own is None or own.name != metric:
        return ""
    return "min" if own.goal is Goal.MINIMIZE else "max"


def _value(run: Run, sweep: Sweep, metric: str, of: str) -> float | None:
    """Return a run's value; the best one is the last one where no goal says what is good."""
    end = _best_end(sweep, metric)
    if end and of in ("best", end):
        return run.best
    if of in ("min", "max"):
        pair = run.extremes.of(metric)
        return None if pair is None else pair[of == "max"]
    return metric_value(run.summary, metric)


def _compute(
    sweep: Sweep, configs: tuple[dict[str, Any], ...], values: tuple[float | None, ...], metric: str
) -> ImportanceTable:
    from controller.analysis.importance import ImportanceRequest, importance

    found = importance(
        ImportanceRequest(space=sweep.config.parameters, configs=configs, values=values, metric=metric)
    )
    rows = tuple(
        ImportanceRow(
            name=row.name,
            importance=row.importance,
            importance_low=row.importance_low,
            importance_high=row.importance_high,
            correlation=row.correlation,
        )
        for row in found.parameters
    )
    return ImportanceTable(metric=found.metric, n_runs=found.n_runs, parameters=rows, note=found.note)
