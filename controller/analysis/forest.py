"""W&B's importance: the share of impurity that a random forest's splits on a parameter take away.

Kept under W&B's name so that its figures can be compared. It knows no scales and no space, gives dead
parameters their share of noise and follows wherever an optimiser crowded its runs; `importance` is better.
Source: Breiman, "Random forests", Machine Learning 45 (2001).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.analysis.encode import Column

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

N_TREES = 40
"""Enough for a steady first digit; more only cost time."""


def forest_importance(columns: tuple[Column, ...], target: Floats, seed: int) -> Floats:
    """Return one share per column, shape (n_columns,), summing to 1, or all 0 where no split helps."""
    import numpy as np
    from sklearn.ensemble import RandomForestRegressor

    features, owner = design(columns)
    forest = RandomForestRegressor(n_estimators=N_TREES, random_state=seed, n_jobs=1)
    forest.fit(features, target)
    shares = np.zeros(len(columns))
    np.add.at(shares, owner, forest.feature_importances_)
    return shares


def design(columns: tuple[Column, ...]) -> tuple[Floats, list[int]]:
    """Return the features, shape (n_runs, n_features), and which column each belongs to.

    A column with an order is one feature (-1 where the run has no value), another one feature per value.
    """
    import numpy as np

    features: list[Floats] = []
    owner: list[int] = []
    for index, column in enumerate(columns):
        parts = column.rows.T if column.positions is None else [np.nan_to_num(column.units, nan=-1.0)]
        features.extend(parts)
        owner.extend([index] * len(parts))
    return np.array(features).T, owner
