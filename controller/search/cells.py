"""A finite space as numbered cells, without ever building the list of them.

A cell is one value per leaf, numbered by a mixed-radix counter whose last leaf varies fastest, so that
a space of 10^12 cells costs as much as one of ten. Leaves under a condition (`Parameter.when`) exist
only in the cells whose condition holds; then the leaves that conditions name are counted first, each
combination of them with the product of the leaves it switches on.

Two readings of the same space share this: the *grid* one (W&B's: `q_uniform` starts at its minimum
and leaves out the maximum) and the *drawn* one (the values that random draws can take).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, product
from typing import Any, NamedTuple

from controller.domain.parameters import MISSING, Distribution, Parameter, Space, leaf, nested
from controller.search.distributions import at_step, given_limits, limits, steps
from controller.search.values import distinct, position, same

MAX_BRANCHES = 100_000
"""Combinations of condition-bearing leaves that are worth holding in memory (some 10 MB)."""

Assignments = dict[tuple[str, ...], Any]


class Steps(Sequence[Any]):
    """The values first, first + 1, ... of an axis, computed when asked for."""

    def __init__(self, n: int, value: Any) -> None:
        self._n = n
        self._value = value

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, index: Any) -> Any:
        if not 0 <= index < self._n:
            raise IndexError(index)
        return self._value(index)


class Axis(NamedTuple):
    """One leaf with its finitely many values in their order."""

    parameter: Parameter
    values: Sequence[Any]


def grid_axis(parameter: Parameter) -> Axis:
    """Return the values a grid search walks through, in W&B's order, equal ones once.

    Raises:
        ValueError: the distribution cannot be enumerated in a grid, or has no limits.
    """
    match parameter.distribution:
        case Distribution.CONSTANT:
            return Axis(parameter, parameter.values[:1])
        case Distribution.CATEGORICAL:
            return Axis(parameter, distinct(parameter.values))
        case Distribution.INT_UNIFORM:
            first, last = map(int, given_limits(parameter))
            return Axis(parameter, range(first, last + 1))
        case Distribution.Q_UNIFORM:
            low, high = given_limits(parameter)
            q = 1 if parameter.q is None else parameter.q
            n = max(0, math.ceil((high - low) / q))
            # The increment as floating point sees it, so that the values are W&B's to the last bit.
            increment = (low + q) - low
            return Axis(parameter, Steps(n, lambda index: low + index * increment))
        case _:
            raise ValueError(
                f"{parameter.name}: a grid cannot enumerate the distribution {parameter.distribution.value}; "
                "use values, an integer range or q_uniform, or method random or bayes"
            )


def drawn_axis(parameter: Parameter) -> Axis | None:
    """Return the values that draws of `parameter` can take, or None when there is no end of them."""
    match parameter.distribution:
        case Distribution.CONSTANT | Distribution.CATEGORICAL | Distribution.INT_UNIFORM:
            return grid_axis(parameter)
        case Distribution.CATEGORICAL_W_PROBABILITIES:
            pairs = zip(parameter.values, parameter.probabilities, strict=True)
            return Axis(parameter, distinct(tuple(value for value, share in pairs if share > 0)))
        case (
            Distribution.Q_UNIFORM
            | Distribution.Q_LOG_UNIFORM
            | Distribution.Q_LOG_UNIFORM_VALUES
            | Distribution.Q_BETA
            | Distribution.Q_NORMAL
            | Distribution.Q_LOG_NORMAL
        ):
            if not all(map(math.isfinite, limits(parameter))):
                return None
            first, last = steps(parameter)
            if first > last:
                return None
            return Axis(parameter, Steps(last - first + 1, lambda index: at_step(parameter, first + index)))
        case _:
            low, high = limits(parameter)
            return Axis(parameter, (low,)) if low == high else None


def active(parameter: Parameter, chosen: Assignments) -> bool:
    """Say whether `parameter` matters, given the leaves chosen so far."""
    return all(path in chosen and any(_equal(chosen[path], v) for v in ok) for path, ok in parameter.when)


def _equal(a: Any, b: Any) -> bool:
    """Say whether a condition's value is meant: equal, but 1 is not true."""
    return isinstance(a, bool) is isinstance(b, bool) and bool(a == b)


