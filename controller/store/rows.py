"""A delta as rows, made before the transaction so that a bad one is refused alone.

Later deltas of a group overwrite the rows of earlier ones, so that a run which ten reports touched
is written once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any, assert_never

from controller.domain import wire
from controller.domain.changes import LinesRecord, NoteAdded, PointsRecord
from controller.domain.delta import Delta
from controller.domain.sweeps import Suggestion
from controller.store.errors import StoreError
from controller.store.text import column, encode_values

Row = tuple[Any, ...]

N_HEAD_LINES = 100_000
N_TAIL_LINES = 200_000
"""Console lines kept per attempt: its beginning and its end; a flood cannot fill the disk."""

_WIDE = 2**63
"""SQLite's integers are smaller than this."""

_TABLES: dict[str, tuple[str, ...]] = {
    "sweeps": ("id", "name", "state", "created_at", "body"),
    "runs": ("id", "sweep_id", "number", "name", "state", "token", "best", "body"),
    "attempts": ("token", "run_id", "sweep_id", "number", "agent_id", "state", "body"),
    "agents": ("id", "sweep_id", "host", "state", "body"),
    "jobs": ("id", "sweep_id", "kind", "state", "body"),
    "tasks": ("id", "job_id", "state", "body"),
    "shelves": ("sweep_id", "body"),
}


def _upsert(table: str, names: tuple[str, ...]) -> str:
    marks = ", ".join("?" * len(names))
    news = ", ".join(f"{name} = excluded.{name}" for name in names[1:])
    return (
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks}) "
        f"ON CONFLICT ({names[0]}) DO UPDATE SET {news}"
    )


_UPSERTS = {table: _upsert(table, names) for table, names in _TABLES.items()}
_ADD_POINT = "INSERT OR IGNORE INTO points (token, seq, step, at, body) VALUES (?, ?, ?, ?, ?)"
_PUT_LINE = (
    "INSERT INTO lines (token, line, text) VALUES (?, ?, ?) "
    "ON CONFLICT (token, line) DO UPDATE SET text = excluded.text"
)
_ADD_NOTE = "INSERT INTO notes (at, actor, text, sweep_id, run_id) VALUES (?, ?, ?, ?, ?)"
_TRIM_LINES = (
    "DELETE FROM lines WHERE token = ?1 AND line >= ?2 "
    "AND line <= (SELECT max(line) FROM lines WHERE token = ?1) - ?3"
)


class Rows:
    """What a group of deltas writes."""

    def __init__(self) -> None:
        self.entities: dict[str, dict[Any, Row]] = {table: {} for table in _TABLES}
        self.points: list[Row] = []
        self.lines: list[Row] = []
        self.long_logs: set[int] = set()
        """Tokens whose console output may have grown past what is kept."""
        self.notes: list[Row] = []

    def take(self, later: Rows) -> None:
        """Take in the rows of a later delta."""
        for table, rows in later.entities.items():
            self.entities[table].update(rows)
        self.points += later.points
        self.lines += later.lines
        self.long_logs |= later.long_logs
        self.notes += later.notes

    def write(self, connection: sqlite3.Connection) -> None:
        """Write everything; the caller has a transaction open."""
        for table, rows in self.entities.items():
            if rows:
                connection.executemany(_UPSERTS[table], rows.values())
        if self.points:
            connection.executemany(_ADD_POINT, self.points)
        if self.lines:
            connection.executemany(_PUT_LINE, self.lines)
        for token in self.long_logs:
            connection.execute(_TRIM_LINES, (token, N_HEAD_LINES, N_TAIL_LINES))
        if self.notes:
            connection.executemany(_ADD_NOTE, self.notes)


def encode(delta: Delta, shelves: dict[str, tuple[Suggestion, ...]]) -> Rows:
    """Return a delta's rows; shelves equal to those given are on disk already and left out.

    Raises:
        StoreError: something in it cannot be stored.
    """
    rows = Rows()
    try:
        _encode_entities(delta, shelves, rows.entities)
        for record in delta.records:
            match record:
                case PointsRecord():
                    rows.points += _points(record)
                case LinesRecord():
                    rows.lines += _lines(record)
                    if record.lines.first + len(record.lines.lines) > N_HEAD_LINES + N_TAIL_LINES:
                        rows.long_logs.add(record.token)
                case _:
                    assert_never(record)
        rows.notes += [_note(note) for note in delta.notes]
    except ValueError as error:
        raise StoreError(f"this cannot be stored: {error}", "Other records are not affected.") from error
    return rows


def _encode_entities(
    delta: Delta, shelves: dict[str, tuple[Suggestion, ...]], into: dict[str, dict[Any, Row]]
) -> None:
    for s in delta.sweeps.values():
        into["sweeps"][s.id] = (s.id, column(s.name), s.state.value, s.created_at, wire.encode(s))
    for r in delta.runs.values():
        place = (r.id, r.sweep_id, r.number, column(r.name), r.state.value)
        into["runs"][r.id] = (*place, r.token, r.best, wire.encode(r))
    for a in delta.attempts.values():
        whose = (a.token, a.run_id, a.sweep_id, a.number, column(a.agent_id))
        into["attempts"][a.token] = (*whose, a.state.value, wire.encode(a))
    for g in delta.agents.values():
        key = column(g.id)
        into["agents"][g.id] = (key, g.sweep_id, column(g.host), g.state.value, wire.encode(g))
    for j in delta.jobs.values():
        into["jobs"][j.id] = (column(j.id), j.sweep_id, j.kind.value, j.state.value, wire.encode(j))
    for t in delta.tasks.values():
        into["tasks"][t.id] = (column(t.id), column(t.job_id), t.state.value, wire.encode(t))
    for sweep_id, shelf in delta.shelves.items():
        if shelves.get(sweep_id) is not shelf:
            into["shelves"][sweep_id] = (sweep_id, wire.encode(shelf))


def _points(record: PointsRecord) -> Iterable[Row]:
    token = record.token
    for point in record.points:
        if not (-_WIDE <= point.step < _WIDE and -_WIDE <= point.seq < _WIDE):
            raise StoreError(f"step {point.step:.6g} is out of range", "Log steps below 2^63.")
        yield token, point.seq, point.step, point.at, encode_values(point.values)


def _lines(record: LinesRecord) -> Iterable[Row]:
    if not 0 <= record.lines.first < _WIDE - len(record.lines.lines):
        raise StoreError("a console line's number is out of range")
    return [(record.token, n, column(text)) for n, text in enumerate(record.lines.lines, record.lines.first)]


def _note(note: NoteAdded) -> Row:
    return note.at, column(note.actor), column(note.text), column(note.sweep_id), column(note.run_id)
