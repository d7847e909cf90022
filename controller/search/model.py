"""What the model behind `bayes` believes after some runs, and where it would look next.

Two processes, one over the metric and one over who failed, fitted once per request and told of each new
suggestion. It knows rows alone: which configs they stand for and which are taken is the search's affair.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from controller.search.acquisition import (
    Effort,
    doubtful_log_improvement,
    log_belief,
    log_improvement,
    maximise,
)
from controller.search.encoding import Encoder, Rows
from controller.search.failures import Failures
from controller.search.process import Prior, Process, Shape, fit
from controller.search.targets import Warp, least_gain

Vector = npt.NDArray[np.float64]

MAX_FITTED = 90
"""Points the kernel parameters are fitted on."""

MAX_POINTS = 240
"""Points the posterior is exact on; of more, the best and a spread of the rest."""

FULL_EFFORT = 80
"""Points from which fewer candidates are looked at, for each costs the more and the model knows better."""

MAX_PENDING = 60
"""The latest runs in flight that are taken into account."""

NOTHING_LEFT = -18.0
"""Log improvement, in deviations of the metric, below which looking where least is known is worth more."""

DOUBT = 4.0
"""Degrees of freedom of predictions when the model is doubted: the fewer, the more far places are worth."""

DOUBT_FROM = 30
"""Runs with a metric from which on every second suggestion doubts the model.

A process that has settled in one valley gives all others a chance of e^-20 and polishes to the end.
"""

BELIEF = 6.0
"""Runs' worth of belief that the best is not at the limits of a range.

There a process knows least, so that it would look at one corner after the other first.
"""

FEW_LEVELS = 10
"""Numbers of no more values than this are believed in at their ends too: somebody picked each."""


class Model:
    """Both processes."""

    def __init__(
        self,
        encoder: Encoder,
        rows: Rows,
        values: Vector,
        failed: npt.NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> None:
        """Fit to runs at `rows`; a value is NaN for want of one, and then a run may have `failed`."""
        self.encoder, self.is_category = encoder, encoder.is_category
        ok = np.isfinite(values)
        self.raw = values[ok]
        warp = Warp(self.raw)
        self.all_y, self._gain = warp(self.raw), least_gain(self.raw, warp)
        kept = representative(self.all_y, MAX_POINTS, rng)
        self.rows, self.y = rows[ok][kept], self.all_y[kept]
        fitted = representative(self.y, MAX_FITTED, rng)
        self.shape: Shape = fit(self.rows[fitted], self.y[fitted], self.is_category, Prior())[0]
        self.process = Process(self.rows, self.y, self.is_category, self.shape)
        mean = self.process.expect(self.rows)
        self._best_mean = float(mean.min())
        self.to_beat = self._best_mean - self._gain
        """The target below which a run would be seen to be better."""
        self.starts = self.rows[np.argsort(mean)[:8]]
        self.lengths = np.where(self.is_category, 1.0, np.minimum(np.exp(-0.5 * self.shape.weights), 1.0))
        self._wide = np.array(
            [not c.is_category and not 0 < len(c.levels) <= FEW_LEVELS for c in encoder.columns]
        )
        told = failed | ok
        self.failures: Failures | None = None
        if failed.any():
            self.failures = Failures(rows[told][-MAX_POINTS:], ~failed[told][-MAX_POINTS:], self.is_category)
        self.doubts = False
        self.with_pending = self.process

    def believe(self, pending: Rows) -> None:
        """Take runs in flight at their predicted mean, also as the best that there will be.

        Else the improvement that they promise would be counted again right beside them. The more are in
        flight, the more is tried anyway, and the less of a step has to be asked for.
        """
        if not len(pending):
            return
        pending = pending[-MAX_PENDING:]
        mean = self.process.expect(pending)
        rows = np.concatenate((self.rows, pending))
        self.with_pending = Process(rows, np.concatenate((self.y, mean)), self.is_category, self.shape)
        self.with_pending.amplitude = self.process.amplitude
        self.to_beat = min(self._best_mean, float(mean.min())) - self._gain / (1 + len(pending))

    def score(self, rows: Rows) -> Vector:
        """Return log expected improvement less the risk of failure."""
        mean, deviation = self.with_pending.predict(rows)
        if self.doubts:
            result = doubtful_log_improvement(mean, deviation, self.to_beat, DOUBT)
        else:
            result = log_improvement(mean, deviation, self.to_beat)
            result = np.logaddexp(result, np.log(deviation) + NOTHING_LEFT)
        result = result + BELIEF / len(self.all_y) * log_belief(rows[:, self._wide])
        if self.failures is not None:
            result = result + self.failures.penalty(rows)
        return result

    def next(
        self, number: int, taken: set[bytes], pool: Rows | None, rng: np.random.Generator
    ) -> npt.NDArray[np.float64] | None:
        """Return the most promising row that is not taken, for suggestion `number`."""
        self.doubts = number % 2 == 0 and len(self.all_y) >= DOUBT_FROM
        effort = Effort().scaled(FULL_EFFORT / max(len(self.rows), FULL_EFFORT))
        found = maximise(self.encoder, self.score, self.starts, self.lengths, taken, rng, effort, pool)
        return None if found is None else found[0]

    def reason(self, row: npt.NDArray[np.float64], sign: float) -> dict[str, Any]:
        """Return what is foretold of one row; `sign` turns targets back into the metric's direction."""
        mean, deviation = self.with_pending.predict(row[None, :])
        return {
            "model": "process",
            "mean": self._told(float(mean[0]), sign),
            "deviation": float(deviation[0]),
            "log_ei": float(log_improvement(mean, deviation, self.to_beat)[0]),
            "failure": 0.0 if self.failures is None else float(1 - self.failures.success(row[None, :])[0]),
        }

    def _told(self, mean: float, sign: float) -> float:
        """Return a predicted target in the metric's own unit, between the best and worst seen."""
        order = np.argsort(self.all_y)
        return sign * float(np.interp(mean, self.all_y[order], self.raw[order]))


def representative(y: Vector, n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return the indices of the best third of `n` and an even spread of the rest by value."""
    if len(y) <= n:
        return np.arange(len(y))
    order = np.argsort(y, kind="stable")
    n_best = n // 3
    rest = order[n_best:]
    spread = rng.choice(rest, size=n - n_best, replace=False)
    return np.sort(np.concatenate((order[:n_best], spread)))
