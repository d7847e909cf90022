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


def warp(values: Vector) -> Vector:
    """Return targets of mean 0 and deviation 1 in the order of `values` (lower is better)."""
    largest = float(np.abs(values).max(initial=0.0))
    if largest > _HUGE:
        values = values / largest
    values = _held(values)
    scale = float(values.std())
    if scale < 1e-300:
        return np.zeros(len(values))
    z = (values - values.mean()) / scale
    if len(values) >= _FEW:
        z = _power(z, _best_power(z))
        deviation = float(z.std())
        z = (z - z.mean()) / deviation if deviation > 1e-12 else np.zeros(len(z))
    return np.asarray(z)


def _held(values: Vector) -> Vector:
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    reach = max(high - low, 2.0 * (middle - low), 1e-12 * max(abs(middle), 1e-300))
    return np.asarray(np.minimum(values, high + _FAR * reach))


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
