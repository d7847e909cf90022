"""Early termination by hyperband: W&B's verdicts, judged at every point and without looking back.

At each *band* (a number of logged values of the metric) the threshold is element `int(n / eta)`,
0-based, of the sorted values that all runs had at that band. A run is compared at the last band it has
passed: strict by its value there, otherwise by its best so far; worse than the threshold stops it, a tie
goes on. So the first run to reach a band is never stopped, and thresholds move with every arrival.

Values are kept sorted per band and ascending from good to bad (negated for maximisation), so a new
point costs a bisection however many runs and points there are. All that must survive a restart is each
run's values at the bands and its best (`at_bands`), or its whole curve.

Source: Li et al., Hyperband (2018), read the way W&B's service does.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence

from msgspec import Struct

from controller.domain.bands import bands
from controller.domain.sweeps import EarlyTermination

__all__ = ["Brackets", "Passed", "Verdict", "at_bands", "bands"]


class Verdict(Struct, frozen=True, kw_only=True):
    """What was decided about a run at a band, with the numbers it was decided by."""

    stop: bool
    band: int
    """Logged values of the metric at which the run was compared."""
    value: float
    """The run's value that was compared, in the user's own direction."""
    threshold: float | None
    """The value to beat, in the user's own direction; None when the run was judged without one."""
    n_at_band: int
    """Runs that have reached this band so far, this one included."""


class Passed(Struct, frozen=True, kw_only=True):
    """What a run's curve means to hyperband: enough to rebuild the brackets."""

    at: tuple[float, ...]
    """The value at each band the run has reached."""
    n: int
    """Logged values in all."""
    best: float | None
    """Lowest value so far."""


def at_bands(values: Sequence[float], marks: Sequence[int]) -> Passed:
    """Return what a curve of the metric (lower is better, finite or infinite) shows at the bands `marks`."""
    at = tuple(values[mark - 1] for mark in marks if mark <= len(values))
    return Passed(at=at, n=len(values), best=min(values) if values else None)


class _Curve:
    """What is remembered of one run."""

    __slots__ = ("at", "best", "broken", "n")

    def __init__(self) -> None:
        self.n = 0
        self.best = math.inf
        self.at: list[float] = []
        self.broken = False


class Brackets:
    """All bands of one sweep with the values that runs had there, brought up to date value by value."""

    def __init__(self, early: EarlyTermination, *, minimize: bool) -> None:
        self.early = early
        self.bands = bands(early)
        self._sign = 1.0 if minimize else -1.0
        self._curves: dict[str, _Curve] = {}
        self._sorted: list[list[float]] = [[] for _ in self.bands]

    def add(self, run_id: str, values: Iterable[float]) -> Verdict | None:
        """Take in the next values of a run's metric, in order, and judge the run.

        Values are in the user's own direction. None means that the run has passed no band yet.
        """
        curve = self._curves.setdefault(run_id, _Curve())
        for given in values:
            value = self._sign * given
            if not math.isfinite(value):
                if self.early.on_nan == "ignore":
                    continue
                curve.broken = curve.broken or self.early.on_nan == "stop"
                value = math.inf
            curve.n += 1
            curve.best = min(curve.best, value)
            place = len(curve.at)
            if place < len(self.bands) and curve.n == self.bands[place]:
                curve.at.append(value)
                insort(self._sorted[place], value)
        return self.judge(run_id)

    def load(self, run_id: str, passed: Passed) -> None:
        """Take in a run from what `at_bands` kept of it (lower is better) instead of from its values."""
        self.remove(run_id)
        curve = self._curves[run_id] = _Curve()
        curve.n, curve.at = passed.n, list(passed.at)
        curve.best = math.inf if passed.best is None else passed.best
        for place, value in enumerate(passed.at):
            insort(self._sorted[place], value)

    def remove(self, run_id: str) -> None:
        """Forget a run, for instance because it was deleted or starts again."""
        curve = self._curves.pop(run_id, None)
        if curve is not None:
            for place, value in enumerate(curve.at):
                del self._sorted[place][bisect_left(self._sorted[place], value)]

    def judge(self, run_id: str) -> Verdict | None:
        """Return the verdict on a run by what is known now; None before its first band."""
        curve = self._curves.get(run_id)
        if curve is None or not curve.n:
            return None
        if curve.broken:
            return Verdict(stop=True, band=curve.n, value=math.nan, threshold=None, n_at_band=1)
        if not curve.at:
            return None
        place = len(curve.at) - 1
        here = self._sorted[place]
        threshold = here[int((1.0 / self.early.eta) * len(here))]
        value = curve.at[place] if self.early.strict else curve.best
        return Verdict(
            stop=value > threshold,
            band=self.bands[place],
            value=self._sign * value,
            threshold=self._sign * threshold,
            n_at_band=len(here),
        )

    def thresholds(self) -> tuple[float | None, ...]:
        """Return the threshold at each band, in the user's own direction; None where no run has been."""
        share = 1.0 / self.early.eta
        return tuple(self._sign * at[int(share * len(at))] if at else None for at in self._sorted)
