"""Configs as arrays: each parameter becomes a set of nodes with a measure, each run a row of weights on them.

A continuum has a grid of nodes over its unit interval, a short list one node per value; a run stands on a
node or between two. So numbers, steps and categories are one thing to the model, and an integral over the
space is a weighted sum over nodes. A row of zeros says "this run tells nothing about this parameter":
inactive by its conditions, missing, or a value from outside the list.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from controller.analysis.measures import MAX_LEVELS, is_list, is_number, levels, place
from controller.domain.parameters import MISSING, Distribution, Parameter, Space, leaf

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Config = dict[str, Any]

N_GRID = 41
"""Nodes over a continuum; odd, so that the middle of the range is one of them."""

MAX_CATEGORIES = 64
"""A longer list of words keeps the values that runs have used; all others share one node."""


@dataclass(frozen=True, slots=True)
class Column:
    """One parameter seen by n runs."""

    parameter: Parameter
    positions: Floats | None
    """Place of each node in the unit interval, shape (n_nodes,); None when the nodes have no order."""
    weights: Floats
    """Share of the space's draws that belongs to each node, shape (n_nodes,), summing to 1."""
    rows: Floats
    """Weight of each run on each node, shape (n_runs, n_nodes); a row sums to 1, or to 0 when unknown."""
    units: Floats
    """Place of each run in the unit interval, shape (n_runs,); NaN when unknown or without order."""
    keys: tuple[str, ...]
    """What `value_key` makes of each node's value, for lists and steps; empty for a continuum."""

    @property
    def varies(self) -> bool:
        """Tell whether the runs have tried at least two values."""
        known = self.rows[self.rows.sum(axis=1) > 0]
        return len(known) > 1 and bool((abs(known - known[0]) > 1e-9).any())


def encode(space: Space, configs: tuple[Config, ...]) -> tuple[Column, ...]:
    """Return one column per parameter of the space, in the space's order."""
    by_path = {parameter.path: parameter for parameter in space}
    columns = []
    for parameter in space:
        values = [
            leaf(config, parameter.path)
            if not parameter.when or is_active(parameter, config, by_path)
            else MISSING
            for config in configs
        ]
        columns.append(_list_column(parameter, values) if is_list(parameter) else _number(parameter, values))
    return tuple(columns)


def is_active(parameter: Parameter, config: Config, by_path: dict[tuple[str, ...], Parameter]) -> bool:
    """Tell whether the parameter matters in this config: every condition holds, and so do its parents'."""
    for path, allowed in parameter.when:
        parent = by_path.get(path)
        if value_key(leaf(config, path)) not in {value_key(value) for value in allowed}:
            return False
        if parent is not None and not is_active(parent, config, by_path):
            return False
    return True


def value_key(value: Any) -> str:
    """Return a text that is equal for equal config values: 3 and 3.0 agree, true and 1 do not."""
    if value is MISSING:
        return ""
    if is_number(value):
        return repr(float(value)) if abs(value) < 2**53 else repr(value)
    return json.dumps(value, sort_keys=True, default=str)


def _number(parameter: Parameter, values: list[Any]) -> Column:
    import numpy as np

    numbers = np.array([float(value) if is_number(value) else math.nan for value in values])
    known = np.isfinite(numbers)
    numbers[~known] = 0.0
    units = np.where(known, place(parameter, numbers), np.nan)
    found = levels(parameter)
    if found is not None:
        level, weights = found
        rows = np.zeros((len(values), len(level)))
        nearest = np.abs(numbers[:, None] - level[None, :]).argmin(axis=1)
        rows[np.arange(len(values)), nearest] = 1.0
        rows[~known] = 0.0
        keys = tuple(value_key(float(value)) for value in level)
        return Column(parameter, place(parameter, level), weights, rows, units, keys)
    return _continuum(parameter, units)


def _continuum(parameter: Parameter, units: Floats) -> Column:
    """Spread each run over the two grid nodes next to it."""
    import numpy as np

    weights = np.full(N_GRID, 1.0 / (N_GRID - 1))
    weights[[0, -1]] /= 2
    known = np.isfinite(units)
    scaled = np.where(known, units, 0.0) * (N_GRID - 1)
    left = np.minimum(scaled.astype(int), N_GRID - 2)
    rows = np.zeros((len(units), N_GRID))
    every = np.arange(len(units))
    rows[every, left] = 1.0 - (scaled - left)
    rows[every, left + 1] = scaled - left
    rows[~known] = 0.0
    return Column(parameter, np.linspace(0.0, 1.0, N_GRID), weights, rows, units, ())


def _list_column(parameter: Parameter, values: list[Any]) -> Column:
    """A list of three or more numbers, or of booleans, is ordered; other lists are not."""
    import numpy as np

    shares = _shares(parameter)
    order = _order(parameter)
    if order is not None:
        keys = tuple(key for _, key in order)
        weights = np.array([shares[key] for key in keys])
        positions = np.cumsum(weights) - weights / 2
        if len(keys) > MAX_LEVELS:
            place_of = dict(zip(keys, positions, strict=True))
            found = [place_of.get(value_key(value), np.nan) for value in values]
            return _continuum(parameter, np.array(found, dtype=float))
    else:
        keys, weights = _few(shares, values)
        positions = None
    rows = np.zeros((len(values), len(keys)))
    units = np.full(len(values), np.nan)
    node_of = {key: node for node, key in enumerate(keys)}
    for run, value in enumerate(values):
        key = value_key(value)
        node = node_of.get(key, node_of.get(_REST) if key in shares else None)
        if node is not None:
            rows[run, node] = 1.0
            if positions is not None:
                units[run] = positions[node]
    return Column(parameter, positions, weights, rows, units, keys)


_REST = "…"
"""Key of the node that stands for all listed values no run has used."""


def _shares(parameter: Parameter) -> dict[str, float]:
    """Return the probability of each distinct listed value by its key, in the declared order."""
    shares: dict[str, float] = {}
    n_values = len(parameter.values)
    weighted = parameter.distribution is Distribution.CATEGORICAL_W_PROBABILITIES
    for index, value in enumerate(parameter.values):
        share = parameter.probabilities[index] if weighted else 1.0 / n_values
        key = value_key(value)
        shares[key] = shares.get(key, 0.0) + share
    return shares


def _order(parameter: Parameter) -> list[tuple[float, str]] | None:
    values = parameter.values
    if values and all(isinstance(value, bool) or is_number(value) for value in values):
        return sorted({(float(value), value_key(value)) for value in values})
    return None


def _few(shares: dict[str, float], values: list[Any]) -> tuple[tuple[str, ...], Floats]:
    import numpy as np

    keys = list(shares)
    if len(keys) > MAX_CATEGORIES:
        used = {value_key(value) for value in values}
        keys = [key for key in keys if key in used]
        rest = 1.0 - sum(shares[key] for key in keys)
        if rest > 1e-12:
            return (*keys, _REST), np.array([*(shares[key] for key in keys), rest])
    return tuple(keys), np.array([shares[key] for key in keys])
