"""The distributions made of numbers: limits, steps and shapes that fit together.

Source: `sweeps` 0.3.0, schema definitions `param_*` and `validate_min_max`.
"""

from __future__ import annotations

import math

from controller.domain.parameters import Distribution, Parameter
from controller.domain.problems import ProblemList
from controller.domain.sweepfile.items import Item
from controller.domain.sweepfile.scalars import number

_D = Distribution
_EXPONENTS = (_D.LOG_UNIFORM, _D.Q_LOG_UNIFORM, _D.INV_LOG_UNIFORM)
_POSITIVE_MIN = (_D.LOG_UNIFORM_VALUES, _D.Q_LOG_UNIFORM_VALUES, _D.INV_LOG_UNIFORM_VALUES)
_LOG_NORMAL = (_D.LOG_NORMAL, _D.Q_LOG_NORMAL)
_MAX_EXPONENT = 709.0
"""e to a higher power is more than a double can hold."""
_MAX_STEPS = 2**62
"""Python counts no further in a sequence."""
_MAX_USUAL_EXPONENT = 30.0
"""e^30 is 10^13: above that a bound was hardly meant as an exponent."""


def numeric(
    path: tuple[str, ...],
    distribution: Distribution,
    item: Item,
    fields: tuple[str, ...],
    problems: ProblemList,
) -> Parameter | None:
    """Return the parameter that the given number `fields` describe, or None after noting what is wrong."""
    checker = _Numbers(path, distribution, item, problems)
    given = checker.given(fields)
    if given is None or not checker.signs_fit(given):
        return None
    if "min" in given and not checker.limits_fit(given["min"], given["max"]):
        return None
    if distribution in _LOG_NORMAL and not checker.mu_fits(given.get("mu", 0.0)):
        return None
    if "q" in fields:
        given.setdefault("q", 1.0)
    stepped = "min" in given and (distribution is _D.INT_UNIFORM or "q" in given)
    if stepped and not checker.steps_fit(given["min"], given["max"], given.get("q", 1)):
        return None
    return Parameter(
        path=path,
        distribution=distribution,
        min=given.get("min"),
        max=given.get("max"),
        q=given.get("q"),
        mu=float(given.get("mu", 0.0)),
        sigma=float(given.get("sigma", 1.0)),
        a=float(given.get("a", 1.0)),
        b=float(given.get("b", 1.0)),
    )


class _Numbers:
    """The numbers of one specification, with the words for what is wrong with them."""

    def __init__(
        self, path: tuple[str, ...], distribution: Distribution, item: Item, problems: ProblemList
    ) -> None:
        self._distribution = distribution
        self._item = item
        self._problems = problems
        self._name = path[-1]
        self._key = ".".join(("parameters", *path))

    def given(self, fields: tuple[str, ...]) -> dict[str, float | int] | None:
        given: dict[str, float | int] = {}
        complete = True
        for field in fields:
            if (inner := self._item.get(field)) is not None:
                what = f"{self._name}: {field}"
                value = number(inner, what, self._problems, key=f"{self._key}.{field}")
                complete = complete and value is not None
                given |= {} if value is None else {field: value}
        return given if complete else None

    def signs_fit(self, given: dict[str, float | int]) -> bool:
        positive = {"q", "sigma", "a", "b"} | ({"min"} if self._distribution in _POSITIVE_MIN else set())
        hints = {
            "min": "a logarithm has no 0: give a small positive min",
            "sigma": "for a constant write value",
        }
        wrong = [field for field in given if field in positive and given[field] <= 0]
        for field in wrong:
            self._error(field, f"{field} must be above 0, not {given[field]}", hints.get(field, ""))
        return not wrong

    def limits_fit(self, low: float | int, high: float | int) -> bool:
        if self._distribution is Distribution.INT_UNIFORM and not self._whole(low, high):
            return False
        if low >= high:
            hint = "exchange them" if low > high else f"for a constant write value: {low}"
            self._error("min", f"min {low} is not less than max {high}", hint)
            return False
        return self._distribution not in _EXPONENTS or self._exponents_fit(low, high)

    def mu_fits(self, mu: float) -> bool:
        """Say whether e to the power of `mu` is a number, or note that it is not."""
        if mu > _MAX_EXPONENT:
            message = f"{self._distribution} is e to the power of draws around mu, and e^{mu} is out of range"
            self._error("mu", message, "mu and sigma are those of the logarithm")
        return mu <= _MAX_EXPONENT

    def steps_fit(self, low: float, high: float, q: float) -> bool:
        """Say whether the steps between two limits can be counted."""
        if self._distribution in _EXPONENTS:
            low, high = math.exp(low), math.exp(high)
        fits = (high - low) / q < _MAX_STEPS
        if not fits:
            message = f"more than 2^62 steps of {q} lie between the limits"
            self._error("max", message, "use a larger q, or a distribution without steps")
        return fits

    def _whole(self, low: float | int, high: float | int) -> bool:
        fits = True
        for field, value in (("min", low), ("max", high)):
            if isinstance(value, float):
                hint = f"write {int(value)}" if value.is_integer() else "use uniform for floats"
                self._error(field, f"int_uniform needs whole numbers, not {value}", hint)
                fits = False
        return fits

    def _exponents_fit(self, low: float, high: float) -> bool:
        kind = self._distribution
        hint = f"for limits write distribution: {kind}_values"
        if max(abs(low), abs(high)) > _MAX_EXPONENT:
            most = max(low, high, key=abs)
            self._error("min", f"{kind} takes exponents of e, and e^{most} is out of range", hint)
            return False
        sign = -1 if kind is Distribution.INV_LOG_UNIFORM else 1
        first, last = sorted((math.exp(sign * low), math.exp(sign * high)))
        message = f"{self._name}: {kind} takes exponents of e: this means {first:.6g} to {last:.6g}"
        if _look_like_limits(low, high):
            message += f", but {low} and {high} look like limits"
        at = self._item.get("min") or self._item
        self._problems.warning(at, message, hint, key=f"{self._key}.min")
        return True

    def _error(self, field: str, message: str, hint: str) -> None:
        at = self._item.get(field) or self._item
        self._problems.error(at, f"{self._name}: {message}", hint, key=f"{self._key}.{field}")


def _look_like_limits(low: float, high: float) -> bool:
    """Say whether bounds meant as exponents were more likely meant as the values themselves."""
    narrow = 0 <= low < 1 and (high <= 1 or (low > 0 and high / low >= 10))
    return narrow or high > _MAX_USUAL_EXPONENT
