"""Which of the runs is best when luck is taken out: the one whose value the model expects to be best.

Where a metric is noisy the best value seen is a lucky one; what all runs together say of each config is a
sounder choice. The same model as behind `bayes`, over all runs that logged the metric.
"""

from __future__ import annotations

import math
from typing import Any

from msgspec import Struct

from controller.domain.parameters import Space

MIN_RUNS = 5
"""With fewer values the model knows nothing that the values do not say."""


class Believed(Struct, frozen=True, kw_only=True):
    """What one run is expected to give, in the metric's own unit."""

    index: int
    """Of the run, among those given."""
    mean: float
    low: float
    high: float
    """Where the mean is with some 95 % certainty."""


def best_believed(
    space: Space,
    configs: tuple[dict[str, Any], ...],
    values: tuple[float | None, ...],
    *,
    minimize: bool,
    seed: int = 0,
) -> Believed | None:
    """Return the run with the best expected value; None when too few have a value, or nothing varies."""
    import numpy as np

    from controller.search.encoding import encoder
    from controller.search.model import Model

    known = [i for i, value in enumerate(values) if value is not None and math.isfinite(value)]
    spelled = encoder(space)
    if len(known) < MIN_RUNS or not spelled.n_columns:
        return None
    sign = 1.0 if minimize else -1.0
    targets = sign * np.array([values[i] for i in known], dtype=float)
    if float(targets.max()) == float(targets.min()):
        return None
    rows = spelled.encode([configs[i] for i in known])
    model = Model(spelled, rows, targets, np.zeros(len(known), dtype=bool), np.random.default_rng(seed))
    mean, deviation = model.process.predict(rows)
    at = int(mean.argmin())
    # Back from the model's scale by the runs themselves: what they rank as, they are worth.
    order = np.argsort(model.all_y)

    def told(y: float) -> float:
        return sign * float(np.interp(y, model.all_y[order], model.raw[order]))

    ends = sorted(told(float(mean[at]) + z * float(deviation[at])) for z in (-1.96, 1.96))
    return Believed(index=known[at], mean=told(float(mean[at])), low=ends[0], high=ends[1])
