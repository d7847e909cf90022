"""What SLURM's programs said, as one event's words: a row of squeue, scontrol or sacct and what it means."""

from __future__ import annotations

from controller.domain.arrays import TASK_OVER, Array
from controller.domain.events import TaskSeen
from controller.launch.parsing import JobDetail, QueueRow, Record
from controller.launch.states import meaning

CLOCK_S = 60.0
"""How far SLURM's clock and ours may differ."""


def task_seen(row: QueueRow, detail: JobDetail | None) -> TaskSeen:
    """Return what squeue's row means, with what scontrol adds to it if both speak of the same moment."""
    if detail is not None and detail.state != row.state:
        detail = None
    exit_code = detail.exit if detail else ""
    reason = (detail.reason if detail else "") or row.reason
    told = meaning(
        row.state,
        reason=reason,
        exit_code=exit_code,
        was_preempted=detail is not None and detail.was_preempted,
    )
    return TaskSeen(
        index=index_of(row),
        state=told.state,
        fate=told.fate,
        raw=row.state,
        reason=reason,
        exit=exit_code,
        cause=told.cause,
        slurm_job=row.raw_id,
        node=row.node,
        restart=detail.restarts if detail else None,
        ran_s=row.ran_s,
        left_s=row.left_s,
    )


def recorded(record: Record) -> TaskSeen | None:
    """Return what an accounting record means; None unless it tells of an end: with all else it lags."""
    told = meaning(record.state, exit_code=record.exit)
    if told.state not in TASK_OVER:
        return None
    return TaskSeen(
        index=record.index or 0,
        state=told.state,
        fate=told.fate,
        raw=record.state,
        exit=record.exit,
        cause=told.cause,
        slurm_job=record.raw_id,
        node=record.node,
        ran_s=record.ran_s,
    )


def index_of(row: QueueRow) -> int:
    """Return the task's number; a job that is no array has one task, 0."""
    return row.index or 0


def is_single(row: QueueRow, array: Array) -> bool:
    """Say whether a row is one task, and not the cancelled rest of an array."""
    return row.index is not None or not array.spec


def is_ours(row: QueueRow, array: Array) -> bool:
    """Say whether a row with our array's id is our array: by its unique name, or its submit time."""
    if array.name:
        return row.name == array.name
    if row.submitted_at is None or array.submitted_at is None:
        return True
    return row.submitted_at <= array.submitted_at + CLOCK_S
