"""How likely a config is to fail: learned apart from the metric, so that a failure has no made-up value.

A process over ok / not ok. Where failures follow the config it finds the region; where they are random
its noise explains them and every config looks alike, so that nothing is avoided.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from controller.search.encoding import Rows
from controller.search.process import Prior, Process, Shape, fit

Vector = npt.NDArray[np.float64]

_PRIOR = Prior(length=math.log(0.4), length_sd=0.7, noise=math.log(0.1), noise_sd=1.0)
_STRENGTH = 2.0
"""Prior observations in favour of the overall rate."""


class Failures:
    """The chance of success at any rows."""

    def __init__(self, rows: Rows, ok: npt.NDArray[np.bool_], is_category: npt.NDArray[np.bool_]) -> None:
        self.rate = (float(ok.sum()) + _STRENGTH) / (len(ok) + _STRENGTH)
        y = ok.astype(float) - self.rate
        self._scale = max(float(y.std()), 1e-6)
        fitted = slice(None)
        if len(ok) > 120:
            fitted = slice(len(ok) - 120, None)
        shape, _ = fit(rows[fitted], y[fitted] / self._scale, is_category, _PRIOR, steps=15)
        self.process = Process(rows, y / self._scale, is_category, Shape(shape.weights, shape.noise))

    def success(self, rows: Rows) -> Vector:
        """Return the probability that a run ends well, within 0.01 and 1."""
        mean, _ = self.process.predict(rows)
        return np.clip(self.rate + mean * self._scale, 0.01, 1.0)
