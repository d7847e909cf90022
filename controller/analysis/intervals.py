"""How sure an importance is: the shares of other functions that would explain the runs as well.

Each draw takes a resample of the runs (bootstrap), settings from around the fitted ones as uncertain as the
runs leave them, and a function from the process given both, and is integrated like the answer itself. A
resample alone is too sure: it never doubts the settings, nor what lies where no run has been.

Sources: Rasmussen and Williams (2006), eq. 5.9 (information about settings); Wilson et al., "Efficiently
sampling functions from Gaussian process posteriors", ICML (2020), eq. 12 (draws by Matheron's rule).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from controller.analysis.effects import Layout, layout, total_variances
from controller.analysis.encode import Column
from controller.analysis.process import Settings, beliefs, correlations, limits, slopes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

N_RUNS = 300
"""Runs in a resample at most."""

N_DOUBT = 100
"""Runs whose information bounds the settings; all of them would make it surer than it is, as runs close
together tell the same twice and no function is quite a draw of the process."""

WIDER = 2.0
"""Settings stray this much farther than a quadratic says: their density has long tails where runs crowd, and
no function is quite a draw of the process. Chosen by coverage on 200 crowded runs of the seven functions in
`benchmarks/importance.py` (with `--others`), so the coverage found there is a little flattering."""

N_ELSEWHERE = 100
"""Points of the space, not of the runs, at which a drawn function is free to differ from its mean."""

N_PER_RESAMPLE = 6
"""Functions drawn for each resample; the settings' part of the doubt needs several resamples."""

_JITTER = 1e-6
"""Of the scale: keeps a covariance of runs that nearly coincide invertible."""


def draw_shares(
    columns: tuple[Column, ...],
    target: Floats,
    settings: Settings,
    n_draws: int,
    generator: np.random.Generator,
) -> Floats:
    """Return the shares of drawn functions, shape (n_columns, n_draws); each draw sums to 1."""
    import numpy as np

    plan = layout(columns)
    few = slice(0, N_DOUBT)
    spread = doubt(tuple(rows(column, few) for column in columns), settings)
    low, high = np.array(limits(len(columns))).T
    drawn: list[Floats] = []
    for start in range(0, n_draws, N_PER_RESAMPLE):
        n_functions = min(N_PER_RESAMPLE, n_draws - start)
        moved = settings.flat() + WIDER * spread @ generator.standard_normal(len(spread))
        there = Settings.of(np.clip(moved, low, high))
        counts = np.bincount(generator.integers(len(target), size=len(target)), minlength=len(target))
        kept = generator.permutation(np.flatnonzero(counts))[:N_RUNS]
        seen = tuple(rows(column, kept) for column in columns)
        both = elsewhere(seen, plan, generator)
        alphas = _functions(both, target[kept], counts[kept], there, n_functions, generator)
        variances = total_variances(both, there, alphas)
        drawn.append(variances / np.maximum(variances.sum(axis=0), 1e-300))
    return np.concatenate(drawn, axis=1)


def doubt(columns: tuple[Column, ...], settings: Settings) -> Floats:
    """Return a root of the settings' covariance given the runs, shape (n_settings, n_settings).

    The inverse of the runs' information about the settings plus that of the belief before any run.
    """
    import numpy as np
    from scipy.linalg import cho_factor, cho_solve, solve_triangular

    covariance, parts = slopes(columns, settings)
    n_settings = len(parts)
    factor = cho_factor(covariance, lower=True)
    pulls = [cho_solve(factor, part) for part in parts]
    flat = np.array([pull.ravel() for pull in pulls])
    turned = np.array([pull.T.ravel() for pull in pulls])
    deviations = np.array([deviation for _, deviation in beliefs(len(columns))])
    information = 0.5 * flat @ turned.T + np.diag(1.0 / deviations**2)
    root = np.linalg.cholesky((information + information.T) / 2)
    return np.asarray(solve_triangular(root, np.eye(n_settings), lower=True).T)


def elsewhere(
    columns: tuple[Column, ...], plan: Layout, generator: np.random.Generator
) -> tuple[Column, ...]:
    """Return the columns with `N_ELSEWHERE` more rows, drawn from the space itself."""
    import numpy as np

    picked = generator.choice(len(plan.states), size=N_ELSEWHERE, p=_shares(plan))
    grown = []
    for index, column in enumerate(columns):
        nodes = generator.choice(len(column.weights), size=N_ELSEWHERE, p=column.weights)
        if index in plan.gates:
            place = plan.gates.index(index)
            nodes = np.array([plan.states[state].nodes[place] for state in picked])
        more = np.zeros((N_ELSEWHERE, len(column.weights)))
        more[np.arange(N_ELSEWHERE), nodes] = 1.0
        more[[index not in plan.states[state].active for state in picked]] = 0.0
        units = np.full(N_ELSEWHERE, math.nan)
        grown.append(
            replace(
                column,
                rows=np.vstack([column.rows, more]),
                units=np.concatenate([column.units, units]),
            )
        )
    return tuple(grown)


def rows(column: Column, kept: Any) -> Column:
    """Return the column as seen by some of its runs."""
    return replace(column, rows=column.rows[kept], units=column.units[kept])


def _shares(plan: Layout) -> Floats:
    import numpy as np

    shares = np.array([state.share for state in plan.states])
    return np.asarray(shares / shares.sum())


def _functions(
    columns: tuple[Column, ...],
    target: Floats,
    counts: NDArray[np.int64],
    settings: Settings,
    n_functions: int,
    generator: np.random.Generator,
) -> Floats:
    """Return weights of functions drawn given the target, shape (n_rows, n_functions).

    Matheron's rule: a function of the process, corrected by what its own noisy values at the runs miss.
    """
    import numpy as np
    from scipy.linalg import cho_factor, cho_solve, solve_triangular

    scale = math.exp(settings.log_scale)
    covariance = scale * correlations(columns, settings)
    n_runs = len(target)
    noise = math.exp(settings.log_noise) / counts
    covariance[np.diag_indices(len(covariance))] += _JITTER * scale
    root = np.linalg.cholesky(covariance)
    dice = generator.standard_normal((len(covariance), n_functions))
    weights = np.asarray(solve_triangular(root, dice, lower=True, trans="T"))
    prior = (root @ dice)[:n_runs]
    missed = target[:, None] - prior - np.sqrt(noise)[:, None] * generator.standard_normal(prior.shape)
    runs = covariance[:n_runs, :n_runs].copy()
    runs[np.diag_indices(n_runs)] += noise
    weights[:n_runs] += cho_solve(cho_factor(runs, lower=True), missed)
    return weights
