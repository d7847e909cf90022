"""Runs of other sweeps that a search may learn from, and why one cannot be learned from."""

from __future__ import annotations

import math

from controller.domain.parameters import MISSING, Distribution, Parameter, leaf
from controller.domain.runs import Run, metric_value
from controller.domain.states import RUN_ENDED, RunState
from controller.domain.sweeps import Method, Metric, SweepConfig

_TEACH_BY_FAILING = (RunState.FAILED, RunState.CRASHED)
_CHOICES = (Distribution.CATEGORICAL, Distribution.CATEGORICAL_W_PROBABILITIES)


def prior_value(run: Run, own: Metric | None, metric: Metric) -> float | None:
    """Return what a run's value of `metric` is, where `own` is the metric of the run's sweep.

    The best value is kept of a sweep's own metric only; of another one it is the last value.
    """
    if own is not None and (own.name, own.goal) == (metric.name, metric.goal):
        return run.best
    value = metric_value(run.summary, metric.name)
    return value if value is not None and math.isfinite(value) else None


def refusal(run: Run, own: Metric | None, config: SweepConfig) -> str:
    """Return why a search cannot learn from an earlier run; empty where it can."""
    if config.method is not Method.BAYES or config.metric is None:
        return f"method {config.method} does not learn from earlier runs"
    if run.deleted or run.ignored:
        return "it was deleted" if run.deleted else "it is marked to be ignored"
    if run.state not in RUN_ENDED or run.queued:
        return f"it has not ended: it is {'queued' if run.queued else run.state}"
    if prior_value(run, own, config.metric) is None and run.state not in _TEACH_BY_FAILING:
        return f"it has no value of {config.metric.name}"
    for parameter in config.parameters:
        if parameter.distribution is Distribution.CONSTANT or not _matters(parameter, run):
            continue
        value = leaf(run.config, parameter.path)
        if value is MISSING:
            return f"its config has no {parameter.name}"
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if parameter.distribution not in _CHOICES and not (number and math.isfinite(value)):
            return f"its {parameter.name} is {value!r:.40}, not a number"
    return ""


def _matters(parameter: Parameter, run: Run) -> bool:
    """Say whether the conditions of a parameter hold for a run's config."""
    return all(any(leaf(run.config, path) == value for value in allowed) for path, allowed in parameter.when)
