"""How likely a config is to fail: learned apart from the metric, so that a failure has no made-up value.

A process over ok / not ok. Where failures follow the config it finds the region; where they are random
its noise explains them and every config looks alike, so that nothing is avoided.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from controller.search.encoding import Rows
from controller.search.process import Prior, Process, fit

Vector = npt.NDArray[np.float64]

_PRIOR = Prior(length=math.log(0.4), length_sd=0.7, noise=math.log(0.1), noise_sd=1.0, trend=None)
_STRENGTH = 2.0
"""Prior observations in favour of the overall rate."""
_MAX_FITTED = 90
"""The latest runs, on which the kernel parameters are fitted."""
_LEAST_FENCE, _MOST_FENCE, _FENCE_BY_SHARE = 0.3, 0.9, 4.0
"""The chance, as a share of the usual one, below which a region is fenced off."""
_ENOUGH = 0.25
"""Share of the variance foretold, run by run, from which failures are taken to follow the config."""
_FIRM = 200.0
"""Steepness of the fence, in log units per unit of chance."""


class Failures:
    """The chance of success at any rows."""

    def __init__(self, rows: Rows, ok: npt.NDArray[np.bool_], is_category: npt.NDArray[np.bool_]) -> None:
        self.rate = (float(ok.sum()) + _STRENGTH) / (len(ok) + _STRENGTH)
        y = ok.astype(float) - self.rate
        self._scale = max(float(y.std()), 1e-6)
        fitted = slice(None)
        if len(ok) > _MAX_FITTED:
            fitted = slice(len(ok) - _MAX_FITTED, None)
        shape, _ = fit(rows[fitted], y[fitted] / self._scale, is_category, _PRIOR, steps=15)
        self.process = Process(rows, y / self._scale, is_category, shape)

        self.share = float((~ok).mean())
        """Share of runs that failed."""
        surprise = float((self.process.unforeseen() ** 2).mean())
        self.trust = min(max(1.0 - surprise, 0.0) / _ENOUGH, 1.0)
        """How well earlier failures were foretold by the other runs, within 0 (not at all) and 1."""
        self.usual = float(np.quantile(self.success(rows[ok]), 0.95)) if ok.any() else 1.0

    def penalty(self, rows: Rows) -> Vector:
        """Return what log expected improvement loses for the risk: the log chance, and more in bad regions.

        Expected improvement alone would walk into a wall for ever once the best place in front of it is
        known. So a chance well below the usual one is fenced off, the more firmly the more has failed,
        but only as far as failures were foretold: where crashes are chance, no place is to blame.
        """
        chance = self.success(rows)
        fence = self.trust * min(_LEAST_FENCE + _FENCE_BY_SHARE * self.share, _MOST_FENCE)
        return np.asarray(
            (1.0 + self.trust) * np.log(chance) - _FIRM * np.maximum(fence - chance / self.usual, 0.0)
        )

    def success(self, rows: Rows) -> Vector:
        """Return the probability that a run ends well, within 0.01 and 1."""
        mean = self.process.expect(rows)
        return np.clip(self.rate + mean * self._scale, 0.01, 1.0)
