"""The first points, before there is anything to model: spread over the space, every category early.

A Latin hypercube of fixed size over the inner part of each range, the best of many by its smallest
distance, with each finite column dealt out evenly. It depends on the seed alone,
so that agents that ask at once share one design.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from controller.search.encoding import Encoder, Rows
from controller.search.process import differences

_TRIES = 60

_INNER = 0.6
"""Share of each number's range that is covered, its middle: far corners say little about the rest of
the space, and people put their limits beyond what they believe in. The model goes there when it pays."""


def design(encoder: Encoder, n: int, seed: int) -> Rows:
    """Return `n` spread rows, the most central one first."""
    rng = np.random.default_rng([seed & 0xFFFFFFFF, 17])
    best, best_gap = encoder.from_quantiles(rng.random((n, encoder.n_columns))), -1.0
    for _ in range(_TRIES):
        ranks = rng.permuted(np.tile(np.arange(n), (encoder.n_columns, 1)), axis=1).T
        u = (ranks + rng.random(ranks.shape) * 0.8 + 0.1) / n
        rows = encoder.from_quantiles(np.where(encoder.is_category, u, 0.5 + _INNER * (u - 0.5)))
        gap = _gap(rows, encoder.is_category)
        if gap > best_gap:
            best, best_gap = rows, gap
    centre = np.where(encoder.is_category, best, 0.5)
    return best[np.argsort(((best - centre) ** 2).sum(axis=1), kind="stable")]


def _gap(rows: Rows, is_category: npt.NDArray[np.bool_]) -> float:
    if len(rows) < 2:
        return 0.0
    total = np.where(is_category[:, None, None], 0.3, 1.0) * differences(rows, rows, is_category)
    distance = total.sum(axis=0) + np.diag(np.full(len(rows), np.inf))
    return float(distance.min())
