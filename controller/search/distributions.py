"""The distributions of a sweep as one table of pairs: unit interval to value and back.

Every method of search thinks in quantiles and hands out values; this table is the only place where
the two meet. `to_value(parameter, u)` is the quantile function, `to_unit(parameter, value)` a
quantile that gives the value again (the middle of its cell where many do). The module is light on
purpose (no numpy; scipy only once a beta distribution is used), since grid and random search load it.

The quantiles are those of W&B's engine except where that one is wrong: quantised values stay inside
their limits, `u = 0` is the first item and not the last, and infinite quantiles are cut off.

Source: W&B's sweep configuration reference; Wichura's AS 241 (in `statistics.NormalDist`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate
from statistics import NormalDist
from typing import Any, NamedTuple

from controller.domain.parameters import Distribution, Parameter
from controller.search.values import position

_EDGE = 1e-15
"""Nearest a computed quantile comes to 0 and 1, so that values are finite."""

_LARGEST_EXPONENT = 709.0
"""e to a higher power is more than a double can hold."""

_WIDEST = 2**63
"""Integers from here on fit in no column and no message; a float stands for them."""

_STANDARD = NormalDist()


class Pair(NamedTuple):
    """Both directions of one distribution."""

    to_value: Callable[[Parameter, float], Any]
    to_unit: Callable[[Parameter, Any], float]


def to_value(parameter: Parameter, u: float) -> Any:
    """Return the value of `parameter` at quantile `u` in [0, 1], as a plain Python value."""
    return TABLE[parameter.distribution].to_value(parameter, u)


def to_unit(parameter: Parameter, value: Any) -> float:
    """Return a quantile in [0, 1] whose value is `value`; values beyond the limits sit on the edge.

    Raises:
        ValueError: `value` is none of the declared choices, or no number where one is needed.
    """
    return TABLE[parameter.distribution].to_unit(parameter, value)


def given_limits(parameter: Parameter) -> tuple[float | int, float | int]:
    """Return `min` and `max` as they were given, integers as integers.

    Raises:
        ValueError: one of them was not given.
    """
    if parameter.min is None or parameter.max is None:
        raise ValueError(f"{parameter.name}: {parameter.distribution.value} needs min and max")
    return parameter.min, parameter.max


def limits(parameter: Parameter) -> tuple[float, float]:
    """Return the smallest and largest value before rounding; infinite where there is no limit."""
    low, high = parameter.min, parameter.max
    match parameter.distribution:
        case Distribution.LOG_UNIFORM | Distribution.Q_LOG_UNIFORM:
            return math.exp(_number(low)), math.exp(_number(high))
        case Distribution.INV_LOG_UNIFORM:
            return math.exp(-_number(high)), math.exp(-_number(low))
        case Distribution.NORMAL | Distribution.Q_NORMAL:
            return (-math.inf, math.inf) if parameter.sigma > 0 else (parameter.mu, parameter.mu)
        case Distribution.LOG_NORMAL | Distribution.Q_LOG_NORMAL:
            return (0.0, math.inf) if parameter.sigma > 0 else (math.exp(parameter.mu),) * 2
        case Distribution.BETA | Distribution.Q_BETA:
            return 0.0, 1.0
        case _:
            return _number(low), _number(high)


def steps(parameter: Parameter) -> tuple[int, int]:
    """Return the first and last multiple of `q` within the limits; first > last where there is none.

    Raises:
        OverflowError: the distribution has no limits.
    """
    low, high = limits(parameter)
    q = _step(parameter)
    # A limit that is a multiple up to binary noise counts as one.
    return math.ceil(low / q - 1e-9), math.floor(high / q + 1e-9)


def at_step(parameter: Parameter, index: int) -> float | int:
    """Return the multiple `index` of `q`, an integer for an integer `q`, never outside the limits."""
    value = index * _step(parameter)
    low, high = limits(parameter)
    if isinstance(value, int) and abs(value) < _WIDEST:
        return value
    return min(max(float(value), low), high)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{value!r} is not a number")
    return float(value)


def _step(parameter: Parameter) -> float | int:
    return 1 if parameter.q is None else parameter.q


def _between(low: float, value: float, high: float) -> float:
    return min(max(value, low), high)


def _uniform_value(parameter: Parameter, u: float) -> float:
    low, high = limits(parameter)
    return _between(low, low + u * (high - low), high)


def _uniform_unit(parameter: Parameter, value: Any) -> float:
    low, high = limits(parameter)
    return _between(0.0, (_number(value) - low) / (high - low), 1.0) if high > low else 0.5


def _log_limits(parameter: Parameter) -> tuple[float, float]:
    low, high = _number(parameter.min), _number(parameter.max)
    match parameter.distribution:
        case Distribution.LOG_UNIFORM | Distribution.Q_LOG_UNIFORM:
            return low, high
        case Distribution.INV_LOG_UNIFORM:
            return -high, -low
        case _:
            return math.log(low), math.log(high)


def _log_value(parameter: Parameter, u: float) -> float:
    low, high = _log_limits(parameter)
    smallest, largest = limits(parameter)
    return _between(smallest, math.exp(low + u * (high - low)), largest)


def _log_unit(parameter: Parameter, value: Any) -> float:
    low, high = _log_limits(parameter)
    number = _number(value)
    if number <= 0:
        return 0.0
    return _between(0.0, (math.log(number) - low) / (high - low), 1.0) if high > low else 0.5


def _z(parameter: Parameter, u: float) -> float:
    return parameter.mu + parameter.sigma * _STANDARD.inv_cdf(_between(_EDGE, u, 1 - _EDGE))


def _phi(parameter: Parameter, x: float) -> float:
    if parameter.sigma <= 0:
        return 0.5
    return 0.5 * math.erfc((parameter.mu - x) / parameter.sigma / math.sqrt(2))


def _normal_unit(parameter: Parameter, value: Any) -> float:
    return _phi(parameter, _number(value))


def _log_normal_value(parameter: Parameter, u: float) -> float:
    return math.exp(min(_z(parameter, u), _LARGEST_EXPONENT))


def _log_normal_unit(parameter: Parameter, value: Any) -> float:
    number = _number(value)
    return _phi(parameter, math.log(number)) if number > 0 else 0.0


def _beta_value(parameter: Parameter, u: float) -> float:
    from scipy.special import betaincinv

    return float(betaincinv(parameter.a, parameter.b, _between(_EDGE, u, 1 - _EDGE)))


def _beta_unit(parameter: Parameter, value: Any) -> float:
    from scipy.special import betainc

    return float(betainc(parameter.a, parameter.b, _between(0.0, _number(value), 1.0)))


def _item(u: float, n: int) -> int:
    """Return the 0-based cell of quantile `u` among `n` equal ones: ceil(u n) - 1."""
    index = math.ceil(u * n) - 1
    if index >= 1 and index / n >= u:
        # u was index/n up to rounding: the cell below owns its own upper edge.
        index -= 1
    return min(max(index, 0), n - 1)


def _constant_value(parameter: Parameter, u: float) -> Any:
    return parameter.values[0]


def _constant_unit(parameter: Parameter, value: Any) -> float:
    return 0.5


def _category_value(parameter: Parameter, u: float) -> Any:
    return parameter.values[_item(u, len(parameter.values))]


def _category_unit(parameter: Parameter, value: Any) -> float:
    return (position(parameter.values, value) + 0.5) / len(parameter.values)


@lru_cache(maxsize=512)
def _sums(probabilities: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(accumulate(probabilities))


def _weighted_value(parameter: Parameter, u: float) -> Any:
    sums = _sums(parameter.probabilities)
    for index, (total, share) in enumerate(zip(sums, parameter.probabilities, strict=True)):
        if u < total and share > 0:
            return parameter.values[index]
    return max(zip(sums, parameter.probabilities, parameter.values, strict=True), key=lambda t: t[1] > 0)[2]


def _weighted_unit(parameter: Parameter, value: Any) -> float:
    index = position(parameter.values, value)
    return _between(0.0, _sums(parameter.probabilities)[index] - parameter.probabilities[index] / 2, 1.0)


def _int_value(parameter: Parameter, u: float) -> int:
    low, high = map(int, given_limits(parameter))
    return low + _item(u, high - low + 1)


def _int_unit(parameter: Parameter, value: Any) -> float:
    low, high = map(int, given_limits(parameter))
    return _between(0.0, (_number(value) - low + 0.5) / (high - low + 1), 1.0)


def _quantised(continuous: Callable[[Parameter, float], float]) -> Callable[[Parameter, float], float | int]:
    """Return the quantile function of `continuous` rounded to multiples of `q`, half to even."""

    def value(parameter: Parameter, u: float) -> float | int:
        x = continuous(parameter, u)
        if not math.isfinite(x / _step(parameter)):
            return x
        index = round(x / _step(parameter))
        low, high = limits(parameter)
        if math.isfinite(low) and math.isfinite(high):
            first, last = steps(parameter)
            if first > last:
                return x  # no multiple lies within the limits: the limits win over the step
            index = min(max(index, first), last)
        elif math.isfinite(low):
            index = max(index, steps_above(parameter))
        return at_step(parameter, index)

    return value


def steps_above(parameter: Parameter) -> int:
    """Return the first multiple of `q` at or above a lower limit that has no upper one."""
    return math.ceil(limits(parameter)[0] / _step(parameter) - 1e-9)


TABLE: dict[Distribution, Pair] = {
    Distribution.CONSTANT: Pair(_constant_value, _constant_unit),
    Distribution.CATEGORICAL: Pair(_category_value, _category_unit),
    Distribution.CATEGORICAL_W_PROBABILITIES: Pair(_weighted_value, _weighted_unit),
    Distribution.INT_UNIFORM: Pair(_int_value, _int_unit),
    Distribution.UNIFORM: Pair(_uniform_value, _uniform_unit),
    Distribution.Q_UNIFORM: Pair(_quantised(_uniform_value), _uniform_unit),
    Distribution.LOG_UNIFORM: Pair(_log_value, _log_unit),
    Distribution.Q_LOG_UNIFORM: Pair(_quantised(_log_value), _log_unit),
    Distribution.INV_LOG_UNIFORM: Pair(_log_value, _log_unit),
    Distribution.LOG_UNIFORM_VALUES: Pair(_log_value, _log_unit),
    Distribution.Q_LOG_UNIFORM_VALUES: Pair(_quantised(_log_value), _log_unit),
    Distribution.INV_LOG_UNIFORM_VALUES: Pair(_log_value, _log_unit),
    Distribution.NORMAL: Pair(_z, _normal_unit),
    Distribution.Q_NORMAL: Pair(_quantised(_z), _normal_unit),
    Distribution.LOG_NORMAL: Pair(_log_normal_value, _log_normal_unit),
    Distribution.Q_LOG_NORMAL: Pair(_quantised(_log_normal_value), _log_normal_unit),
    Distribution.BETA: Pair(_beta_value, _beta_unit),
    Distribution.Q_BETA: Pair(_quantised(_beta_value), _beta_unit),
}
"""Every distribution W&B knows; a test holds it complete."""
