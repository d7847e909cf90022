"""Which parameters matter: how much of the metric's variance over the whole space each has a hand in.

One Gaussian process of effects is fitted to the runs (`process.py`) and integrated over the space's own
distribution (`effects.py`), so that the answer is about the space and not about where an optimiser happened
to look. Runs in a process pool: request and answer are plain values, one thread, no state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from controller.analysis.measures import is_number
from controller.domain.parameters import Space

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from controller.analysis.encode import Column
    from controller.analysis.process import Settings

    Floats = NDArray[np.float64]

MIN_RUNS = 6
"""With fewer values than this any answer would be made up."""

N_FIT = 256
"""Runs that decide the process's settings; its cost grows with their cube."""

N_SOLVE = 1000
"""Runs from which effects are computed."""

N_SOLVE_CONDITIONAL = 500
"""The same where parameters depend on others: each joint state costs as much as a space without them."""

N_STEPS = 40
"""Steps of the search for settings; 80 moved no share by more than 0.01."""

N_BOOTSTRAP = 48
"""Draws behind an interval."""

INTERVAL = (2.5, 97.5)
"""Percentiles of the resamples: a 95 % interval."""

RESOLUTION = 0.01
"""No interval is narrower than this on either side: few runs and grids of nodes tell no more."""

NEARER_ZERO = 0.25
"""Part of its width that an interval reaches farther down: shares are positive, so that those of a parameter
which does nothing lie above 0 in every draw."""

OUTLIER = 10.0
"""Values this many interquartile ranges from the quartiles are pulled back to there."""

WEAK = 0.1
"""Share of the variance below which the process is said to explain next to nothing."""


class ImportanceRequest(Struct, frozen=True, kw_only=True):
    """What to explain."""

    space: Space
    configs: tuple[dict[str, Any], ...]
    """The runs' nested configs."""
    values: tuple[float | None, ...]
    """The metric of each run; None, NaN and infinities are left out."""
    metric: str
    seed: int = 0
    n_bootstrap: int = N_BOOTSTRAP


class ParameterImportance(Struct, frozen=True, kw_only=True):
    """One parameter's part."""

    name: str
    importance: float
    """Share of the sum of all parameters' total Sobol indices, 0-1."""
    importance_low: float
    importance_high: float
    """A 95 % bootstrap interval."""
    correlation: float | None
    """Rank correlation with the metric, -1 to 1; numbers, steps and lists of numbers or booleans have one,
    other lists have no order and get None."""
    forest: float
    """W&B's figure: a random forest's impurity decrease, 0-1."""


class Importance(Struct, frozen=True, kw_only=True):
    """The answer."""

    metric: str
    n_runs: int
    """Runs with a usable value."""
    parameters: tuple[ParameterImportance, ...]
    """The most important first; equal ones in the space's order. None where there is nothing to say."""
    note: str = ""
    """A sentence where there is little or nothing to say."""
    method: str = ""


def importance(request: ImportanceRequest) -> Importance:
    """Return how much each parameter of the space matters to the metric."""
    import numpy as np

    from controller.analysis.encode import encode
    from controller.analysis.intervals import rows

    usable = [index for index, value in enumerate(request.values) if is_number(value)]
    values = np.array([request.values[index] for index in usable], dtype=float)
    columns = encode(request.space, tuple(request.configs[index] for index in usable))
    varying = [index for index, column in enumerate(columns) if column.varies]
    if note := _nothing_to_say(request, values, len(varying)):
        return Importance(metric=request.metric, n_runs=len(values), parameters=(), note=note)
    generator = np.random.default_rng(request.seed)
    conditional = any(parameter.when for parameter in request.space)
    n_solve = N_SOLVE_CONDITIONAL if conditional else N_SOLVE
    kept = generator.permutation(len(values))[:n_solve]
    chosen = tuple(rows(columns[index], kept) for index in varying)
    shares = np.zeros((len(columns), 4))
    shares[varying], note = _shares(chosen, _tame(chosen, values[kept]), request, generator)
    parameters = [
        ParameterImportance(
            name=column.parameter.name,
            importance=float(share[0]),
            importance_low=float(share[1]),
            importance_high=float(share[2]),
            correlation=_correlation(column, values),
            forest=float(share[3]),
        )
        for column, share in zip(columns, shares, strict=True)
    ]
    parameters.sort(key=lambda parameter: -parameter.importance)
    return Importance(
        metric=request.metric,
        n_runs=len(values),
        parameters=tuple(parameters),
        note=note,
        method=_method(len(kept), len(values)),
    )