def in_order(space: Space) -> list[Parameter]:
    """Return the leaves so that each comes after those its condition names.

    Raises:
        ValueError: conditions name an unknown leaf or go round in a circle.
    """
    waiting, placed, result = list(space), set[tuple[str, ...]](), list[Parameter]()
    while waiting:
        ready = [p for p in waiting if all(path in placed for path, _ in p.when)]
        if not ready:
            raise ValueError(f"{waiting[0].name}: its condition names an unknown parameter or itself")
        placed.update(p.path for p in ready)
        result.extend(ready)
        waiting = [p for p in waiting if p.path not in placed]
    return result


class Cells:
    """The numbered cells of a finite space."""

    def __init__(self, axes: Sequence[Axis]) -> None:
        self._branches: list[Assignments] = [{}]
        self._axes: list[list[Axis]] = [list(axes)]
        if any(axis.parameter.when for axis in axes):
            self._branch({axis.parameter.path: axis for axis in axes})
        sizes = [math.prod(len(axis.values) for axis in rest) for rest in self._axes]
        self._ends = list(accumulate(sizes))

    @property
    def size(self) -> int:
        """Number of cells, exact at any magnitude."""
        return self._ends[-1] if self._ends else 0

    def assignments(self, index: int) -> Assignments:
        """Return the leaves of cell `index`.

        Raises:
            IndexError: there is no such cell.
        """
        if not 0 <= index < self.size:
            raise IndexError(f"cell {index} of {self.size}")
        branch = bisect_right(self._ends, index)
        rest = index - (self._ends[branch - 1] if branch else 0)
        digits: Assignments = {}
        for axis in reversed(self._axes[branch]):
            rest, digit = divmod(rest, len(axis.values))
            digits[axis.parameter.path] = axis.values[digit]
        return {**self._branches[branch], **dict(reversed(digits.items()))}

    def cell(self, index: int) -> dict[str, Any]:
        """Return cell `index` as a nested config."""
        return nested(self.assignments(index))

    def _branch(self, axes: dict[tuple[str, ...], Axis]) -> None:
        """Split the space by the values of the leaves that conditions name."""
        order = in_order(tuple(axis.parameter for axis in axes.values()))
        named = {path for p in order for path, _ in p.when}
        heads = [axes[p.path] for p in order if p.path in named]
        if math.prod(len(axis.values) for axis in heads) > MAX_BRANCHES:
            raise ValueError(f"conditions over more than {MAX_BRANCHES} combinations of values")
        rest = [axis for path, axis in axes.items() if path not in named]
        seen: set[tuple[Any, ...]] = set()
        self._branches, self._axes = [], []
        for digits in product(*(range(len(axis.values)) for axis in heads)):
            chosen: Assignments = {}
            for axis, digit in zip(heads, digits, strict=True):
                if active(axis.parameter, chosen):
                    chosen[axis.parameter.path] = axis.values[digit]
            mark = tuple(
                digit if axis.parameter.path in chosen else -1
                for axis, digit in zip(heads, digits, strict=True)
            )
            if mark in seen:
                continue  # differs from an earlier combination only in leaves that are switched off
            seen.add(mark)
            self._branches.append(chosen)
            self._axes.append([axis for axis in rest if active(axis.parameter, chosen)])


def drawn_cells(space: Space) -> Cells | None:
    """Return the cells that draws can take, or None for an unbounded space."""
    axes = [drawn_axis(parameter) for parameter in space]
    if any(axis is None for axis in axes):
        return None
    return Cells([axis for axis in axes if axis is not None])


def effective(space: Space, config: dict[str, Any]) -> Assignments:
    """Return the leaves of `config` that matter: known to the space and switched on."""
    chosen: Assignments = {}
    for parameter in in_order(space):
        value = leaf(config, parameter.path)
        if value is not MISSING and active(parameter, chosen):
            chosen[parameter.path] = value
    return chosen


def key(space: Space, config: dict[str, Any]) -> tuple[Any, ...]:
    """Return what two configs have in common exactly when they are the same point of `space`."""
    chosen = effective(space, config)
    return tuple(_mark(p, chosen[p.path]) if p.path in chosen else None for p in space)


def _mark(parameter: Parameter, value: Any) -> Any:
    if parameter.values:
        try:
            index = position(parameter.values, value)
            return next(i for i in range(index + 1) if same(parameter.values[i], parameter.values[index]))
        except ValueError:
            return repr(value)
    return float(value) if isinstance(value, (int, float)) else repr(value)
