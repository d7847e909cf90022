"""The bands of early termination: how many logged values of the metric a run is judged at.

Source: Li et al., Hyperband (2018), read the way W&B's service does.
"""

from __future__ import annotations

from controller.domain.sweeps import EarlyTermination

_LONGEST = 10**15
"""Nobody logs a metric this often; further bands would only be noise on the screen."""

_MOST = 100
"""Bands of the `min_iter` form, as in W&B."""


def bands(early: EarlyTermination) -> tuple[int, ...]:
    """Return the bands in rising order; with both forms given, `max_iter` wins."""
    found: set[int] = set()
    if early.max_iter is not None:
        band = float(early.max_iter)
        for _ in range(int(early.s if early.s is not None else 1)):
            band /= early.eta
            if band < 1:
                break
            found.add(int(band))
    elif early.min_iter is not None:
        band = float(early.min_iter)
        for _ in range(_MOST):
            if band > _LONGEST:
                break
            found.add(int(band))
            band *= early.eta
    return tuple(sorted(found))
