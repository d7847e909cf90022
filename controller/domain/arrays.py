"""SLURM job arrays and their tasks: the words, and the life of one task.

A task's state is what SLURM said last, put into our words. It explains the silence of an agent; it
never speaks for a run, which only the agent's report or its lease do.
"""

from __future__ import annotations

import re
from enum import StrEnum

from msgspec import Struct

MAX_TASKS = 10_000
"""More tasks in one array than this is a typing mistake; sites allow 1,001 unless told otherwise."""

_RANGE = re.compile(r"(\d{1,8})(?:-(\d{1,8})(?::(\d{1,8}))?)?", re.ASCII)
_TIME_LIMIT = re.compile(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?", re.ASCII)


class ArrayError(ValueError):
    """An array, a script or an sbatch argument that cannot be submitted; the message says why."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class TaskState(StrEnum):
    """What SLURM makes of one array task."""

    QUEUED = "queued"
    BLOCKED = "blocked"
    """It will not start before somebody acts; the reason says on what."""
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    SUSPENDED = "suspended"
    FINISHED = "finished"
    FAILED = "failed"
    NEVER_STARTED = "never started"
    """Not one line of ours ran: output folder missing, node did not boot."""
    CANCELLED = "cancelled"
    TIMED_OUT = "timed out"
    PREEMPTED = "preempted"
    LOST = "lost"
    """Its node went down; its process may still be alive."""
    GONE = "gone"
    """SLURM keeps no record of it: a waiting task that was cancelled, or one that aged out."""
    UNKNOWN = "unknown"
    """SLURM uses a word for it that we do not know."""


TASK_WAITS = frozenset({TaskState.QUEUED, TaskState.BLOCKED})
TASK_OVER = frozenset(
    {
        TaskState.FINISHED,
        TaskState.FAILED,
        TaskState.NEVER_STARTED,
        TaskState.CANCELLED,
        TaskState.TIMED_OUT,
        TaskState.PREEMPTED,
        TaskState.LOST,
        TaskState.GONE,
    }
)
"""A requeued task is queued again, so it leaves these states."""


class Fate(StrEnum):
    """What SLURM's word means for a run whose agent did not tell its end."""

    KEEP = "keep"
    """Nothing: its lease decides."""
    LOST = "lost"
    """The task is over, with its agent and all it held."""
    PREEMPTED = "preempted"
    """The same, by no fault of the run: it continues in its next attempt."""


class Task(Struct, frozen=True, kw_only=True):
    """One element of an array: its latest instance, for a requeued task comes again under the same number."""

    job_id: str
    """The controller's own job it belongs to."""
    index: int
    """Its number in the array."""
    state: TaskState = TaskState.QUEUED
    raw: str = ""
    """State as SLURM spells it (`PENDING`); empty: not heard of yet."""
    reason: str = ""
    """SLURM's reason, as it is: `Resources`, `QOSMaxJobsPerUserLimit`, `NodeDown`."""
    exit: str = ""
    """Exit code as SLURM shows it, `code:signal`; empty while unknown."""
    cause: str = ""
    """What that means, as a sentence for people; empty where nothing went wrong."""
    slurm_job: str = ""
    """Its raw job id, never to be given to scancel: one task carries the whole array's."""
    node: str = ""
    restart: int = 0
    """How often SLURM queued it again."""
    agent_id: str = ""
    """The agent that came up in it last."""
    started_at: float | None = None
    ends_at: float | None = None
    """When its time limit is over; None while it does not run or has no limit."""
    ended_at: float | None = None
    ran_s: float | None = None
    """How long it ran, by SLURM's clock; None while it runs."""
    seen_at: float | None = None
    """When SLURM or its agent last told of it."""

    @property
    def id(self) -> str:
        """Key among all tasks."""
        return f"{self.job_id}_{self.index}"


class Cancel(StrEnum):
    """What an array was asked to cancel; recorded, so that it is asked of SLURM again after a restart."""

    NOTHING = "nothing"
    WAITING = "waiting"
    """Tasks that have not started."""
    ALL = "all"


class Array(Struct, frozen=True, kw_only=True):
    """What was handed to sbatch, and what SLURM made of it."""

    name: str
    """Unique name of the SLURM job: how it is found again when sbatch did not answer. Empty: somebody
    submitted it without us and its agents came here."""
    spec: str
    """Task numbers as sbatch takes them, without the throttle: `1-12`, `1,3,8-10`. Empty: no array at all,
    but a single batch job."""
    n_tasks: int
    throttle: int | None = None
    """Most tasks at a time."""
    script: str = ""
    """The batch script, as submitted."""
    options: tuple[str, ...] = ()
    """sbatch's arguments that do not stand in the script."""
    directory: str = ""
    """Where sbatch is called."""
    slurm_id: str = ""
    """SLURM's id of the array; empty until it is known."""
    cluster: str = ""
    submitted_at: float | None = None
    """By SLURM's clock: guards against ids that come back."""
    held: bool = False
    """Waiting tasks are held: by us after quick failures, or by the user through us."""
    n_forgiven: int = 0
    """Quick failures that were there when the array was released; later ones count anew."""
    cancel: Cancel = Cancel.NOTHING

    def steered(self, n_waiting: int, n_running: int) -> str:
        """Return what was asked of it and SLURM need not show yet: `held`, `cancelling` or nothing."""
        if (n_waiting and self.cancel is not Cancel.NOTHING) or (n_running and self.cancel is Cancel.ALL):
            return "cancelling"
        return "held" if self.held else ""

    def task_name(self, index: int) -> str:
        """Return how SLURM and its users name a task: `12345_7`; empty while the id is not known."""
        return f"{self.slurm_id}_{index}" if self.slurm_id and self.spec else self.slurm_id


class TaskNumbers(Struct, frozen=True, kw_only=True):
    """`--array`, taken apart."""

    spec: str
    indexes: tuple[int, ...]
    throttle: int | None


def read_array(text: str) -> TaskNumbers:
    """Return the task numbers that `--array` names: `1-12%2`, `1,3,8-10`, `0-40:4`.

    Raises:
        ArrayError: it is not an array specification, or too many.
    """
    spec, percent, limit = text.strip().partition("%")
    if percent and not (re.fullmatch(r"\d{1,8}", limit, re.ASCII) and int(limit) > 0):
        raise ArrayError(f"--array {text}: {limit or 'nothing'} after % is no number of tasks", _EXAMPLE)
    indexes: dict[int, None] = {}
    for part in spec.split(","):
        found = _RANGE.fullmatch(part)
        if found is None:
            raise ArrayError(f"--array {text}: {part or 'nothing'} is no task number or range", _EXAMPLE)
        first, last, step = (int(group) if group else None for group in found.groups())
        assert first is not None
        last = first if last is None else last
        if last < first or step == 0:
            raise ArrayError(f"--array {text}: the range {part} is empty", _EXAMPLE)
        numbers = range(first, last + 1, step or 1)
        if len(indexes) + len(numbers) > MAX_TASKS:
            raise ArrayError(f"--array {text}: more than {MAX_TASKS} tasks", "submit several arrays")
        indexes.update(dict.fromkeys(numbers))
    return TaskNumbers(spec=spec, indexes=tuple(indexes), throttle=int(limit) if percent else None)


_EXAMPLE = "give it as sbatch does: 1-12, 1-12%2 (two at a time), 1,3,8-10, 0-40:4"


def read_time_limit(text: str) -> float | None:
    """Return the seconds of a time as SLURM writes it; None: no limit, or not a time.

    `minutes`, `minutes:seconds`, `hours:minutes:seconds`, `days-hours[:minutes[:seconds]]`.
    """
    found = _TIME_LIMIT.fullmatch(text.strip())
    if found is None:
        return None
    days, *rest = found.groups()
    numbers = [int(part) for part in rest if part is not None]
    if days is not None:
        hours, minutes, seconds = (*numbers, 0, 0)[:3]
        return float(((int(days) * 24 + hours) * 60 + minutes) * 60 + seconds)
    match numbers:
        case [minutes]:
            return minutes * 60.0
        case [minutes, seconds]:
            return minutes * 60.0 + seconds
        case _:
            return (numbers[0] * 60.0 + numbers[1]) * 60.0 + numbers[2]
