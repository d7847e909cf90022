"""What adds up over the columns, as features of a linear kernel: the trend, and ripples upon it.

Much of a metric is the sum of what each parameter does by itself, and that can be told from far fewer runs
than what they do together. The trend is a slope and a bend per number and a step per category; ripples
are what a number does more often than that, as waves that count the less the shorter they are.

Source: Duvenaud, Nickisch and Rasmussen, Additive Gaussian processes (2011), section 2, first order;
waves instead of kernels per column as in Solin and Sarkka, Hilbert space methods for reduced-rank Gaussian
process regression (2020), section 3.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from controller.search.encoding import Rows

Matrix = npt.NDArray[np.float64]

_MOST_STEPS = 24
"""Categories of one column that the trend tells apart."""

_HALF_WAVES = np.arange(3, 15)
"""Half waves in a range: fewer are slope and bend, more are seldom told."""

_IN_THE_MIDDLE = np.cos(np.pi / 2 * _HALF_WAVES)
"""Where the entry of a column that does not matter stands."""

_WAVES_SHARE = 1.0 / (1.0 + (_HALF_WAVES / 5.0) ** 2)
_WAVES_SCALE = np.sqrt(2.0 * _WAVES_SHARE / _WAVES_SHARE.sum())


def trends(rows: Rows, is_category: npt.NDArray[np.bool_]) -> Matrix:
    """Return the features of the trend, shape (n, n_features): slopes, bends, category steps.

    They are 0 where a column does not matter, and of mean square 1 over all columns together.
    """
    d = max(len(is_category), 1)
    x = 2.0 * rows[:, ~is_category] - 1.0
    steps = [rows[:, [j]] == np.arange(_MOST_STEPS) for j in np.flatnonzero(is_category)]
    return np.concatenate((x * math.sqrt(1.5), x**2 * math.sqrt(2.5), *steps), axis=1) / math.sqrt(d)


def ripples(rows: Rows, is_category: npt.NDArray[np.bool_]) -> Matrix:
    """Return the features of the ripples, shape (n, n_features), scaled as those of the trend."""
    turn = np.cos(np.pi * rows[:, ~is_category])
    twice = 2.0 * turn
    before, wave = turn, twice * turn - 1.0
    waves = np.empty((len(_HALF_WAVES), *turn.shape))
    for index in range(len(_HALF_WAVES)):  # each from the two before it, in a tenth of the time of a cosine
        before, wave = wave, twice * wave - before
        waves[index] = (wave - _IN_THE_MIDDLE[index]) * _WAVES_SCALE[index]
    return np.moveaxis(waves, 1, 0).reshape(len(rows), -1) / math.sqrt(max(len(is_category), 1))
