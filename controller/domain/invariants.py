"""What must be true of a store at any moment: checked by `doctor`, and by the tests after every step.

The numbers are those of the design: I1 a run has one open attempt at most. I2 tokens only grow. I3 nothing
ran that was not granted. I4 no two attempts of a run overlap in time. I5 each acknowledged point is there
once. I6 grid cells are unique, and a finished grid has all. I7 `run_cap` is kept. I8 what has ended says when
and why, and nothing runs without an attempt. I10 search sees each suggestion once. The others speak of
behaviour, not of what is stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from msgspec import Struct

from controller.domain.runs import Attempt, Run
from controller.domain.states import ATTEMPT_OPEN, RUN_ACTIVE, RUN_ENDED, AttemptState, RunState
from controller.domain.sweeps import Method, Suggestion, Sweep
from controller.domain.world import Facts

CHECKED = "I1-I8, I10"
CLOCK_S = 1.0
"""Overlap that is forgiven: an attempt's end may be told late by a second clock."""


class Breach(Struct, frozen=True, kw_only=True):
    """Something that must not be."""

    invariant: str
    text: str


def breaches(facts: Facts) -> Iterator[Breach]:
    """Yield what is wrong with the facts of one moment; open and latest attempts are enough."""
    attempts: dict[str, list[Attempt]] = {}
    for attempt in facts.attempts:
        attempts.setdefault(attempt.run_id, []).append(attempt)
    yield from _tokens(facts)
    for run in facts.runs:
        yield from _run(run, attempts.get(run.id, []))
    runs: dict[str, list[Run]] = {}
    for run in facts.runs:
        runs.setdefault(run.sweep_id, []).append(run)
    for sweep in facts.sweeps:
        yield from _sweep(sweep, runs.get(sweep.id, []), facts.shelves.get(sweep.id, ()))


def overlaps(attempts: Iterable[Attempt]) -> Iterator[Breach]:
    """Yield what is wrong with all attempts of one run (I2, I4)."""
    in_order = sorted(attempts, key=lambda attempt: attempt.number)
    for earlier, later in pairwise(in_order):
        pair = f"run {later.run_id}, attempts {earlier.number} and {later.number}"
        if later.token <= earlier.token:
            yield Breach(invariant="I2", text=f"{pair}: token {later.token} after {earlier.token}")
        # A crashed attempt's real end is not known: it is taken for dead when its lease has run out.
        if earlier.started_at is None or later.started_at is None or earlier.state is AttemptState.CRASHED:
            continue
        if earlier.ended_at is None or later.started_at < earlier.ended_at - CLOCK_S:
            yield Breach(invariant="I4", text=f"{pair} overlap in time")


def miscounted(facts: Facts, n_points: Mapping[str, int]) -> Iterator[Breach]:
    """Yield runs whose history has not the rows that were acknowledged (I5)."""
    for run in facts.runs:
        n_stored = n_points.get(run.id, 0)
        if n_stored != run.n_points:
            text = f"run {run.id}: {run.n_points} history rows were acknowledged, {n_stored} are stored"
            yield Breach(invariant="I5", text=text)


def _tokens(facts: Facts) -> Iterator[Breach]:
    for token, n in Counter(attempt.token for attempt in facts.attempts).items():
        if n > 1 or token > facts.last_token:
            yield Breach(invariant="I2", text=f"token {token} was given twice, or ahead of its turn")


def _run(run: Run, attempts: list[Attempt]) -> Iterator[Breach]:
    opened = [attempt for attempt in attempts if attempt.state in ATTEMPT_OPEN]
    if len(opened) > 1:
        yield Breach(invariant="I1", text=f"run {run.id} has {len(opened)} open attempts")
    for attempt in attempts:
        if attempt.token == run.token and attempt.number != run.attempt:
            text = f"run {run.id} counts {run.attempt} attempts, its latest is number {attempt.number}"
            yield Breach(invariant="I2", text=text)
        if attempt.state is AttemptState.RUNNING and attempt.started_at is None:
            yield Breach(invariant="I3", text=f"attempt {attempt.token} of run {run.id} was never granted")
        if attempt.state not in ATTEMPT_OPEN and attempt.ended_at is None:
            yield Breach(invariant="I8", text=f"attempt {attempt.token} of run {run.id} ended without a time")
    if run.state in RUN_ACTIVE and run.token not in [attempt.token for attempt in opened]:
        yield Breach(invariant="I8", text=f"run {run.id} is {run.state} without an open attempt")
    if run.deleted and (run.queued or opened):
        yield Breach(invariant="I8", text=f"run {run.id} is deleted and yet to be worked on")
    if run.state in RUN_ENDED and run.ended_at is None:
        yield Breach(invariant="I8", text=f"run {run.id} is {run.state} without a time")
    if run.state in (RunState.CRASHED, RunState.KILLED) and not run.cause:
        yield Breach(invariant="I8", text=f"run {run.id} is {run.state} without a cause")


def _sweep(sweep: Sweep, runs: list[Run], shelf: tuple[Suggestion, ...]) -> Iterator[Breach]:
    # A deleted run's point may be handed out again.
    kept = [run for run in runs if not run.deleted]
    drawn = Counter(run.suggestion for run in kept)
    if twice := [number for number, n in drawn.items() if n > 1]:
        yield Breach(invariant="I10", text=f"sweep {sweep.id}: suggestion {twice[0]} was taken twice")
    if sweep.config.run_cap is not None and len(kept) > sweep.config.run_cap:
        text = f"sweep {sweep.id} has {len(kept)} runs, its cap is {sweep.config.run_cap}"
        yield Breach(invariant="I7", text=text)
    if sweep.config.method is not Method.GRID:
        return
    cells = Counter(run.index for run in kept)
    for index, n in cells.items():
        if n > 1:
            yield Breach(invariant="I6", text=f"sweep {sweep.id}: cell {index} was handed out {n} times")
        elif index is None or (sweep.size is not None and not 0 <= index < sweep.size):
            yield Breach(invariant="I6", text=f"sweep {sweep.id}: there is no cell {index}")
    n_cells = len({run.index for run in runs} | {suggestion.index for suggestion in shelf})
    # Whether a cap ended it cannot be seen afterwards: it may have been raised since.
    if sweep.exhausted and n_cells != sweep.size:
        text = f"sweep {sweep.id} has no more to draw after {n_cells} of {sweep.size} cells"
        yield Breach(invariant="I6", text=text)
