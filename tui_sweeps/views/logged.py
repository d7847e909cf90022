"""What a run logged, by the names of the table's columns: `summary.loss` last, `min.loss`, `max.loss`."""

from __future__ import annotations

from typing import Any

from controller.domain.parameters import MISSING, leaf
from controller.domain.runs import Run

LAST, MIN, MAX = "summary", "min", "max"

KINDS = (LAST, MIN, MAX)
"""Which value of a metric, as the word before the dot of a column's or field's name."""

WORDS = {LAST: "last", MIN: "min", MAX: "max"}
"""How they are called for people."""


def logged(run: Run, key: str) -> Any:
    """Return the value, or `MISSING` when the run has none."""
    kind, _, name = key.partition(".")
    if kind == LAST:
        return last_of(run, name)
    pair = run.extremes.of(name) if kind in (MIN, MAX) else None
    return MISSING if pair is None else pair[kind == MAX]


def last_of(run: Run, name: str) -> Any:
    """Return a summary's value, also by the dotted name of a nested one."""
    if name in run.summary or "." not in name:
        return run.summary.get(name, MISSING)
    return leaf(run.summary, tuple(name.split(".")))