def _nothing_to_say(request: ImportanceRequest, values: Floats, n_varying: int) -> str:
    """Return why there is no importance to compute, or nothing."""
    if len(values) < MIN_RUNS:
        runs = "1 run has" if len(values) == 1 else f"{len(values)} runs have"
        return f"Only {runs} a value of {request.metric}; importance needs at least {MIN_RUNS}."
    if n_varying == 0:
        return f"All {len(values)} runs have the same configuration, so nothing can be told apart."
    if float(values.max()) == float(values.min()):
        return f"{request.metric} is {values[0]:g} in all {len(values)} runs, so nothing makes a difference."
    return ""


def _shares(
    columns: tuple[Column, ...], target: Floats, request: ImportanceRequest, generator: np.random.Generator
) -> tuple[Floats, str]:
    """Return importance, low, high and forest per column, shape (n_columns, 4), and a note."""
    import numpy as np

    from controller.analysis.effects import total_variances
    from controller.analysis.forest import forest_importance
    from controller.analysis.intervals import draw_shares, rows
    from controller.analysis.process import fit

    if not target.any():
        return np.zeros(
            (len(columns), 4)
        ), f"{request.metric} differs in hardly any run, so nothing can be told."
    few = slice(0, N_FIT)
    settings = fit(tuple(rows(column, few) for column in columns), target[few], N_STEPS)
    alphas, explained = _weights(columns, settings, target)
    variances = total_variances(columns, settings, alphas)[:, 0]
    result = np.empty((len(columns), 4))
    result[:, 0] = variances / max(float(variances.sum()), 1e-300)
    result[:, 1] = result[:, 2] = result[:, 0]
    if request.n_bootstrap > 0 and len(columns) > 1:
        drawn = draw_shares(columns, target, settings, request.n_bootstrap, generator)
        low, high = np.percentile(drawn, INTERVAL, axis=1)
        low = low - NEARER_ZERO * (high - low)
        result[:, 1] = np.maximum(np.minimum(low, result[:, 0] - RESOLUTION), 0.0)
        result[:, 2] = np.minimum(np.maximum(high, result[:, 0] + RESOLUTION), 1.0)
    result[:, 3] = forest_importance(columns, target, request.seed)
    note = ""
    if explained < WEAK:
        note = f"{request.metric} looks like noise: the parameters explain less than {WEAK:.0%} of it."
    elif len(columns) == 1:
        name = columns[0].parameter.name
        note = f"Only {name} has been tried with more than one value, so all importance is its own."
    return result, note


def _weights(columns: tuple[Column, ...], settings: Settings, target: Floats) -> tuple[Floats, float]:
    """Return the weights of the process's mean, shape (n_runs, 1), and the share of variance it explains."""
    import math

    import numpy as np
    from scipy.linalg import cho_factor, cho_solve

    from controller.analysis.process import correlations

    covariance = math.exp(settings.log_scale) * correlations(columns, settings)
    noise = math.exp(settings.log_noise)
    covariance[np.diag_indices(len(target))] += noise
    alphas = cho_solve(cho_factor(covariance, lower=True), target)
    explained = 1.0 - float(np.var(noise * alphas) / np.var(target))
    return alphas[:, None], explained


def _tame(columns: tuple[Column, ...], values: Floats) -> Floats:
    """Return the values standardised, far outliers pulled back.

    Quartiles are those of runs spread over the space: where an optimiser crowded its runs, most values are
    alike, and what lies far from them is no outlier.
    """
    import numpy as np

    values = np.clip(values, -1e100, 1e100)  # squares must stay numbers
    low, high = np.percentile(values[_spread_out(columns)], (25, 75))
    reach = OUTLIER * (high - low)
    tamed = np.clip(values, low - reach, high + reach) if reach > 0 else values
    tamed = tamed - tamed.mean()
    tamed /= float(np.abs(tamed).max()) or 1.0  # before squares of 1e-200 vanish
    return np.asarray(tamed / (float(tamed.std()) or 1.0))


def _spread_out(columns: tuple[Column, ...], n_wanted: int = 100) -> list[int]:
    """Return runs far from each other: each next one is the farthest from all before."""
    import numpy as np

    from controller.analysis.forest import design

    features, _ = design(columns)
    chosen = [0]
    distance = ((features - features[0]) ** 2).sum(axis=1)
    while len(chosen) < min(n_wanted, len(features)):
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, ((features - features[chosen[-1]]) ** 2).sum(axis=1))
    return chosen


def _correlation(column: Column, values: Floats) -> float | None:
    from controller.analysis.correlation import rank_correlation

    if column.positions is None:
        return None
    return rank_correlation(column.units.tolist(), values.tolist())


def _method(n_used: int, n_runs: int) -> str:
    runs = f"{n_runs} runs" if n_used == n_runs else f"{n_used} of {n_runs} runs, drawn by seed"
    return f"total Sobol indices of a Gaussian process over the sweep's space, {runs}, bootstrap interval"
