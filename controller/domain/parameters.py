"""What a sweep varies: parameters, their distributions and the space they span.

Plain values only. How a distribution turns a quantile into a value lives in
`controller.search`; how a sweep file becomes these values lives in
`controller.domain.sweepfile`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct


class Distribution(StrEnum):
    """The distributions of W&B's sweep configuration, by W&B's names."""

    CONSTANT = "constant"
    CATEGORICAL = "categorical"
    CATEGORICAL_W_PROBABILITIES = "categorical_w_probabilities"
    INT_UNIFORM = "int_uniform"
    UNIFORM = "uniform"
    Q_UNIFORM = "q_uniform"
    LOG_UNIFORM = "log_uniform"
    Q_LOG_UNIFORM = "q_log_uniform"
    INV_LOG_UNIFORM = "inv_log_uniform"
    LOG_UNIFORM_VALUES = "log_uniform_values"
    Q_LOG_UNIFORM_VALUES = "q_log_uniform_values"
    INV_LOG_UNIFORM_VALUES = "inv_log_uniform_values"
    NORMAL = "normal"
    Q_NORMAL = "q_normal"
    LOG_NORMAL = "log_normal"
    Q_LOG_NORMAL = "q_log_normal"
    BETA = "beta"
    Q_BETA = "q_beta"


class Parameter(Struct, frozen=True, kw_only=True):
    """One leaf of the `parameters` section with its distribution's numbers."""

    path: tuple[str, ...]
    """Group names from the outside in, then the parameter's own name. A dot inside a name is an
    ordinary character: `model.lr` is one element."""
    distribution: Distribution
    values: tuple[Any, ...] = ()
    """The declared choices in their order (categorical), or the single constant."""
    probabilities: tuple[float, ...] = ()
    """One share per value, summing to 1; only for `categorical_w_probabilities`."""
    min: float | int | None = None
    max: float | int | None = None
    """Limits; natural-log exponents for `log_uniform`, `q_log_uniform` and `inv_log_uniform`."""
    q: float | int | None = None
    """Step of the quantised distributions; an integer step gives integers."""
    mu: float = 0.0
    sigma: float = 1.0
    a: float = 1.0
    b: float = 1.0
    when: tuple[tuple[tuple[str, ...], tuple[Any, ...]], ...] = ()
    """(+) Conditions: this parameter matters only where each named path has one of the listed values."""

    @property
    def name(self) -> str:
        """The path as one word, for tables and axes: `optimizer.lr`."""
        return ".".join(self.path)


Space = tuple[Parameter, ...]
"""All leaves of a `parameters` section, in the order in which W&B walks them: names sorted
alphabetically within each group."""


_BETWEEN = ".wbnest["
"""How the word begins that W&B's engine puts between the names of a path to sort paths as text."""


def nested(assignments: dict[tuple[str, ...], Any]) -> dict[str, Any]:
    """Return the config a run receives: one value per top name, groups as mappings.

    Plain names stand before groups, as in what W&B's engine hands out: it is the order of the arguments.
    """
    config: dict[str, Any] = {path[0]: value for path, value in assignments.items() if len(path) == 1}
    for path in sorted((path for path in assignments if len(path) > 1), key=_BETWEEN.join):
        place, value = config, assignments[path]
        for group in path[:-1]:
            place = place.setdefault(group, {})
        place[path[-1]] = value
    return config


MISSING: Any = object()
"""Stands for "this config has no such leaf", which null does not."""


def leaf(config: dict[str, Any], path: tuple[str, ...]) -> Any:
    """Return the value at `path` of a nested config, or `MISSING`."""
    place: Any = config
    for name in path:
        if not isinstance(place, dict) or name not in place:
            return MISSING
        place = place[name]
    return place
