"""Reads a run's report file onwards from what the controller has recorded.

A position moves only when a batch was acknowledged, so an outage costs no memory: the file itself is the
queue.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controller.agent.records import MAX_STEP, parse_line
from controller.domain.runs import Point

BATCH_BYTES = 256 * 1024
BATCH_LINES = 500
MAX_LINE_BYTES = 4 * 1024 * 1024
"""A longer line is no report; it counts as one that says nothing."""


@dataclass(frozen=True, slots=True)
class Position:
    """So far the file has been dealt with."""

    offset: int = 0
    seq: int = 0
    """Number of the last line before `offset`."""


@dataclass(slots=True)
class ReportBatch:
    """What consecutive lines say."""

    first_seq: int
    after: Position
    points: list[Point] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    preempting: bool = False


class ReportReader:
    """A cursor over one report file; the file may not exist yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.position = Position()
        self.preempting = False
        """The program said so in some line read so far."""

    def copy(self) -> ReportReader:
        """Return a cursor of its own at the same position."""
        twin = ReportReader(self._path)
        twin.position, twin.preempting = self.position, self.preempting
        return twin

    def next_batch(self) -> ReportBatch | None:
        """Return what follows the position, or None if there is no further complete line."""
        data, skipped_to = self._complete_lines()
        if not data and skipped_to is None:
            return None
        lines = data.split(b"\n", BATCH_LINES)
        n_lines = min(len(lines) - 1, BATCH_LINES) if data else 0
        offset, seq = self.position.offset, self.position.seq
        batch = ReportBatch(seq + 1, self.position)
        for line in lines[:n_lines]:
            seq += 1
            offset += len(line) + 1
            _take(batch, seq, parse_line(line))
        if not data and skipped_to is not None:
            offset, seq = skipped_to, seq + 1
        batch.after = Position(offset, seq)
        self.preempting = self.preempting or batch.preempting
        return batch

    def rewind(self, seq: int) -> None:
        """Go back (or on) to just before line `seq`."""
        self.position = Position()
        while self.position.seq < seq - 1:
            data, skipped_to = self._complete_lines()
            if skipped_to is not None and not data:
                self.position = Position(skipped_to, self.position.seq + 1)
                continue
            if not data:
                return
            offset, at = self.position.offset, self.position.seq
            for line in data.split(b"\n")[:-1]:
                if at == seq - 1:
                    break
                offset, at = offset + len(line) + 1, at + 1
            self.position = Position(offset, at)

    def count_lines(self) -> int:
        """Return how many complete lines the file has now."""
        n_lines = self.position.seq
        with contextlib.suppress(FileNotFoundError), self._path.open("rb") as file:
            file.seek(self.position.offset)
            while data := file.read(BATCH_BYTES):
                n_lines += data.count(b"\n")
        return n_lines

    def _complete_lines(self) -> tuple[bytes, int | None]:
        """Return whole lines after the position, or where the next begins after an oversized one."""
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return b"", None
        try:
            size = BATCH_BYTES
            while size <= MAX_LINE_BYTES:
                data = os.pread(handle, size, self.position.offset)
                end = data.rfind(b"\n")
                if end >= 0:
                    return data[: end + 1], None
                if len(data) < size:
                    return b"", None
                size *= 4
            return b"", _end_of_line(handle, self.position.offset)
        finally:
            os.close(handle)


def _end_of_line(handle: int, offset: int) -> int | None:
    while data := os.pread(handle, BATCH_BYTES, offset):
        end = data.find(b"\n")
        if end >= 0:
            return offset + end + 1
        offset += len(data)
    return None


def _take(batch: ReportBatch, seq: int, record: dict[str, Any] | None) -> None:
    if record is None:
        return
    kind, values = record["kind"], record.get("values")
    if kind == "log" and isinstance(values, dict):
        step, at = record.get("step"), record.get("t")
        if isinstance(step, int) and not isinstance(step, bool) and abs(step) <= MAX_STEP:
            moment = float(at) if isinstance(at, int | float) else 0.0
            batch.points.append(Point(seq, step, moment, values))
    elif kind == "summary" and isinstance(values, dict):
        batch.summary.update(values)
    elif kind == "preempting":
        batch.preempting = True
