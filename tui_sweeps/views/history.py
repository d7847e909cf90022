"""History: every run's value in the order in which runs ended, and the best one so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from controller.domain.runs import Run
from tui_sweeps.format import duration
from tui_sweeps.views.parallel import Still
from tui_sweeps.views.slices import Spot

N_TICKS = 6
SPANS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
"""Round distances of ticks over time; beyond, whole days."""


@dataclass(frozen=True, slots=True)
class History:
    """What is drawn; positions 0 to 1."""

    spots: tuple[Spot, ...]
    stairs: tuple[tuple[float, float], ...]
    """Corners of the best value so far; empty where nobody said which way is better."""
    ticks: tuple[tuple[float, str], ...]
    """Of the axis below."""
    n_better: int
    """How many runs were better than all before them."""
    last_better: str
    """Id of the run that was better last; empty: none."""


def history(still: Still, runs: Sequence[Run], *, over_time: bool, now: float) -> History:
    """Return the values of these runs, as far as they have one, over time or over their count."""
    places = still.places[still.metric] if still.metric else {}
    runs = sorted((run for run in runs if places.get(run.id) is not None), key=_order)
    if not runs:
        return History((), (), (), 0, "")
    xs, ticks = _over_time(runs, now) if over_time else _over_count(len(runs))
    steps = still.steps
    found = [
        Spot(run.id, x, y, steps.get(run.id))
        for run, x in zip(runs, xs, strict=True)
        if (y := places.get(run.id)) is not None
    ]
    is_high = still.is_better_high
    if is_high is None:
        return History(tuple(found), (), ticks, 0, "")
    stairs: list[tuple[float, float]] = []
    best: Spot | None = None
    n_better = 0
    for spot in found:
        if best is None or (spot.y > best.y if is_high else spot.y < best.y):
            stairs += [(spot.x or 0.0, (best or spot).y), (spot.x or 0.0, spot.y)]
            best = spot
            n_better += 1
    if best is not None:
        stairs.append((found[-1].x or 0.0, best.y))
    return History(tuple(found), tuple(stairs), ticks, n_better, best.run_id if best else "")


def _order(run: Run) -> tuple[float, int]:
    """Runs that go on come last."""
    return (_moment(run, float("inf")), run.number)


def _moment(run: Run, now: float) -> float:
    return now if run.ended_at is None else run.ended_at


def _over_count(n_runs: int) -> tuple[list[float], tuple[tuple[float, str], ...]]:
    last = max(1, n_runs - 1)
    step = next(
        s for power in range(12) for s in (10**power, 2 * 10**power, 5 * 10**power) if s * N_TICKS >= last
    )
    counts = sorted({1, n_runs, *range(step, n_runs, step)})
    # A round number right beside an end would be written over it.
    shown = [n for n in counts if n in (1, n_runs) or min(n - 1, n_runs - n) >= step / 2]
    ticks = tuple(((n - 1) / last if n_runs > 1 else 0.5, str(n)) for n in shown)
    return ([at / last for at in range(n_runs)] if n_runs > 1 else [0.5]), ticks


def _over_time(runs: list[Run], now: float) -> tuple[list[float], tuple[tuple[float, str], ...]]:
    ends = [_moment(run, now) for run in runs]
    starts = [run.started_at for run in runs if run.started_at is not None]
    first, last = min([*starts, *ends]), max(ends)
    span_s = max(1e-9, last - first)
    days_s = max(1, round(span_s / 86400 / N_TICKS)) * 86400
    step_s = next((s for s in SPANS_S if s * N_TICKS >= span_s), days_s)
    n_ticks = min(50, int(span_s // step_s))
    ticks = tuple((n * step_s / span_s, duration(n * step_s) if n else "0") for n in range(n_ticks + 1))
    return [min(1.0, max(0.0, (at - first) / span_s)) for at in ends], ticks
