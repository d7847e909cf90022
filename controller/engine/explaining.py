"""Explaining at work: importance is computed in a process of its own, never on a loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

from controller.domain.metrics import absence
from controller.domain.parameters import Space
from controller.domain.queries import (
    Belief,
    GetBelief,
    GetImportance,
    ImportanceRow,
    ImportanceTable,
    NotFound,
)
from controller.domain.runs import Run, metric_value
from controller.domain.sweeps import Goal, Sweep
from controller.domain.world import World
from controller.engine.pool import new_pool
from controller.search.posterior import Believed, best_believed

T = TypeVar("T")


class Explainer:
    """Answers `GetImportance` and `GetBelief`."""

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
        return await self._in_pool(_compute, sweep, tuple(run.config for run in runs), values, metric)

    async def belief(self, query: GetBelief, world: World) -> Belief | NotFound:
        """Return which run is best by what all of them say."""
        sweep = world.sweeps.get(query.sweep_id)
        if sweep is None:
            return NotFound(reason=f"there is no sweep {query.sweep_id}", hint="see `tui-sweeps ls`")
        every = (world.runs[run_id] for run_id in world.runs_of[sweep.id])
        runs = [run for run in every if run.best is not None and not run.ignored]
        if sweep.config.metric is None or not runs:
            return Belief(run_id=None)
        minimize = sweep.config.metric.goal is Goal.MINIMIZE
        configs, values = tuple(run.config for run in runs), tuple(run.best for run in runs)
        found = await self._in_pool(_believe, sweep.config.parameters, configs, values, minimize)
        if found is None:
            return Belief(run_id=None)
        return Belief(run_id=runs[found.index].id, mean=found.mean, low=found.low, high=found.high)

    async def _in_pool(self, function: Callable[..., T], *arguments: Any) -> T:
        if self._pool is None:
            self._pool = new_pool()
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)

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


def _believe(
    space: Space, configs: tuple[dict[str, Any], ...], values: tuple[float | None, ...], minimize: bool
) -> Believed | None:
    return best_believed(space, configs, values, minimize=minimize)


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
