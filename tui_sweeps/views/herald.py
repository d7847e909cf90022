"""What is worth a bell: a new best, the end of a sweep, a burst of failures."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from controller.domain.states import RUN_ENDED, SWEEP_OPEN, RunState, SweepState
from controller.domain.world import World
from tui_sweeps.format import number, sanitise

BURST_N = 5
BURST_S = 60.0
"""So many failures of a sweep within this time are a burst."""

BEST_APART_S = 60.0
"""A search improves often at its beginning: at most one bell for a new best in this time per sweep."""

N_RUNS_FIRST = 5
"""The best of fewer ended runs is no news."""


@dataclass(slots=True)
class _Known:
    state: SweepState
    best: float | None
    n_failed: int
    failed_at: deque[float] = field(default_factory=deque)
    best_told_at: float = float("-inf")


@dataclass(frozen=True, slots=True)
class Notice:
    """One piece of news."""

    sweep_id: str
    text: str


class Herald:
    """Compares a sweep with how it stood; what it meets for the first time is no news."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def forget(self) -> None:
        """Start over: what happened while nobody listened is told by the line of the start screen."""
        self._known.clear()

    def hear(self, world: World, sweep_ids: Iterable[str], now: float) -> list[Notice]:
        """Return what is new about these sweeps; `now` in seconds on any clock that grows."""
        notices: list[Notice] = []
        for sweep_id in sorted(sweep_ids):
            if sweep_id in world.sweeps:
                notices += [Notice(sweep_id, text) for text in self._one(world, sweep_id, now)]
        return notices

    def _one(self, world: World, sweep_id: str, now: float) -> list[str]:
        sweep, counts = world.sweeps[sweep_id], world.counts_of[sweep_id]
        best_id = world.best_of.get(sweep_id)
        best = None if best_id is None else world.runs[best_id].best
        n_failed = counts[RunState.FAILED] + counts[RunState.CRASHED]
        known = self._known.get(sweep_id)
        if known is None:
            self._known[sweep_id] = _Known(sweep.state, best, n_failed)
            return []
        name = sanitise(sweep.name or sweep.id, width=40)
        told = []
        if sweep.state is not known.state and known.state in SWEEP_OPEN and sweep.state not in SWEEP_OPEN:
            told.append(f"{name} is {sweep.state}")
        is_news = sum(counts[one] for one in RUN_ENDED) >= N_RUNS_FIRST
        if best is not None and best != known.best and is_news and now - known.best_told_at >= BEST_APART_S:
            known.best_told_at = now
            told.append(f"{name}: new best {number(best, 9)}")
        told += self._burst(known, n_failed, name, now)
        known.state, known.best, known.n_failed = sweep.state, best, n_failed
        return told

    def _burst(self, known: _Known, n_failed: int, name: str, now: float) -> list[str]:
        known.failed_at.extend([now] * min(BURST_N, max(0, n_failed - known.n_failed)))
        while known.failed_at and known.failed_at[0] < now - BURST_S:
            known.failed_at.popleft()
        if len(known.failed_at) < BURST_N:
            return []
        n_in_burst = len(known.failed_at)
        known.failed_at.clear()
        return [f"{name}: {n_in_burst} failures within a minute"]
