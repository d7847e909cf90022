"""A Gaussian process whose parts are the effects of parameters, alone and together.

The covariance of two runs is `s² Π_i (1 + θ_i k_i)`, where k_i has zero mean under the parameter's own
distribution: multiplied out, it is a sum over all subsets of parameters, so an effect of one parameter, an
interaction of three, and a parameter that does nothing (θ_i → 0) are each told by their own term, and
variances follow in closed form without sampling (`effects.py`).

Every kernel is a small table over a parameter's nodes, so that numbers, steps and categories differ in their
table only: Matérn 5/2 where there is an order, "same or not" where there is none.

Sources: Durrande, Ginsbourger, Roustant, Carraro, "ANOVA kernels and RKHS of zero mean functions for
model-based sensitivity analysis", J. Multivariate Analysis 115 (2013), eq. 9 and 13; Rasmussen and Williams,
"Gaussian Processes for Machine Learning" (2006), eq. 4.17, 5.8 and 5.9.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.analysis.encode import Column

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LOG_WEIGHT = (math.log(0.2), 2.0)
LOG_LENGTH = (math.log(0.5), 0.8)
LOG_NOISE = (math.log(1e-3), 3.0)
LOG_SCALE = (0.0, 2.0)
"""Mean and deviation of what is believed before any run: effects may be tiny, lengths are of the order of
the range, noise can be anything."""

BOUNDS = {"weight": (-14.0, 4.0), "length": (-3.0, 2.5), "noise": (-14.0, 1.0), "scale": (-6.0, 7.0)}
"""Limits of the logarithms; beyond them the tables lose their last digits."""

_H = 1e-4
"""Step in log length for the slope of a table."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the fit decides, on logarithmic scales."""

    log_weights: Floats
    """θ of each column, shape (n_columns,)."""
    log_lengths: Floats
    """Length scale of each column in units of its range, shape (n_columns,); unused where unordered."""
    log_scale: float
    log_noise: float

    @classmethod
    def start(cls, n_columns: int) -> Settings:
        """Return the values from which every fit sets out."""
        import numpy as np

        ones = np.ones(n_columns)
        return cls(ones * math.log(0.3), ones * LOG_LENGTH[0], 0.0, math.log(1e-2))

    def flat(self) -> Floats:
        """Return all values in one array, shape (2 n_columns + 2,)."""
        import numpy as np

        return np.concatenate([self.log_weights, self.log_lengths, [self.log_scale, self.log_noise]])

    @classmethod
    def of(cls, flat: Floats) -> Settings:
        """Return the settings that `flat` was made of."""
        n_columns = (len(flat) - 2) // 2
        return cls(flat[:n_columns], flat[n_columns:-2], float(flat[-2]), float(flat[-1]))


def table(column: Column, log_length: float) -> Floats:
    """Return the kernel between nodes, shape (n_nodes, n_nodes): zero mean, average variance 1."""
    import numpy as np

    if column.positions is None:
        raw = np.eye(len(column.weights))
    else:
        gap = np.abs(column.positions[:, None] - column.positions[None, :])
        scaled = math.sqrt(5.0) * gap / math.exp(log_length)
        raw = (1.0 + scaled + scaled**2 / 3.0) * np.exp(-scaled)
    mean = raw @ column.weights
    centred = raw - np.outer(mean, mean) / (column.weights @ mean)
    variance = float(column.weights @ np.diag(centred))
    return np.asarray(centred / max(variance, 1e-12))


def table_slope(column: Column, log_length: float) -> Floats:
    """Return how the table changes with the log of the length scale; 0 where there is no order."""
    return (table(column, log_length + _H) - table(column, log_length - _H)) / (2 * _H)


def fit(columns: tuple[Column, ...], target: Floats, n_steps: int) -> Settings:
    """Return the settings of greatest posterior density for the target, shape (n_runs,), mean about 0."""
    import numpy as np
    from scipy.optimize import minimize

    n_columns, n_runs = len(columns), len(target)
    room = (np.empty((n_columns, n_runs, n_runs)), np.empty((n_columns, n_runs, n_runs)))
    found = minimize(
        _loss,
        Settings.start(n_columns).flat(),
        args=(columns, target, room),
        jac=True,
        method="L-BFGS-B",
        bounds=limits(n_columns),
        options={"maxiter": n_steps, "maxfun": 2 * n_steps},
    )
    return Settings.of(np.asarray(found.x))


def limits(n_columns: int) -> list[tuple[float, float]]:
    """Return least and greatest of each of the flat settings."""
    limit = BOUNDS
    return [limit["weight"]] * n_columns + [limit["length"]] * n_columns + [limit["scale"], limit["noise"]]


def beliefs(n_columns: int) -> list[tuple[float, float]]:
    """Return mean and deviation of each of the flat settings before any run."""
    return [LOG_WEIGHT] * n_columns + [LOG_LENGTH] * n_columns + [LOG_SCALE, LOG_NOISE]


