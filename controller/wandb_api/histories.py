"""A run's rows, console and curves in the client's shapes, read when a query asks for them.

Rows travel as strings that hold JSON, where bare NaN is what the client writes and reads itself, or as JSON
of the answer, which must be strict: there they are the strings that `controller.domain.wire.strict` makes.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from msgspec import Struct

from controller.client.door import Client
from controller.domain.queries import GetHistory, GetLog, History, Log
from controller.domain.runs import Point, Run
from controller.domain.wire import strict
from controller.wandb_api.words import as_json, as_mapping

MAX_ROWS = 100_000
"""Rows one answer may carry; the client pages through longer histories by step."""
MAX_LINES = 10_000
N_SAMPLES = 500
"""Rows of a sampled history when nobody says how many."""


def row_of(point: Point, run: Run) -> dict[str, Any]:
    """Return a row as the client logged it."""
    started_at = run.started_at or point.at
    return {
        **point.values,
        "_step": point.step,
        "_timestamp": point.at,
        "_runtime": max(0.0, point.at - started_at),
    }


class Span(Struct, frozen=True):
    """Which steps are asked for, both ends included; None: no end."""

    first: int | None = None
    last: int | None = None


EVERYTHING = Span()


async def rows_of(
    door: Client, run: Run, *, keys: tuple[str, ...] = (), steps: Span = EVERYTHING
) -> list[dict[str, Any]]:
    """Return rows in their order; with `keys` only those and the client's own."""
    wanted = tuple(key for key in keys if not key.startswith("_"))
    query = GetHistory(
        run_id=run.id, keys=wanted, limit=MAX_ROWS, first_step=steps.first, last_step=steps.last
    )
    answer = await door.ask(query)
    if not isinstance(answer, History):
        return []
    return [row_of(point, run) for point in answer.points]


async def paged(door: Client, run: Run, arguments: dict[str, Any]) -> list[str]:
    """Return rows for `history(samples, minStep, maxStep)` as JSON lines; `maxStep` is the step after."""
    lowest, stop = _number(arguments.get("minStep")), _number(arguments.get("maxStep"))
    rows = await rows_of(door, run, steps=Span(lowest, None if stop is None else stop - 1))
    samples = arguments.get("samples")
    if isinstance(samples, int) and samples > 0:
        rows = rows[:samples] if lowest is not None else thinned(rows, samples)
    return [as_json(row) for row in rows]


async def sampled(door: Client, run: Run, spec: Any) -> list[dict[str, Any]]:
    """Return rows that carry all the keys of a spec, evenly thinned; `maxStep` is the last step."""
    wanted = as_mapping(spec)
    keys = wanted.get("keys")
    if not isinstance(keys, list) or not keys:
        return []
    names = tuple(str(key) for key in keys)
    n_samples = max(1, _number(wanted.get("samples")) or N_SAMPLES)
    lowest, highest = _number(wanted.get("minStep")), _number(wanted.get("maxStep"))
    if lowest is not None and highest is not None and highest - lowest == n_samples:
        highest -= 1  # a whole page of a release before 0.30, which names the step after
    rows = await rows_of(door, run, keys=names, steps=Span(lowest, highest))
    full = [{name: row[name] for name in names} for row in rows if all(name in row for name in names)]
    return [strict(row) for row in thinned(full, n_samples)]


def thinned(rows: list[Any], n: int) -> list[Any]:
    """Return at most `n` rows, evenly spread, with the first and the last."""
    if len(rows) <= n:
        return rows
    if n == 1:
        return rows[-1:]
    return [rows[i * (len(rows) - 1) // (n - 1)] for i in range(n)]


async def tail(door: Client, run: Run) -> str:
    """Return the last row, as the client's list of lines within a string."""
    if run.n_points == 0:
        return "[]"
    answer = await door.ask(GetHistory(run_id=run.id))
    if not isinstance(answer, History) or not answer.points:
        return "[]"
    return as_json([as_json(row_of(answer.points[-1], run))])


def keys_of(run: Run) -> dict[str, Any]:
    """Return which keys were logged, as far as the summary tells."""
    return {
        "lastStep": -1 if run.last_step is None else run.last_step,
        "keys": {key: {"typeCounts": [{"type": _kind(value)}]} for key, value in run.summary.items()},
    }


def _kind(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "map" if isinstance(value, dict) else "string"
    return "number"


async def console(door: Client, run: Run, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return console lines as a connection."""
    n_wanted = arguments.get("first") or arguments.get("last") or 1000
    n_wanted = min(max(int(n_wanted), 1), MAX_LINES)
    first = -n_wanted if arguments.get("last") else _cursor(arguments.get("after")) + 1
    answer = await door.ask(GetLog(run_id=run.id, first=first, limit=n_wanted))
    lines = answer.lines if isinstance(answer, Log) else ()
    start = answer.first if isinstance(answer, Log) else 0
    n_lines = answer.n_lines if isinstance(answer, Log) else 0
    edges = [
        {"node": {"number": number, "timestamp": None, "level": "info", "label": None, "line": line}}
        for number, line in enumerate(lines, start)
    ]
    end = start + len(lines)
    return {
        "edges": edges,
        "pageInfo": {"endCursor": cursor(end - 1) if lines else None, "hasNextPage": end < n_lines},
    }


def cursor(number: int) -> str:
    """Return an opaque cursor for a position."""
    return base64.urlsafe_b64encode(json.dumps(number).encode()).decode()


def _cursor(text: Any) -> int:
    """Return the position of a cursor; -1 where there is none."""
    try:
        found = json.loads(base64.urlsafe_b64decode(text)) if isinstance(text, str) else -1
    except ValueError:
        return -1
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < 2**53 else -1


def page(items: list[Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """Return a connection of what the client's `after` and `first` ask for."""
    start = _cursor(arguments.get("after")) + 1
    first = arguments.get("first")
    n_wanted = min(max(first, 0), 1000) if isinstance(first, int) else 1000
    chosen = items[start : start + n_wanted]
    edges = [{"node": item, "cursor": cursor(number)} for number, item in enumerate(chosen, start)]
    end = start + len(chosen)
    return {
        "edges": edges,
        "pageInfo": {
            "endCursor": edges[-1]["cursor"] if edges else None,
            "hasNextPage": end < len(items),
        },
        "totalCount": len(items),
    }


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
