"""One axis of a plot: what its positions between 0 and 1 mean."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from controller.domain.parameters import Distribution, Parameter
from tui_sweeps.views.configs import value_text

Kind = Literal["linear", "log", "categorical"]

N_LABEL = 12
"""Most cells of a category's label."""


@dataclass(frozen=True, slots=True)
class Scale:
    """One axis: what its positions between 0 and 1 mean."""

    key: str
    """`config.lr`, `best` or `summary.loss`, as the table's columns have it."""
    title: str
    field: str
    """Its name in the filter language."""
    kind: Kind = "linear"
    low: float = 0.0
    high: float = 1.0
    is_whole: bool = False
    """Integers only."""
    choices: tuple[Any, ...] = ()
    """Values of a categorical scale, in declared order."""
    has_missing: bool = False

    @property
    def labels(self) -> tuple[str, ...]:
        """The choices as text."""
        return tuple(value_text(value, N_LABEL) for value in self.choices)

    def position(self, value: float | None) -> float | None:
        """Return where a number of this column lies, 0 to 1."""
        if value is None:
            return None
        low, high = self.low, self.high
        if self.kind == "log":
            if value <= 0:
                return None
            value, low, high = math.log(value), math.log(low), math.log(high)
        return 0.5 if high <= low else min(1.0, max(0.0, (value - low) / (high - low)))

    def value_at(self, position: float) -> float:
        """Return the number at a position; the other way round."""
        if self.kind == "log":
            low, high = math.log(self.low), math.log(self.high)
            return math.exp(low + position * (high - low))
        return self.low + position * (self.high - self.low)


def declared(parameter: Parameter | None) -> tuple[float, ...]:
    """Return the limits between which a parameter's values lie, as far as its distribution says."""
    if parameter is None:
        return ()
    low, high = parameter.min, parameter.max
    match parameter.distribution:
        case Distribution.BETA:
            return (0.0, 1.0)
        case (
            Distribution.UNIFORM
            | Distribution.INT_UNIFORM
            | Distribution.Q_UNIFORM
            | Distribution.LOG_UNIFORM_VALUES
            | Distribution.Q_LOG_UNIFORM_VALUES
        ) if low is not None and high is not None:
            return (float(low), float(high))
        case Distribution.LOG_UNIFORM | Distribution.Q_LOG_UNIFORM if low is not None and high is not None:
            return (math.exp(min(700.0, low)), math.exp(min(700.0, high)))
        case _:
            return ()
