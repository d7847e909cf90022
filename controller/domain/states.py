"""The lives of sweeps, runs and attempts: one table of moves each, and one function that fires it.

::

    Sweep    Pending -> Running <-> Paused -> Stopped | Cancelled | Finished | Failed | Crashed
    Run      Pending -> Running -> Finished | Failed | Crashed | Killed | Preempted
    Attempt  Assigned -> Running -> Finished | Failed | Killed | Preempted | Crashed; Assigned -> Abandoned

The README's state tables are compared with these tables by a test.
"""

from __future__ import annotations

from enum import StrEnum


class SweepState(StrEnum):
    """W&B's sweep states."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    FINISHED = "finished"
    FAILED = "failed"
    CRASHED = "crashed"


class RunState(StrEnum):
    """W&B's run states."""

    PENDING = "pending"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CRASHED = "crashed"
    KILLED = "killed"
    PREEMPTING = "preempting"
    PREEMPTED = "preempted"


class AttemptState(StrEnum):
    """The life of one execution of a run's config."""

    ASSIGNED = "assigned"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    KILLED = "killed"
    PREEMPTED = "preempted"
    CRASHED = "crashed"
    ABANDONED = "abandoned"
    """Handed out and never started; nothing was executed."""


class Verb(StrEnum):
    """What an operator can ask of a sweep."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    CANCEL = "cancel"


SWEEP_OPEN = frozenset({SweepState.PENDING, SweepState.RUNNING, SweepState.PAUSED})
"""States in which a sweep may still hand out runs now or after a resume."""

RUN_ACTIVE = frozenset({RunState.RUNNING, RunState.PREEMPTING})
"""States in which a process of the run may be alive."""

RUN_ENDED = frozenset({RunState.FINISHED, RunState.FAILED, RunState.CRASHED, RunState.KILLED})

ATTEMPT_OPEN = frozenset({AttemptState.ASSIGNED, AttemptState.RUNNING})

VERBS: dict[Verb, tuple[frozenset[SweepState], SweepState]] = {
    Verb.PAUSE: (frozenset({SweepState.PENDING, SweepState.RUNNING}), SweepState.PAUSED),
    Verb.RESUME: (
        frozenset(
            {
                SweepState.PAUSED,
                SweepState.STOPPED,
                SweepState.CANCELLED,
                SweepState.FINISHED,
                SweepState.FAILED,
                SweepState.CRASHED,
            }
        ),
        SweepState.RUNNING,
    ),
    Verb.STOP: (frozenset({SweepState.PENDING, SweepState.RUNNING, SweepState.PAUSED}), SweepState.STOPPED),
    Verb.CANCEL: (
        frozenset({SweepState.PENDING, SweepState.RUNNING, SweepState.PAUSED, SweepState.STOPPED}),
        SweepState.CANCELLED,
    ),
}
"""Each verb with the states it may be given in and the state it leads to. Two conditions go beyond
the table: resume of an ended sweep needs something left to give, cancel of a stopped one needs
active runs (`controller.core.verbs`)."""

SWEEP_MOVES: dict[SweepState, frozenset[SweepState]] = {
    SweepState.PENDING: frozenset(
        {
            SweepState.RUNNING,
            SweepState.PAUSED,
            SweepState.STOPPED,
            SweepState.CANCELLED,
            SweepState.FINISHED,
        }
    ),
    SweepState.RUNNING: frozenset(
        {
            SweepState.PAUSED,
            SweepState.STOPPED,
            SweepState.CANCELLED,
            SweepState.FINISHED,
            SweepState.FAILED,
            SweepState.CRASHED,
        }
    ),
    SweepState.PAUSED: frozenset(
        {
            SweepState.RUNNING,
            SweepState.STOPPED,
            SweepState.CANCELLED,
            SweepState.FINISHED,
            SweepState.FAILED,
            SweepState.CRASHED,
        }
    ),
    SweepState.STOPPED: frozenset({SweepState.RUNNING, SweepState.CANCELLED}),
    SweepState.CANCELLED: frozenset({SweepState.RUNNING}),
    SweepState.FINISHED: frozenset({SweepState.RUNNING}),
    SweepState.FAILED: frozenset({SweepState.RUNNING}),
    SweepState.CRASHED: frozenset({SweepState.RUNNING}),
}

RUN_MOVES: dict[RunState, frozenset[RunState]] = {
    RunState.PENDING: frozenset({RunState.RUNNING, RunState.KILLED, RunState.CRASHED}),
    RunState.RUNNING: frozenset(
        {
            RunState.FINISHED,
            RunState.FAILED,
            RunState.CRASHED,
            RunState.KILLED,
            RunState.PREEMPTING,
            RunState.PREEMPTED,
        }
    ),
    RunState.PREEMPTING: frozenset(
        {RunState.PREEMPTED, RunState.FINISHED, RunState.FAILED, RunState.CRASHED, RunState.KILLED}
    ),
    RunState.PREEMPTED: frozenset({RunState.PENDING, RunState.RUNNING, RunState.KILLED}),
    RunState.FINISHED: frozenset({RunState.PENDING}),
    RunState.FAILED: frozenset({RunState.PENDING}),
    RunState.CRASHED: frozenset({RunState.PENDING, RunState.RUNNING, RunState.PREEMPTED, *RUN_ENDED}),
    RunState.KILLED: frozenset({RunState.PENDING}),
}
"""`Pending` again is a retry; `Crashed -> Running` is a late word from a run that nothing replaced;
`Crashed -> ended` is the truth found later in a run directory."""


class IllegalMoveError(Exception):
    """A transition outside the tables: a defect of ours, never a user's mistake."""


def move_sweep(old: SweepState, new: SweepState) -> SweepState:
    """Return `new` when the table allows it.

    Raises:
        IllegalMoveError: the move is not in `SWEEP_MOVES`.
    """
    if new is not old and new not in SWEEP_MOVES[old]:
        raise IllegalMoveError(f"sweep: {old} -> {new}")
    return new


def move_run(old: RunState, new: RunState) -> RunState:
    """Return `new` when the table allows it.

    Raises:
        IllegalMoveError: the move is not in `RUN_MOVES`.
    """
    if new is not old and new not in RUN_MOVES[old]:
        raise IllegalMoveError(f"run: {old} -> {new}")
    return new
