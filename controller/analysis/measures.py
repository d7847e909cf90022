"""Where a value stands in its distribution: cumulative probabilities of every distribution of a sweep.

Analysis looks at runs on the scale on which the space was drawn, so that `lr` from 1e-5 to 1e-1 counts by
decades and a `normal` by its own spread. Only the way from value to probability is needed here; the way
back, which draws values, is search's. Sources: the distributions are those of W&B's sweep configuration.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

from controller.domain.parameters import Distribution, Parameter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MAX_LEVELS = 48
"""A number with at most this many possible values is treated value by value, not as a continuum."""

N_DEVIATIONS = 4.5
"""Levels of a quantised normal are listed this far from its mean; 7 draws in a million lie beyond."""

_LOG_EXPONENT = {Distribution.LOG_UNIFORM, Distribution.Q_LOG_UNIFORM, Distribution.INV_LOG_UNIFORM}
_LOG_VALUES = {
    Distribution.LOG_UNIFORM_VALUES,
    Distribution.Q_LOG_UNIFORM_VALUES,
    Distribution.INV_LOG_UNIFORM_VALUES,
}
_UNIFORM = {Distribution.UNIFORM, Distribution.Q_UNIFORM, Distribution.INT_UNIFORM}
_NORMAL = {Distribution.NORMAL, Distribution.Q_NORMAL}
_LOG_NORMAL = {Distribution.LOG_NORMAL, Distribution.Q_LOG_NORMAL}
_BETA = {Distribution.BETA, Distribution.Q_BETA}
_QUANTISED = {
    Distribution.Q_UNIFORM,
    Distribution.Q_LOG_UNIFORM,
    Distribution.Q_LOG_UNIFORM_VALUES,
    Distribution.Q_NORMAL,
    Distribution.Q_LOG_NORMAL,
    Distribution.Q_BETA,
}
_LISTS = {Distribution.CONSTANT, Distribution.CATEGORICAL, Distribution.CATEGORICAL_W_PROBABILITIES}


def is_list(parameter: Parameter) -> bool:
    """Tell whether the parameter takes its values from a list."""
    return parameter.distribution in _LISTS


def step(parameter: Parameter) -> float:
    """Return the distance between neighbouring values, 0 for a continuum."""
    if parameter.distribution is Distribution.INT_UNIFORM:
        return 1.0
    if parameter.distribution in _QUANTISED:
        return float(parameter.q if parameter.q is not None else 1)
    return 0.0


def probability(parameter: Parameter, values: Floats) -> Floats:
    """Return the share of draws at most as large as each value, before any rounding to steps.

    Args:
        parameter: a numeric parameter; lists have no such order.
        values: shape (n,), finite.
    """
    import numpy as np

    kind = parameter.distribution
    if kind in _BETA:
        from scipy.special import betainc

        return np.asarray(betainc(parameter.a, parameter.b, np.clip(values, 0.0, 1.0)))
    if kind in _NORMAL or kind in _LOG_NORMAL:
        from scipy.special import ndtr

        scaled = values if kind in _NORMAL else _log(values)
        away = np.clip(scaled - parameter.mu, -1e100, 1e100)  # a foreign value may be near a float's end
        return np.asarray(ndtr(away / max(parameter.sigma, 1e-100)))
    low, high = _limits(parameter)
    if kind in _UNIFORM:
        half = 0.5 if kind is Distribution.INT_UNIFORM else 0.0
        low, high, scaled = low - half, high + half, values
    else:
        scaled = _log(values)
    if high <= low:
        return np.full_like(values, 0.5)
    return np.clip((scaled - low) / (high - low), 0.0, 1.0)


def place(parameter: Parameter, values: Floats) -> Floats:
    """Return each value's place in the unit interval; a rounded value stands mid-way through its share."""
    half = step(parameter) / 2
    if not half:
        return probability(parameter, values)
    return (probability(parameter, values - half) + probability(parameter, values + half)) / 2


def levels(parameter: Parameter) -> tuple[Floats, Floats] | None:
    """Return the possible values in order and their probabilities, or None when they are too many.

    Both have shape (n_levels,), n_levels at most `MAX_LEVELS`.
    """
    import numpy as np

    width = step(parameter)
    if width <= 0:
        return None
    low, high = (round(bound / width) for bound in _bounds(parameter))
    if high - low + 1 > MAX_LEVELS:
        return None
    values = np.arange(low, high + 1, dtype=np.float64) * width
    shares = probability(parameter, values + width / 2) - probability(parameter, values - width / 2)
    kept = shares > 1e-9
    if not kept.any():
        return None
    return values[kept], shares[kept] / shares[kept].sum()


def _log(values: Floats) -> Floats:
    import numpy as np

    return np.log(np.maximum(values, 1e-300))


def _limits(parameter: Parameter) -> tuple[float, float]:
    """Return the limits on the scale on which the distribution is flat."""
    low = float(parameter.min if parameter.min is not None else 0)
    high = float(parameter.max if parameter.max is not None else 1)
    if parameter.distribution in _LOG_VALUES:
        return math.log(max(low, 1e-300)), math.log(max(high, 1e-300))
    if parameter.distribution is Distribution.INV_LOG_UNIFORM:
        return -high, -low  # the limits are those of log(1/x)
    return low, high


def _bounds(parameter: Parameter) -> tuple[float, float]:
    """Return the least and greatest value, or nearly so, of a quantised parameter."""
    kind = parameter.distribution
    if kind in _BETA:
        return 0.0, 1.0
    reach = N_DEVIATIONS * parameter.sigma
    if kind in _NORMAL:
        return parameter.mu - reach, parameter.mu + reach
    if kind in _LOG_NORMAL:
        return math.exp(parameter.mu - reach), math.exp(min(parameter.mu + reach, 700))
    low, high = _limits(parameter)
    if kind in _LOG_EXPONENT or kind in _LOG_VALUES:
        return math.exp(max(low, -700)), math.exp(min(high, 700))
    return low, high


def is_number(value: Any) -> bool:
    """Tell whether a config value is a number that a float can hold; booleans are not numbers."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return -sys.float_info.max <= value <= sys.float_info.max
