"""Why an agent is signalled inside SLURM, and what that makes of the run it holds.

SLURM sends SIGTERM for everything; the cause is in the job's record and in the line that it writes into the
job's output at the same moment. Neither is needed: without both the run counts as preempted, for then
nothing is lost.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from dataclasses import dataclass

from controller.agent.scheduler import JobRecord, ask, mark_in_output, size_of_output
from controller.agent.slurm import SlurmTask
from controller.domain.states import AttemptState

WARNING = signal.SIGUSR1
"""By which SLURM is told to warn of an end that is still to come (`--signal=B:USR1@120`)."""
SOON_S = 900.0
"""A warning with less time left than this is about the time limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """What a signal means."""

    state: AttemptState
    """What the run's end is to be called."""
    cause: str
    comes_back: bool = False
    """SLURM puts the task into its queue again."""
    out_of_time: bool = False
    ends_in_s: float | None = None
    """How long the job still has, as far as a warning tells."""


def meaning(
    signum: int, task: SlurmTask, record: JobRecord | None, mark: str | None, *, left_s: float | None = None
) -> Departure:
    """Return what a signal means by the job's record and by what SLURM wrote into its output.

    `left_s` is the time left by the environment, for when SLURM itself says nothing.
    """
    name = signal.Signals(signum).name
    restarts = task.restart if record is None else record.restarts
    if record is not None and record.time_left_s is not None:
        left_s = record.time_left_s
    if mark == "TIME LIMIT" or (record is not None and record.reason == "TimeLimit"):
        return Departure(state=AttemptState.PREEMPTED, cause=f"time limit reached ({name})", out_of_time=True)
    if mark == "PREEMPTION" or (record is not None and record.preempted):
        back = restarts > task.restart or record is None or record.requeue
        return Departure(
            state=AttemptState.PREEMPTED, cause=f"preempted ({name})", comes_back=back, ends_in_s=left_s
        )
    if mark in ("JOB REQUEUE", "NODE FAILURE") or restarts > task.restart:
        return Departure(state=AttemptState.PREEMPTED, cause=f"requeued ({name})", comes_back=True)
    if signum == WARNING:
        soon = left_s is not None and left_s < SOON_S
        cause = f"time limit near ({name})" if soon else f"warned to leave ({name})"
        ends_in_s = left_s if soon else None
        return Departure(state=AttemptState.PREEMPTED, cause=cause, out_of_time=soon, ends_in_s=ends_in_s)
    if mark is not None or (record is not None and record.state != "RUNNING"):
        return Departure(state=AttemptState.KILLED, cause=f"job cancelled ({name})")
    if record is not None:
        return Departure(state=AttemptState.KILLED, cause=f"agent got {name}")
    return Departure(state=AttemptState.PREEMPTED, cause=f"agent got {name}; why is not known")


class Lookout:
    """Finds out why this agent's job is signalled."""

    def __init__(self, task: SlurmTask) -> None:
        self._task = task
        self._output = sys.stderr.fileno() if _has_descriptor() else -1
        self._begin = size_of_output(self._output)
        """What the job's output says before this is about an earlier instance."""

    async def look(self, signum: int) -> Departure:
        """Return what a signal that just arrived means; takes a few seconds at most."""
        record = await ask(self._task.name, os.environ)
        mark = await asyncio.to_thread(mark_in_output, self._output, self._begin)
        return meaning(signum, self._task, record, mark, left_s=self._task.time_left_s())

    async def time_left_s(self) -> float | None:
        """Return how long the job has; asks SLURM where the environment does not say."""
        if (left_s := self._task.time_left_s()) is not None:
            return left_s
        record = await ask(self._task.name, os.environ)
        return None if record is None else record.time_left_s


def _has_descriptor() -> bool:
    try:
        return sys.stderr.fileno() >= 0
    except (OSError, ValueError, AttributeError):
        return False


class Clock:
    """Time left, counted on from when it was found out."""

    def __init__(self) -> None:
        self._over_at: float | None = None

    def set(self, left_s: float | None) -> None:
        """Take in what was found out."""
        if left_s is not None:
            self._over_at = time.monotonic() + left_s

    def left_s(self) -> float | None:
        """Return how long is left now; None while not known."""
        return None if self._over_at is None else max(0.0, self._over_at - time.monotonic())
