"""What the model is taught: metric values turned to "lower is better", tamed and standardised.

A metric is rarely normal: losses explode, accuracies crowd below one. Values on the bad side are held
to a few interquartile ranges, then a Yeo-Johnson power makes the rest as normal as it can.

Source: Yeo and Johnson, A new family of power transformations (2000), eq. 2.1.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]

_POWERS = np.linspace(-2.0, 4.0, 31)
_FEW = 6
"""With fewer values no power is estimated."""
_HUGE = 1e100
"""Beyond this a square overflows."""
_FAR = 4.0
"""Interquartile ranges beyond the upper quartile at which values are held."""


class Warp:
    """The way from metric values (lower is better) to targets, fitted to the values of some runs."""

    def __init__(self, values: Vector) -> None:
        """Fit to `values`, shape (n,), all finite."""
        largest = float(np.abs(values).max(initial=0.0))
        self._divisor = largest if largest > _HUGE else 1.0
        values = values / self._divisor
        self._most = _most(values)
        values = np.minimum(values, self._most)
        self._centre, self._scale = float(values.mean()), float(values.std())
        self._power: float | None = None
        self._after = (0.0, 1.0)
        if self._scale >= 1e-300 and len(values) >= _FEW:
            z = (values - self._centre) / self._scale
            self._power = _best_power(z)
            z = _power(z, self._power)
            deviation = float(z.std())
            self._after = (float(z.mean()), deviation if deviation > 1e-12 else math.inf)

    def __call__(self, values: Vector) -> Vector:
        """Return targets in the order of `values`; of mean 0 and deviation 1 for those fitted to."""
        if self._scale < 1e-300:
            return np.zeros(len(values))
        z = (np.minimum(values / self._divisor, self._most) - self._centre) / self._scale
        if self._power is not None:
            z = (_power(z, self._power) - self._after[0]) / self._after[1]
        return np.asarray(z)


def least_gain(values: Vector, warp: Warp) -> float:
    """Return how far below the best target a prediction must be to mean anything better, 0 or more.

    Accuracies on a few hundred samples, counts and scores come in steps: what is less than half a step
    better will be seen as equal. Without this a plateau of equal values is walked cell by cell, for its
    many small hopes. A metric counts as stepped when runs share values; its step is the least difference.
    """
    distinct = np.unique(values)
    halves = np.diff(0.5 * distinct)
    halves = halves[halves > 1e-9 * np.abs(distinct).max()]
    if not len(halves) or len(halves) + 1 == len(values):
        return 0.0
    best = float(distinct[0])
    here, there = warp(np.array([best, best - float(halves.min())]))
    gain = float(here - there)
    return gain if math.isfinite(gain) else 0.0


def _most(values: Vector) -> float:
    """Return at which value worse ones are held."""
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    reach = max(high - low, 2.0 * (middle - low), 1e-12 * max(abs(middle), 1e-300))
    return float(high + _FAR * reach)


def _power(z: Vector, power: float) -> Vector:
    result = np.empty_like(z)
    up = z >= 0
    result[up] = np.log1p(z[up]) if abs(power) < 1e-9 else ((z[up] + 1) ** power - 1) / power
    other = 2.0 - power
    down = ~up
    result[down] = -np.log1p(-z[down]) if abs(other) < 1e-9 else -((1 - z[down]) ** other - 1) / other
    return result


def _best_power(z: Vector) -> float:
    sums = np.sign(z) * np.log1p(np.abs(z))

    def likelihood(power: float) -> float:
        variance = float(_power(z, power).var())
        fit = -0.5 * len(z) * math.log(variance + 1e-12) + (power - 1) * float(sums.sum())
        # The last term pulls gently to no change, which few values can hardly refute.
        return fit - (power - 1) ** 2

    return float(max(_POWERS, key=likelihood))
