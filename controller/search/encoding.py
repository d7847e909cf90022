"""Configs as rows of numbers for the models behind `bayes`, and back.

One column per leaf that varies. Numbers stand on the unit interval by their own distribution; ordered
lists of numbers by rank; other lists by an exchangeable code. A leaf that is switched off by its
condition has the same neutral entry everywhere, so that it says nothing. Rows of finite columns are
exact: the same value always has the same entry, which is how repeats are known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from controller.domain.parameters import MISSING, Distribution, Parameter, Space, leaf, nested
from controller.search.cells import active, drawn_axis, in_order
from controller.search.distributions import to_unit, to_value
from controller.search.draws import weight
from controller.search.values import position

Rows = npt.NDArray[np.float64]
"""Shape (n, n_columns)."""

OFF_NUMBER = 0.5
OFF_CATEGORY = -1.0
"""Entries of leaves that do not matter or that a config from elsewhere lacks."""

_MANY = 2000
"""Finite columns with more values than this are handled as continuous ones."""

_BEYOND = 0.5
"""How far outside the limits values of an earlier, wider space still tell where they were."""

_LOG = frozenset(
    {
        Distribution.LOG_UNIFORM,
        Distribution.Q_LOG_UNIFORM,
        Distribution.INV_LOG_UNIFORM,
        Distribution.LOG_UNIFORM_VALUES,
        Distribution.Q_LOG_UNIFORM_VALUES,
        Distribution.INV_LOG_UNIFORM_VALUES,
    }
)


class Column:
    """One leaf: how its values become entries."""

    def __init__(self, parameter: Parameter) -> None:
        self.parameter = parameter
        axis = drawn_axis(parameter)
        self.values: tuple[Any, ...] | None = None
        if axis is not None and len(axis.values) <= _MANY:
            self.values = tuple(axis.values[i] for i in range(len(axis.values)))
        numeric = self.values is None or (
            all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in self.values)
        )
        self.is_category = not numeric
        self.levels: npt.NDArray[np.float64] = np.zeros(0)
        """Entries of the finitely many values, in their order; empty for a continuous column."""
        self.shares: npt.NDArray[np.float64] = np.zeros(0)
        if self.values is not None:
            self._number(self.values)
        self._low = self._width = 0.0
        if self.values is None and parameter.min is not None and parameter.max is not None:
            low, high = (to_value(parameter, u) for u in (0.0, 1.0))
            if parameter.distribution in _LOG:
                low, high = math.log(max(low, 1e-300)), math.log(high)
            self._low, self._width = float(low), float(high) - float(low)

    def _number(self, values: tuple[Any, ...]) -> None:
        """Give every value its entry."""
        n = len(values)
        if self.is_category:
            self.levels = np.arange(n, dtype=float)
        elif self.parameter.values:
            ranks = {value: rank for rank, value in enumerate(sorted(values))}
            self.levels = np.array([(ranks[value] + 0.5) / n for value in values])
        else:
            self.levels = np.array([to_unit(self.parameter, value) for value in values])
        shares = np.array([max(weight(self.parameter, value), 0.0) for value in values])
        total = shares.sum()
        self.shares = shares / total if total > 0 else np.full(n, 1.0 / n)
        self.codes = {(type(value), value): i for i, value in enumerate(values) if _hashable(value)}
        self.rising = np.argsort(self.levels)
        self.sorted_levels = self.levels[self.rising]

    @property
    def off(self) -> float:
        """The neutral entry."""
        return OFF_CATEGORY if self.is_category else OFF_NUMBER

    def entry(self, value: Any) -> float:
        """Return the entry of one value; NaN when it cannot be placed."""
        if self.values is None:
            return self._continuous(value)
        if _hashable(value):
            found = self.codes.get((type(value), value))
            if found is not None:
                return float(self.levels[found])
        try:
            return float(self.levels[position(self.values, value)])
        except ValueError:
            pass
        if self.is_category:
            return float(len(self.values))  # a value of an earlier list: its own category
        try:
            # Between the levels, off by a hair so that it is never taken for one of them.
            return float(np.interp(float(value), sorted(self.values), self.sorted_levels)) + 1e-7
        except (TypeError, ValueError):
            return math.nan

    def _continuous(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            return math.nan
        if self._width <= 0:
            return to_unit(self.parameter, value)
        if self.parameter.distribution in _LOG:
            if value <= 0:
                return -_BEYOND
            value = math.log(value)
        return float(min(max((value - self._low) / self._width, -_BEYOND), 1 + _BEYOND))

    def value(self, entry: float) -> Any:
        """Return the value of an entry, a plain Python one."""
        if self.values is None:
            return to_value(self.parameter, min(max(float(entry), 0.0), 1.0))
        return self.values[int(np.argmin(np.abs(self.levels - entry)))]


def _hashable(value: Any) -> bool:
    return isinstance(value, (str, int, float, bool, type(None)))


class Encoder:
    """A space as columns."""

    def __init__(self, space: Space) -> None:
        self.space = space
        order = in_order(space)
        self.constants = [p for p in order if _is_constant(p)]
        self.columns = [Column(p) for p in order if not _is_constant(p)]
        self.is_category = np.array([c.is_category for c in self.columns], dtype=bool)
        self.off = np.array([c.off for c in self.columns])
        index = {c.parameter.path: i for i, c in enumerate(self.columns)}
        fixed = {p.path: p.values[0] if p.values else to_value(p, 0.5) for p in self.constants}
        self._conditions: list[list[tuple[int, npt.NDArray[np.float64]]]] = []
        for column in self.columns:
            tests = []
            for path, allowed in column.parameter.when:
                if path in index:
                    parent = self.columns[index[path]]
                    tests.append((index[path], np.array([parent.entry(value) for value in allowed])))
                elif not active(_only(column.parameter, path), {path: fixed.get(path)}):
                    tests.append((0, np.zeros(0)))
            self._conditions.append(tests)
        self.conditional = any(self._conditions)

    @property
    def n_columns(self) -> int:
        """How many leaves vary."""
        return len(self.columns)

    def encode(self, configs: Sequence[dict[str, Any]]) -> Rows:
        """Return one row per config, shape (n, n_columns)."""
        rows = np.empty((len(configs), self.n_columns))
        for j, column in enumerate(self.columns):
            path, entry, off = column.parameter.path, column.entry, column.off
            if len(path) == 1:
                name = path[0]
                given = [config.get(name, MISSING) for config in configs]
            else:
                given = [leaf(config, path) for config in configs]
            rows[:, j] = [off if value is MISSING else entry(value) for value in given]
        rows = np.where(np.isnan(rows), self.off, rows)
        return self.neutral(rows)

    def on(self, rows: Rows) -> npt.NDArray[np.bool_]:
        """Return which entries matter, shape (n, n_columns)."""
        result = np.ones(rows.shape, dtype=bool)
        for j, tests in enumerate(self._conditions):
            for parent, allowed in tests:
                meets = np.isclose(rows[:, parent, None], allowed[None, :], atol=1e-9).any(axis=1)
                result[:, j] &= meets & result[:, parent]
        return result

    def neutral(self, rows: Rows) -> Rows:
        """Return `rows` with the entries that do not matter made neutral."""
        return np.where(self.on(rows), rows, self.off) if self.conditional else rows

    def snap(self, rows: Rows) -> Rows:
        """Return the nearest rows that stand for a config."""
        rows = rows.copy()
        for j, column in enumerate(self.columns):
            if column.values is None:
                np.clip(rows[:, j], 0.0, 1.0, out=rows[:, j])
            else:
                levels = column.sorted_levels
                middles = (levels[1:] + levels[:-1]) / 2
                rows[:, j] = levels[np.searchsorted(middles, rows[:, j])]
        return self.neutral(rows)

    def from_quantiles(self, u: Rows) -> Rows:
        """Return the rows whose leaves have the quantiles `u`, shape (n, n_columns)."""
        rows = u.copy()
        for j, column in enumerate(self.columns):
            if column.values is not None:
                ends = np.cumsum(column.shares[column.rising])[:-1]
                rows[:, j] = column.sorted_levels[np.searchsorted(ends, u[:, j], side="right")]
        return self.neutral(rows)

    def decode(self, row: npt.NDArray[np.float64]) -> dict[str, Any]:
        """Return the nested config of a row; leaves that do not matter are left out."""
        chosen = {}
        for column, entry in zip(self.columns, row, strict=True):
            chosen[column.parameter.path] = column.value(float(entry))
        for parameter in self.constants:
            chosen[parameter.path] = parameter.values[0] if parameter.values else to_value(parameter, 0.5)
        kept: dict[tuple[str, ...], Any] = {}
        for parameter in in_order(self.space):
            if active(parameter, kept):
                kept[parameter.path] = chosen[parameter.path]
        return nested({p.path: kept[p.path] for p in self.space if p.path in kept})


class _Written:
    """A space that is equal to another one when both are written the same."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self._text = msgspec.msgpack.encode(space)

    def __hash__(self) -> int:
        return hash(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Written) and other._text == self._text


def encoder(space: Space) -> Encoder:
    """Return the encoder of `space`; to make one costs as much as a small fit, so the last few are kept."""
    return _encoder(_Written(space))


@lru_cache(maxsize=4)
def _encoder(written: _Written) -> Encoder:
    return Encoder(written.space)


def marks(rows: Rows) -> list[bytes]:
    """Return one key per row; equal for the same point."""
    rounded = np.round(rows, 9) + 0.0
    return [row.tobytes() for row in rounded]


def _is_constant(parameter: Parameter) -> bool:
    axis = drawn_axis(parameter)
    return axis is not None and len(axis.values) == 1


def _only(parameter: Parameter, path: tuple[str, ...]) -> Parameter:
    """Return `parameter` under its condition on `path` alone."""
    return msgspec.structs.replace(parameter, when=tuple(w for w in parameter.when if w[0] == path))
