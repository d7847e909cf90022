"""How long a run takes, and whether an agent has that long."""

from __future__ import annotations

from statistics import median

from controller.domain.states import RunState
from controller.domain.sweeps import Sweep
from controller.domain.world import World

N_LATEST = 101
"""So many of the latest finished runs tell how long one takes."""


def too_late(world: World, sweep: Sweep, time_left_s: float | None) -> str:
    """Return why an agent with so much time left should start no run; empty if it may."""
    if time_left_s is None:
        return ""
    needed = needed_s(world, sweep)
    if needed is None or time_left_s >= needed:
        return ""
    least = sweep.config.min_time_s is not None
    what = f"a run needs {needed:.0f} s (min_time)" if least else f"a run takes {needed:.0f} s (median)"
    return f"the job has {time_left_s:.0f} s left, {what}"


def needed_s(world: World, sweep: Sweep) -> float | None:
    """Return how long a run takes: what the sweep says, else the median so far; None while not known."""
    if sweep.config.min_time_s is not None:
        return sweep.config.min_time_s
    return median_runtime_s(world, sweep)


def median_runtime_s(world: World, sweep: Sweep) -> float | None:
    """Return the median time of the sweep's latest finished runs; None before the first."""
    durations: list[float] = []
    for run_id in reversed(world.runs_of[sweep.id]):
        run = world.runs[run_id]
        if run.state is RunState.FINISHED and run.started_at is not None and run.ended_at is not None:
            durations.append(run.ended_at - run.started_at)
            if len(durations) == N_LATEST:
                break
    return median(durations) if durations else None
