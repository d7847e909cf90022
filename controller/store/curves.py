"""One metric of a run, thinned where it lies: SQLite reads the JSON, Python sees a few hundred rows.

A column is a stretch of report lines, so each is one range of the table's key and nothing is sorted;
its lowest and its highest value are kept, so no spike is lost. What SQLite's JSON cannot read (NaN,
names it cannot quote) goes through a Python function row by row.
"""

from __future__ import annotations

import math
import re
import sqlite3

from controller.domain.queries import Curves, GetCurves
from controller.domain.runs import metric_value
from controller.store.reads import segments
from controller.store.text import decode_values

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_ ./:@%+#-]+")
"""Names whose JSON text is themselves, in any version of SQLite."""

_HUGE = "1.7976931348623157e308"
"""The largest finite number; beyond it is infinity."""

Curve = tuple[tuple[float, float], ...]


def curves(connection: sqlite3.Connection, query: GetCurves) -> Curves:
    """Return each run's curve; a run without a finite value has an empty one."""
    value = _value_sql(connection, query.key)
    n_columns = max(1, query.n_columns)
    return Curves(
        key=query.key,
        curves={run_id: _curve(connection, run_id, value, n_columns) for run_id in query.run_ids},
    )


def _curve(connection: sqlite3.Connection, run_id: str, value: str, n_columns: int) -> Curve:
    spans = []
    for token, last_step in segments(connection, run_id):
        low, high = connection.execute(
            "SELECT (SELECT min(seq) FROM points WHERE token = ?1), "
            "(SELECT max(seq) FROM points WHERE token = ?1)",
            (token,),
        ).fetchone()
        spans.append((token, last_step, low, high))
    n_lines = sum(high - low + 1 for *_, low, high in spans)
    width = math.ceil(n_lines / n_columns)
    found: set[tuple[float, float]] = set()
    rows = (
        f"SELECT step, v FROM (SELECT step, {value} AS v FROM points "
        "WHERE token = ? AND seq >= ? AND seq < ? AND step <= ?)"
        f" WHERE v BETWEEN -{_HUGE} AND {_HUGE}"
    )
    for token, last_step, low, high in spans:
        if width <= 2:
            found.update(connection.execute(rows, (token, low, high + 1, last_step)))
            continue
        # With a single min() or max(), SQLite takes the other columns from the row that has it.
        for start in range(low, high + 1, width):
            for end in ("min", "max"):
                sql = f"SELECT step, {end}(v) FROM ({rows})"
                step, best = connection.execute(sql, (token, start, start + width, last_step)).fetchone()
                if best is not None:
                    found.add((step, best))
    return tuple(sorted((float(step), float(v)) for step, v in found))


def _value_sql(connection: sqlite3.Connection, key: str) -> str:
    """Return an expression that gives the number logged under `key`, or NULL."""
    connection.create_function("metric", 1, lambda body: _metric(body, key), deterministic=True)
    if not _PLAIN_NAME.fullmatch(key) or not _reads_json(connection):
        return "metric(body)"
    plain = _number_sql(f'$."{key}"')
    if "." in key:
        nested = "$" + "".join(f'."{part}"' for part in key.split("."))
        missing = f"""ifnull(json_type(body, '$."{key}"'), 'null') = 'null'"""
        plain = f"CASE WHEN {missing} THEN {_number_sql(nested)} ELSE {plain} END"
    return f"CASE WHEN json_valid(body) THEN {plain} ELSE metric(body) END"


def _number_sql(path: str) -> str:
    kind = f"json_type(body, '{path}') IN ('integer', 'real')"
    return f"CASE WHEN {kind} THEN json_extract(body, '{path}') END"


def _metric(body: str, key: str) -> float | None:
    value = metric_value(decode_values(body), key)
    return value if value is not None and math.isfinite(value) else None


def _reads_json(connection: sqlite3.Connection) -> bool:
    try:
        return bool(connection.execute("SELECT json_valid('1')").fetchone()[0])
    except sqlite3.OperationalError:  # built without its JSON functions
        return False
