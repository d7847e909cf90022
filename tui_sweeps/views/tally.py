"""What a sweep's runs add up to: counts, hours, progress, time left.

Hours and durations need a walk over all runs, so they are computed for what is on screen and kept until
the sweep is touched again.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from controller.domain.runs import Run
from controller.domain.states import RUN_ACTIVE, SWEEP_OPEN, RunState
from controller.domain.sweeps import Sweep
from controller.domain.world import World

N_DURATIONS = 200
"""Latest finished runs that the estimate of the time left looks at: later ones say more."""


@dataclass(frozen=True, slots=True)
class Tally:
    """One sweep's numbers."""

    n_runs: int
    n_active: int
    n_failed: int
    """Failed and crashed."""
    n_finished: int
    n_ended: int
    """Done for good as far as the expected number is concerned."""
    n_queued: int
    """Waiting to be handed out (again), preempted ones included."""
    n_agents: int
    ended_s: float
    """Run time of all runs that have ended."""
    active_since: tuple[float, ...]
    """Start of every active run."""
    durations_s: tuple[float, ...]
    """Of the latest finished runs."""

    def run_s(self, now: float) -> float:
        """Return the run time used so far, in seconds."""
        return self.ended_s + sum(max(0.0, now - at) for at in self.active_since)


@dataclass(frozen=True, slots=True)
class Eta:
    """Time left, as a range."""

    low_s: float
    middle_s: float
    high_s: float


def tally(world: World, sweep_id: str) -> Tally:
    """Add up a sweep."""
    counts = world.counts_of[sweep_id]
    ended_s = 0.0
    active: list[float] = []
    durations: list[float] = []
    for run_id in world.runs_of[sweep_id]:
        run = world.runs[run_id]
        if run.started_at is None:
            continue
        if run.ended_at is not None:
            took_s = max(0.0, run.ended_at - run.started_at)
            ended_s += took_s
            if run.state is RunState.FINISHED or (run.verdict is not None and run.verdict.stop):
                durations.append(took_s)
        elif run.state in RUN_ACTIVE:
            active.append(run.started_at)
    n_active = sum(counts[state] for state in RUN_ACTIVE)
    n_queued = len(world.queue_of[sweep_id])
    n_runs = len(world.runs_of[sweep_id])
    return Tally(
        n_runs=n_runs,
        n_active=n_active,
        n_failed=counts[RunState.FAILED] + counts[RunState.CRASHED],
        n_finished=counts[RunState.FINISHED],
        n_ended=max(
            0,
            n_runs - n_active - counts[RunState.PENDING] - counts[RunState.PREEMPTED],
        ),
        n_queued=n_queued,
        n_agents=len(world.agents_of[sweep_id]),
        ended_s=ended_s,
        active_since=tuple(active),
        durations_s=tuple(durations[-N_DURATIONS:]),
    )


def eta(sweep: Sweep, numbers: Tally, now: float) -> Eta | None:
    """Return the time left; None where there is no end, nobody works, or nothing has finished yet."""
    if sweep.n_expected is None or sweep.state not in SWEEP_OPEN or not numbers.n_active:
        return None
    if not numbers.durations_s:
        return None
    durations = sorted(numbers.durations_s)
    middle_s = statistics.fmean(durations)
    low_s, high_s = durations[len(durations) // 4], durations[(3 * len(durations)) // 4]
    n_left = max(0, sweep.n_expected - numbers.n_ended)
    done_s = sum(min(max(0.0, now - at), middle_s) for at in numbers.active_since)

    def left_s(each_s: float) -> float:
        return max(0.0, (n_left * each_s - done_s) / numbers.n_active)

    return Eta(left_s(min(low_s, middle_s)), left_s(middle_s), left_s(max(high_s, middle_s)))


def duration_of(run: Run, now: float) -> float | None:
    """Return how long a run has run or ran, in seconds; None before its start."""
    if run.started_at is None:
        return None
    if run.ended_at is not None:
        return max(0.0, run.ended_at - run.started_at)
    return max(0.0, now - run.started_at) if run.state in RUN_ACTIVE else None
