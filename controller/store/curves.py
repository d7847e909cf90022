"""One metric of a run, thinned where it lies: SQLite reads the JSON, Python sees a few hundred rows.

A column is a stretch of report lines, so each is one range of the table's key and nothing is sorted;
its lowest and its highest value are kept, so no spike is lost. What SQLite's JSON cannot read (NaN,
names it cannot quote) goes through a Python function row by row.
"""

from __future__ import annotations

import math
import re
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterator

from controller.domain.queries import Curves, GetCurves
from controller.domain.runs import metric_value
from controller.store.reads import segments
from controller.store.text import decode_values

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_ ./:@%+#-]+")
"""Names whose JSON text is themselves, in any version of SQLite."""

_HUGE = "1.7976931348623157e308"
"""The largest finite number; beyond it is infinity."""

_N_REMEMBERED = 256
"""Curves whose columns are kept in memory, about 50 kB each."""

Curve = tuple[tuple[float, float], ...]
_Span = tuple[int, int, int, int]
"""Token, last step that counts, first and last report line."""


class Thinner:
    """Answers curves and remembers full columns, so that a chart that follows reads only what is new.

    Widths are powers of two and columns begin at their multiples: as an attempt's lines only grow, a
    full column never changes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._full: OrderedDict[tuple[int, int, str, int], dict[int, Curve]] = OrderedDict()

    def curves(self, connection: sqlite3.Connection, query: GetCurves) -> Curves:
        """Return each run's curve; a run without a finite value has an empty one."""
        value = _value_sql(connection, query.key)
        found = {}
        for run_id in query.run_ids:
            spans = [_span(connection, *segment) for segment in segments(connection, run_id)]
            n_lines = sum(high - low + 1 for *_, low, high in spans)
            per_column = max(1, n_lines / max(1, query.n_columns))
            width = 2 ** round(math.log2(per_column))
            pairs: set[tuple[float, float]] = set()
            for span in spans:
                pairs.update(self._thinned(connection, span, query.key, value, width))
            found[run_id] = tuple(sorted(pairs))
        return Curves(key=query.key, curves=found)

    def _thinned(
        self, connection: sqlite3.Connection, span: _Span, key: str, value: str, width: int
    ) -> Iterator[tuple[float, float]]:
        token, last_step, low, high = span
        if width <= 2:
            rows = connection.execute(_rows_sql(value), (token, low, high + 1, last_step))
            yield from ((float(step), float(v)) for step, v in rows if v is not None and math.isfinite(v))
            return
        full = self._remembered((token, last_step, key, width))
        for start in range(low - low % width, high + 1, width):
            column = full.get(start)
            if column is None:
                column = _column(connection, value, (token, start, start + width, last_step))
                if start + width <= high + 1:
                    full[start] = column
            yield from column

    def _remembered(self, of: tuple[int, int, str, int]) -> dict[int, Curve]:
        with self._lock:
            full = self._full.setdefault(of, {})
            self._full.move_to_end(of)
            if len(self._full) > _N_REMEMBERED:
                self._full.popitem(last=False)
        return full


def _span(connection: sqlite3.Connection, token: int, last_step: int) -> _Span:
    (low,) = connection.execute("SELECT min(seq) FROM points WHERE token = ?", (token,)).fetchone()
    (high,) = connection.execute("SELECT max(seq) FROM points WHERE token = ?", (token,)).fetchone()
    return token, last_step, low, high


def _rows_sql(value: str) -> str:
    return f"SELECT step, {value} AS v FROM points WHERE token = ? AND seq >= ? AND seq < ? AND step <= ?"


def _column(connection: sqlite3.Connection, value: str, where: tuple[int, ...]) -> Curve:
    """Return the points with the lowest and the highest finite value, none where there is no value."""
    rows = _rows_sql(value)
    # With a single min() or max(), SQLite takes the other columns from the row that has it; the rows are
    # read once, as the table expression is used twice.
    both = "WITH c (step, v) AS ({}) SELECT step, min(v) FROM c UNION ALL SELECT step, max(v) FROM c"
    ends = connection.execute(both.format(rows), where).fetchall()
    if any(v is not None and not math.isfinite(v) for _, v in ends):
        finite = f"SELECT * FROM ({rows}) WHERE v BETWEEN -{_HUGE} AND {_HUGE}"
        ends = connection.execute(both.format(finite), where).fetchall()
    return tuple((float(step), float(v)) for step, v in ends if v is not None)


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
    value = f"json_extract(body, '{path}')"
    return f"CASE json_type(body, '{path}') WHEN 'real' THEN {value} WHEN 'integer' THEN {value} END"


def _metric(body: str, key: str) -> float | None:
    value = metric_value(decode_values(body), key)
    return value if value is not None and math.isfinite(value) else None


def _reads_json(connection: sqlite3.Connection) -> bool:
    try:
        return bool(connection.execute("SELECT json_valid('1')").fetchone()[0])
    except sqlite3.OperationalError:  # built without its JSON functions
        return False
