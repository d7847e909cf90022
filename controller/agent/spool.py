"""Reads what an attempt left on disk, whatever state a crash left it in.

Reports and console are read as streams through the same readers that a running agent uses, so a spool of
gigabytes costs no memory and a record torn at any byte is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controller.agent.console_reader import ConsoleReader
from controller.agent.place import DELIVERED, OPEN, RunPlace
from controller.agent.program import Ending
from controller.agent.report_reader import ReportReader
from controller.agent.tree import Process, is_alive
from controller.domain.runs import LogLines, Point
from controller.domain.states import AttemptState


@dataclass(frozen=True, slots=True, kw_only=True)
class Spool:
    """One attempt as its files tell it."""

    place: RunPlace
    token: int
    run_id: str
    sweep_id: str
    attempt: int
    agent_id: str
    host: str
    boot_id: str
    agent: Process
    """The process that supervised it."""
    result: Ending | None
    """None: nobody saw its end."""
    delivered: bool

    def points(self) -> Iterator[Point]:
        """Yield every history row in order, with its line number."""
        reader = ReportReader(self.place.report)
        while (batch := reader.next_batch()) is not None:
            reader.position = batch.after
            yield from batch.points

    def lines(self) -> Iterator[LogLines]:
        """Yield the console in pieces."""
        reader = ConsoleReader(self.place.output, jump=False)
        while (batch := reader.next_batch()) is not None:
            reader.position = batch.after
            yield from batch.lines

    @property
    def last_seq(self) -> int:
        """Number of complete lines in the report."""
        return ReportReader(self.place.report).count_lines()

    def is_over(self, host: str, boot_id: str) -> bool:
        """Say whether, seen from a process on `host`, its program can no longer run."""
        if self.result is not None:
            return True
        return self.host == host and (self.boot_id != boot_id or not is_alive(self.agent))


def read_spool(directory: Path) -> Spool | None:
    """Return the attempt of a run directory; None if it does not tell whose it is."""
    place = RunPlace(directory)
    record = _read(place.attempt)
    try:
        return Spool(
            place=place,
            token=int(record["token"]),
            run_id=str(record["run_id"]),
            sweep_id=str(record["sweep_id"]),
            attempt=int(record["attempt"]),
            agent_id=str(record["agent_id"]),
            host=str(record["host"]),
            boot_id=str(record["boot_id"]),
            agent=Process(int(record["pid"]), int(record["ticks"])),
            result=_ending(_read(place.result)),
            delivered=(directory / DELIVERED).exists(),
        )
    except (KeyError, TypeError, ValueError):
        return None


def open_spools(sweep: Path) -> Iterator[Spool]:
    """Yield the attempts of a sweep's directory that were not delivered entirely."""
    try:
        marks = sorted((sweep / OPEN).iterdir())
    except OSError:
        return
    for mark in marks:
        run, _, attempt = mark.name.partition("@")
        spool = read_spool(sweep / run / attempt) if attempt else None
        if spool is not None and not spool.delivered:
            yield spool


def _ending(record: dict[str, Any]) -> Ending | None:
    try:
        return Ending(
            state=AttemptState(record["state"]),
            cause=str(record["cause"]),
            exit_code=record["exit_code"],
            signal=record["signal"],
            comes_back=bool(record.get("comes_back")),
        )
    except (KeyError, ValueError):
        return None


def _read(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}
