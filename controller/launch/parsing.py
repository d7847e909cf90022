"""Reads what SLURM's programs print; text in, rows out.

Text and not JSON: `--json` ignores filters, is a hundred times larger and changes its shape by release.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from controller.domain.arrays import read_time_limit

QUEUE_FORMAT = "%F|%K|%A|%T|%r|%M|%L|%V|%N|%j"
"""Array id, task, raw id, state, reason, time used, time left, submit time, nodes; the name last, for it
may hold anything."""
QUEUE_ARGUMENTS = ("--me", "--noheader", "--array", "--states=all", f"--format={QUEUE_FORMAT}")
_N_QUEUE = QUEUE_FORMAT.count("|")

RECORD_FIELDS = "JobID,JobIDRaw,State,ExitCode,ElapsedRaw,NodeList"
_N_RECORD = RECORD_FIELDS.count(",") + 1

_NO_TASK = 2**32 - 2

_JOB_FIELD = re.compile(r"(?:^|\s)(\w+(?:[:/]\w+)*)=(\S*)")


class QueueRow(Struct, frozen=True, kw_only=True):
    """One task as squeue shows it."""

    array_id: str
    index: int | None
    """None: no array at all."""
    raw_id: str
    state: str
    reason: str
    ran_s: float | None
    left_s: float | None
    submitted_at: float | None
    node: str
    name: str


class JobDetail(Struct, frozen=True, kw_only=True):
    """What scontrol knows of one task beyond squeue."""

    index: int | None
    state: str
    reason: str
    exit: str
    restarts: int | None
    was_preempted: bool
    """It has a `PreemptTime`."""


class Record(Struct, frozen=True, kw_only=True):
    """One task in the accounting database."""

    index: int | None
    raw_id: str
    state: str
    exit: str
    ran_s: float | None
    node: str


def read_queue(text: str) -> list[QueueRow]:
    """Return the rows of `squeue` with our arguments; lines of another form are left out."""
    return [row for line in text.splitlines() if (row := _queue_row(line)) is not None]


def _queue_row(line: str) -> QueueRow | None:
    parts = line.split("|", _N_QUEUE)
    if len(parts) != _N_QUEUE + 1 or not parts[0].strip().isdecimal():
        return None
    array_id, index, raw_id, state, reason, ran, left, submitted, node, name = map(str.strip, parts)
    if not index.isdecimal() and index not in ("N/A", ""):
        return None  # several tasks in one row: a squeue that ignores --array; nothing can be concluded
    return QueueRow(
        array_id=array_id,
        index=int(index) if index.isdecimal() else None,
        raw_id=raw_id,
        state=state.upper(),
        reason=_plain(reason),
        ran_s=read_time_limit(ran),
        left_s=read_time_limit(left),
        submitted_at=read_moment(submitted),
        node="" if node in ("(null)", "n/a", "None") else node,
        name=name,
    )


def read_details(text: str) -> list[JobDetail]:
    """Return what `scontrol --oneliner show job` tells, one a line."""
    return [detail for line in text.splitlines() if (detail := _detail(line)) is not None]


def _detail(line: str) -> JobDetail | None:
    # The first of each name counts: a comment, which anybody may write, comes after them all.
    fields: dict[str, str] = {}
    for name, value in _JOB_FIELD.findall(line):
        fields.setdefault(name, value)
    if "JobId" not in fields or "JobState" not in fields:
        return None
    index, restarts = fields.get("ArrayTaskId", ""), fields.get("Restarts", "")
    if index and (not index.isdecimal() or int(index) >= _NO_TASK):
        return None  # the waiting or cancelled rest of an array, in one row
    return JobDetail(
        index=int(index) if index else None,
        state=fields["JobState"].upper(),
        reason=_plain(fields.get("Reason", "")),
        exit=fields.get("ExitCode", ""),
        restarts=int(restarts) if restarts.isdecimal() else None,
        was_preempted=read_moment(fields.get("PreemptTime", "")) is not None,
    )


def read_records(text: str) -> list[Record]:
    """Return the rows of `sacct --parsable2` with our fields; of a requeued task the last counts."""
    return list(_records(text))


def _records(text: str) -> Iterator[Record]:
    for line in text.splitlines():
        parts = line.split("|")
        if len(parts) != _N_RECORD:
            continue
        job_id, raw_id, state, exit_code, ran, node = parts
        array_id, _, index = job_id.partition("_")
        if not array_id.isdecimal() or (index and not index.isdecimal()) or not state:
            continue
        yield Record(
            index=int(index) if index else None,
            raw_id=raw_id,
            state=state.split()[0].upper(),  # `CANCELLED by 1000`
            exit=exit_code,
            ran_s=float(ran) if ran.isdecimal() else None,
            node="" if node in ("None assigned", "") else node,
        )


def read_submitted(text: str) -> tuple[str, str] | None:
    """Return id and cluster that `sbatch --parsable` printed; None: it printed none."""
    for line in reversed(text.splitlines()):
        found = re.fullmatch(r"(\d+)(?:;([\w.-]+))?", line.strip(), re.ASCII)
        if found is not None:
            return found.group(1), found.group(2) or ""
    return None


def read_moment(text: str) -> float | None:
    """Return Unix seconds of a time as SLURM prints it, in this host's zone; None: `Unknown` and the like."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _plain(reason: str) -> str:
    return "" if reason in ("None", "(null)") else reason
