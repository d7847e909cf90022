"""What a sweep's runs add up to: counts, hours, progress, time left.

Hours and durations need a walk over all runs, so they are added up once for what is on screen and then follow
the runs that are touched.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

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
    ended_gpu_s: float
    """The same times the GPUs of each run."""
    active_gpus: tuple[tuple[float, int], ...]
    """Start and number of GPUs of every active run that has some."""
    durations_s: tuple[float, ...]
    """Of the latest finished runs."""

    def run_s(self, now: float) -> float:
        """Return the run time used so far, in seconds."""
        return self.ended_s + sum(max(0.0, now - at) for at in self.active_since)

    def gpu_s(self, now: float) -> float:
        """Return the GPU time used so far, in seconds; 0 where no GPU is known of."""
        return self.ended_gpu_s + sum(n_gpus * max(0.0, now - at) for at, n_gpus in self.active_gpus)


@dataclass(frozen=True, slots=True)
class Eta:
    """Time left, as a range."""

    low_s: float
    middle_s: float
    high_s: float


class Sums:
    """What one sweep's runs add up to, kept up run by run: a walk over all of them happens once."""

    def __init__(self, world: World, sweep_id: str) -> None:
        self._world = world
        self._sweep_id = sweep_id
        self._took_s: dict[str, float] = {}
        """Run time of every run that has ended."""
        self._since: dict[str, float] = {}
        """Start of every active run."""
        self._gpu_s: dict[str, float] = {}
        """GPU time of every run that has ended and had any."""
        self._gpus: dict[str, tuple[float, int]] = {}
        """Start and GPUs of every active run that has any."""
        self._finished: dict[str, None] = {}
        """Runs whose run time says how long the next will take, the latest last."""
        self._ended_s = 0.0
        self._ended_gpu_s = 0.0
        self._numbers: Tally | None = None
        runs = [world.runs[one] for one in world.runs_of[sweep_id]]
        for run in sorted(runs, key=lambda run: run.ended_at or 0.0):
            self._add(run)

    def touch(self, run_ids: Iterable[str]) -> None:
        """Count these runs anew; those of other sweeps are passed over."""
        own = self._world.runs_of.get(self._sweep_id, {})
        self._numbers = None
        for run_id in run_ids:
            self._ended_s -= self._took_s.pop(run_id, 0.0)
            self._since.pop(run_id, None)
            self._ended_gpu_s -= self._gpu_s.pop(run_id, 0.0)
            self._gpus.pop(run_id, None)
            self._finished.pop(run_id, None)
            if run_id in own:
                self._add(self._world.runs[run_id])

    def _add(self, run: Run) -> None:
        if run.started_at is None:
            return
        if run.ended_at is not None:
            took_s = max(0.0, run.ended_at - run.started_at)
            self._took_s[run.id] = took_s
            self._ended_s += took_s
            if run.n_gpus:
                self._gpu_s[run.id] = took_s * run.n_gpus
                self._ended_gpu_s += took_s * run.n_gpus
            if run.state is RunState.FINISHED or (run.verdict is not None and run.verdict.stop):
                self._finished[run.id] = None
        elif run.state in RUN_ACTIVE:
            self._since[run.id] = run.started_at
            if run.n_gpus:
                self._gpus[run.id] = (run.started_at, run.n_gpus)

    def numbers(self) -> Tally:
        """Return the sums as they are now."""
        if self._numbers is None:
            self._numbers = self._count()
        return self._numbers

    def _count(self) -> Tally:
        world, sweep_id = self._world, self._sweep_id
        counts, n_runs = world.counts_of[sweep_id], len(world.runs_of[sweep_id])
        n_active = sum(counts[state] for state in RUN_ACTIVE)
        n_waiting = counts[RunState.PENDING] + counts[RunState.PREEMPTED]
        return Tally(
            n_runs=n_runs,
            n_active=n_active,
            n_failed=counts[RunState.FAILED] + counts[RunState.CRASHED],
            n_finished=counts[RunState.FINISHED],
            n_ended=max(0, n_runs - n_active - n_waiting),
            n_queued=len(world.queue_of[sweep_id]),
            n_agents=len(world.agents_of[sweep_id]),
            ended_s=max(0.0, self._ended_s),
            active_since=tuple(self._since.values()),
            ended_gpu_s=max(0.0, self._ended_gpu_s),
            active_gpus=tuple(self._gpus.values()),
            durations_s=tuple(self._took_s[one] for one in islice(reversed(self._finished), N_DURATIONS)),
        )


def tally(world: World, sweep_id: str) -> Tally:
    """Add up a sweep once."""
    return Sums(world, sweep_id).numbers()


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
