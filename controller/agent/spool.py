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
from controller.agent.identity import Identity
from controller.agent.place import DELIVERED, LEFT, OPEN, RunPlace
from controller.agent.program import Ending
from controller.agent.report_reader import ReportReader
from controller.agent.slurm import SlurmTask
from controller.agent.tree import Process, is_alive
from controller.domain.runs import LogLines, Point
from controller.domain.states import AttemptState

TELLING_S = 60.0
"""So long after an end its agent, on another host, is believed to be telling it still."""


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
    task: str
    """Key of the SLURM task that the process was; empty outside of SLURM."""
    result: Ending | None
    """None: nobody saw its end."""
    ended_at: float
    """When its end was written down, by the clock of the file system; 0 before."""
    left: bool
    """Its agent left before everything was told."""
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

    def is_left_behind(self, reader: Identity, now: float) -> bool:
        """Say whether, seen from another agent, nobody tells the rest of it any more.

        A live agent that has just written an end down is about to tell it itself.
        """
        if self.left:
            return True
        if self.host == reader.host:
            return self.boot_id != reader.boot_id or not is_alive(self.agent)
        if self.result is None:
            return False
        is_mine = reader.task is not None and reader.task.key == self.task
        return is_mine or now - self.ended_at > TELLING_S


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
            task=SlurmTask(**record["task"]).key if record.get("task") else "",
            result=_ending(_read(place.result)),
            ended_at=_written_at(place.result),
            left=(directory / LEFT).exists(),
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
            out_of_time=bool(record.get("out_of_time")),
        )
    except (KeyError, ValueError):
        return None


def _written_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _read(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}