def slopes(columns: tuple[Column, ...], settings: Settings) -> tuple[Floats, list[Floats]]:
    """Return the runs' covariance, noise included, and its slope along each of the flat settings."""
    import numpy as np

    scale, noise = math.exp(settings.log_scale), math.exp(settings.log_noise)
    product, others = leave_one_out(factors(columns, settings))
    own = noise * np.eye(len(product))
    along_weights, along_lengths = [], []
    for index, column in enumerate(columns):
        length = float(settings.log_lengths[index])
        amount = scale * math.exp(float(settings.log_weights[index])) * others[index]
        along_weights.append(amount * (column.rows @ table(column, length) @ column.rows.T))
        slope = table_slope(column, length)
        along_lengths.append(amount * (column.rows @ slope @ column.rows.T))
    return scale * product + own, [*along_weights, *along_lengths, scale * product, own]


def factors(columns: tuple[Column, ...], settings: Settings, out: Floats | None = None) -> Floats:
    """Return `1 + θ_i k_i` between all runs per column, shape (n_columns, n_runs, n_runs).

    With `out`, of that shape, they are written there: asking the system for new pages at every step of a
    fit costs a third of its time.
    """
    import numpy as np

    n_runs = len(columns[0].rows)
    found = np.empty((len(columns), n_runs, n_runs)) if out is None else out
    for column, weight, length, place in zip(
        columns, settings.log_weights, settings.log_lengths, found, strict=True
    ):
        np.matmul(column.rows @ (math.exp(weight) * table(column, length)), column.rows.T, out=place)
        place += 1.0
    return found


def correlations(columns: tuple[Column, ...], settings: Settings) -> Floats:
    """Return the product of all factors between the runs, shape (n_runs, n_runs), noise left out."""
    import numpy as np

    n_runs = len(columns[0].rows)
    product, place = np.ones((n_runs, n_runs)), np.empty((1, n_runs, n_runs))
    for index, column in enumerate(columns):
        one = replace(
            settings,
            log_weights=settings.log_weights[index : index + 1],
            log_lengths=settings.log_lengths[index : index + 1],
        )
        product *= factors((column,), one, place)[0]
    return product


def leave_one_out(matrices: Floats, out: Floats | None = None) -> tuple[Floats, Floats]:
    """Return the product of all matrices and, for each, the product of the others. Safe where one is 0.

    Args:
        matrices: shape (n, n_rows, n_columns).
        out: of the same shape, for the products of the others.
    """
    import numpy as np

    others = np.empty_like(matrices) if out is None else out
    others[0] = 1.0
    for index in range(1, len(matrices)):
        np.multiply(others[index - 1], matrices[index - 1], out=others[index])
    product = others[-1] * matrices[-1]
    after = matrices[-1].copy()
    for index in range(len(matrices) - 2, -1, -1):
        others[index] *= after
        after *= matrices[index]
    return product, others


def _loss(
    flat: Floats, columns: tuple[Column, ...], target: Floats, room: tuple[Floats, Floats]
) -> tuple[float, Floats]:
    """Return the negative log posterior density and its gradient; `room` is for factors and products."""
    import numpy as np
    from scipy.linalg import cho_factor, cho_solve
    from scipy.linalg.lapack import dpotri

    settings = Settings.of(flat)
    scale, noise = math.exp(settings.log_scale), math.exp(settings.log_noise)
    n_runs, n_columns = len(target), len(columns)
    product, others = leave_one_out(factors(columns, settings, room[0]), room[1])
    covariance = scale * product
    covariance[np.diag_indices(n_runs)] += noise
    try:
        chol, lower = cho_factor(covariance, lower=True)
    except np.linalg.LinAlgError:
        return 1e10, np.zeros_like(flat)
    alpha = cho_solve((chol, lower), target)
    half, _ = dpotri(chol, lower=1)
    inverse = np.tril(half) + np.tril(half, -1).T
    pull = 0.5 * (inverse - np.outer(alpha, alpha))
    gradient = np.zeros_like(flat)
    for index, column in enumerate(columns):
        length = float(settings.log_lengths[index])
        amount = scale * math.exp(float(settings.log_weights[index]))
        others[index] *= pull
        pulled = column.rows.T @ (others[index] @ column.rows)
        gradient[index] = amount * float((pulled * table(column, length)).sum())
        gradient[n_columns + index] = amount * float((pulled * table_slope(column, length)).sum())
    gradient[-2] = scale * float((pull * product).sum())
    gradient[-1] = noise * float(np.trace(pull))
    loss = 0.5 * float(target @ alpha) + float(np.log(np.diag(chol)).sum())
    prior, prior_gradient = _prior(flat, n_columns)
    return loss + prior, gradient + prior_gradient


def _prior(flat: Floats, n_columns: int) -> tuple[float, Floats]:
    import numpy as np

    mean, deviation = np.array(beliefs(n_columns)).T
    away = (flat - mean) / deviation
    return 0.5 * float(away @ away), away / deviation
