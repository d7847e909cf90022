"""Answers to queries, each from one consistent view of the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

from controller.domain.agents import Agent, Job
from controller.domain.arrays import Task
from controller.domain.queries import (
    Attempts,
    GetAttempts,
    GetHistory,
    GetLog,
    GetNotes,
    History,
    Log,
    Note,
    Notes,
    NotFound,
)
from controller.domain.runs import Attempt, Point, Run
from controller.domain.sweeps import Suggestion, Sweep
from controller.domain.world import Facts
from controller.store.text import Reader, column, decode_values, from_column

_sweep = Reader(Sweep)
_run = Reader(Run)
_attempt = Reader(Attempt)
_agent = Reader(Agent)
_job = Reader(Job)
_task = Reader(Task)
_shelf = Reader(tuple[Suggestion, ...])

_WORLD_ATTEMPTS = """
SELECT body FROM attempts
WHERE state IN ('assigned', 'running')
   OR token = (SELECT r.token FROM runs r WHERE r.id = attempts.run_id)
ORDER BY token
"""

_SEGMENTS = """
SELECT a.token, (SELECT p.step FROM points p WHERE p.token = a.token ORDER BY p.seq LIMIT 1)
FROM attempts a WHERE a.run_id = ? ORDER BY a.token
"""

STEP_MAX = 2**63 - 1


def facts(connection: sqlite3.Connection) -> Facts:
    """Return all that a World holds."""

    def bodies(sql: str) -> Iterator[str]:
        for (body,) in connection.execute(sql):
            yield body

    shelves = connection.execute("SELECT sweep_id, body FROM shelves WHERE body != '[]'")
    return Facts(
        sweeps=tuple(_sweep(body) for body in bodies("SELECT body FROM sweeps ORDER BY created_at, id")),
        runs=tuple(_run(body) for body in bodies("SELECT body FROM runs ORDER BY sweep_id, number")),
        attempts=tuple(_attempt(body) for body in bodies(_WORLD_ATTEMPTS)),
        agents=tuple(_agent(body) for body in bodies("SELECT body FROM agents ORDER BY rowid")),
        jobs=tuple(_job(body) for body in bodies("SELECT body FROM jobs ORDER BY rowid")),
        tasks=tuple(_task(body) for body in bodies("SELECT body FROM tasks ORDER BY rowid")),
        shelves={sweep_id: _shelf(body) for sweep_id, body in shelves},
        last_token=connection.execute("SELECT ifnull(max(token), 0) FROM attempts").fetchone()[0],
    )


def segments(connection: sqlite3.Connection, run_id: str) -> list[tuple[int, int]]:
    """Return (token, last step that counts) of each attempt that logged anything, in their order.

    A later attempt's rows replace earlier ones from its first step on. Tokens grow with the number of
    the attempt, so their order is the attempts'.
    """
    found = []
    last_step = STEP_MAX
    for token, first_step in reversed(connection.execute(_SEGMENTS, (column(run_id),)).fetchall()):
        if first_step is not None:
            found.append((token, last_step))
            last_step = min(last_step, first_step - 1)
    return found[::-1]


def history(connection: sqlite3.Connection, query: GetHistory) -> History | NotFound:
    """Return a run's history rows."""
    if not _knows(connection, query.run_id):
        return _no_run(query.run_id)
    skip = max(query.after, 0)
    room = query.limit if query.limit > 0 else -1
    first = -STEP_MAX if query.first_step is None else max(query.first_step, -STEP_MAX)
    last = STEP_MAX if query.last_step is None else min(query.last_step, STEP_MAX)
    points: list[Point] = []
    for token, last_step in segments(connection, query.run_id):
        where = (token, first, min(last, last_step))
        if skip:
            counted = "SELECT count(*) FROM points WHERE token = ? AND step BETWEEN ? AND ?"
            n_rows: int = connection.execute(counted, where).fetchone()[0]
            if n_rows <= skip:
                skip -= n_rows
                continue
        rows = connection.execute(
            "SELECT seq, step, at, body FROM points WHERE token = ? AND step BETWEEN ? AND ? "
            "ORDER BY seq LIMIT ? OFFSET ?",
            (*where, room if room < 0 else room - len(points), skip),
        )
        skip = 0
        points += [_point(row, query.keys) for row in rows]
        if len(points) == room:
            break
    return History(run_id=query.run_id, points=tuple(points))


