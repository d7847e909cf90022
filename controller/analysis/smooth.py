"""Smoothing of curves as the field's dashboards do it."""

from __future__ import annotations

import math
from collections.abc import Iterable


def exponential(values: Iterable[float | None], weight: float) -> list[float]:
    """Return the debiased exponential moving average; weight 0 changes nothing, close to 1 smooths most.

    `s_k = w s_{k-1} + (1 - w) x_k` from `s_0 = 0`, divided by `1 - w^k`, so that the first points are not
    drawn towards zero. NaN, infinities and None come back as NaN, and the average goes on behind them
    as if they had not been: a gap stays a gap. A curve that never changes is returned as it is.
    Source: Kingma and Ba, "Adam" (2015), section 3, for the debiasing; TensorBoard and W&B smooth so.

    Raises:
        ValueError: the weight is not in [0, 1).
    """
    if not 0 <= weight < 1:
        raise ValueError(f"a smoothing weight lies in [0, 1), not {weight}")
    average = 0.0
    seen = 1.0  # w^k of the values so far
    smoothed = []
    for value in values:
        if value is None or not math.isfinite(value):
            smoothed.append(math.nan)
            continue
        average = weight * average + (1 - weight) * value
        seen *= weight
        smoothed.append(average / (1 - seen))
    return smoothed
