"""Does the metric rise or fall with a parameter? Rank correlation, blind to scales and outliers."""

from __future__ import annotations

from collections.abc import Sequence

MIN_PAIRS = 3
"""Two points always correlate perfectly, which says nothing."""


def rank_correlation(first: Sequence[float | None], second: Sequence[float | None]) -> float | None:
    """Return Spearman's rank correlation of the pairs in which both are finite, in [-1, 1].

    None where there is nothing to say: fewer than three pairs, or one side never changes. Ties take the
    mean of their ranks. Source: Kendall and Gibbons, "Rank Correlation Methods" (1990), chapter 3.
    """
    import numpy as np
    from scipy.stats import rankdata

    pairs = np.array([first, second], dtype=float)  # None becomes NaN
    pairs = pairs[:, ~np.isnan(pairs).any(axis=0)]
    if pairs.shape[1] < MIN_PAIRS:
        return None
    ranks = rankdata(pairs.T, axis=0)
    ranks -= ranks.mean(axis=0)
    spread = float(np.sqrt((ranks**2).sum(axis=0).prod()))
    if spread == 0.0:
        return None
    return max(-1.0, min(1.0, float(ranks[:, 0] @ ranks[:, 1]) / spread))