def _point(row: tuple[Any, ...], keys: tuple[str, ...]) -> Point:
    seq, step, at, body = row
    values = decode_values(body)
    if keys:
        values = {key: found for key in keys if (found := _value(values, key)) is not _NOTHING}
    return Point(seq=seq, step=step, at=float("nan") if at is None else at, values=values)


_NOTHING: Any = object()


def _value(values: dict[str, Any], key: str) -> Any:
    """Return what stands under the key, also through nested mappings (`val.acc`)."""
    if key in values or "." not in key:
        return values.get(key, _NOTHING)
    place: Any = values
    for part in key.split("."):
        if not isinstance(place, dict) or part not in place:
            return _NOTHING
        place = place[part]
    return place


def log(connection: sqlite3.Connection, query: GetLog) -> Log | NotFound:
    """Return console lines that follow each other without a gap.

    Where lines are gone (a flood keeps its beginning and end only) the answer ends before the gap, and
    one that would begin in it begins after it.
    """
    sql = "SELECT max(token) FROM attempts WHERE run_id = ?1 AND (?2 IS NULL OR number = ?2)"
    token = connection.execute(sql, (column(query.run_id), query.attempt)).fetchone()[0]
    if token is None:
        if query.attempt is None and _knows(connection, query.run_id):
            return Log(run_id=query.run_id, first=0, lines=(), n_lines=0)
        attempt = "" if query.attempt is None else f"attempt {query.attempt} of "
        return NotFound(reason=f"there is no {attempt}run {query.run_id}")
    n_lines = connection.execute("SELECT max(line) FROM lines WHERE token = ?", (token,)).fetchone()[0]
    n_lines = 0 if n_lines is None else n_lines + 1
    first = query.first if query.first >= 0 else max(0, n_lines + query.first)
    rows = connection.execute(
        "SELECT line, text FROM lines WHERE token = ? AND line >= ? ORDER BY line LIMIT ?",
        (token, min(first, STEP_MAX), max(query.limit, 0)),
    ).fetchall()
    if rows:
        first = rows[0][0]
    lines = tuple(from_column(text) for n, (line, text) in enumerate(rows, first) if n == line)
    return Log(run_id=query.run_id, first=first, lines=lines, n_lines=n_lines)


def attempts(connection: sqlite3.Connection, query: GetAttempts) -> Attempts | NotFound:
    """Return every attempt of a run."""
    if not _knows(connection, query.run_id):
        return _no_run(query.run_id)
    rows = connection.execute(
        "SELECT body FROM attempts WHERE run_id = ? ORDER BY token", (column(query.run_id),)
    )
    return Attempts(attempts=tuple(_attempt(body) for (body,) in rows))


def notes(connection: sqlite3.Connection, query: GetNotes) -> Notes:
    """Return the newest lines of the log of events, newest last."""
    conditions = {"sweep_id": query.sweep_id, "run_id": query.run_id}
    asked = {name: column(value) for name, value in conditions.items() if value}
    where = " AND ".join(f"{name} = ?" for name in asked) or "1"
    rows = connection.execute(
        f"SELECT id, at, actor, text, sweep_id, run_id FROM notes WHERE {where} ORDER BY id DESC LIMIT ?",
        (*asked.values(), max(query.limit, 0)),
    ).fetchall()
    return Notes(notes=tuple(_note(row) for row in reversed(rows)))


def _note(row: tuple[Any, ...]) -> Note:
    number, at, *texts = row
    actor, text, sweep_id, run_id = (from_column(value) for value in texts)
    at = float("nan") if at is None else at
    return Note(id=number, at=at, actor=actor, text=text, sweep_id=sweep_id, run_id=run_id)


def _knows(connection: sqlite3.Connection, run_id: str) -> bool:
    return connection.execute("SELECT 1 FROM runs WHERE id = ?", (column(run_id),)).fetchone() is not None


def _no_run(run_id: str) -> NotFound:
    return NotFound(reason=f"there is no run {run_id}", hint="Runs are known by their eight-letter ids.")
