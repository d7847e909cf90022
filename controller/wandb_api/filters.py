"""The client's filters and orders over runs: a small part of Mongo's query language.

`{"$and": [{"sweep": ID}, {"state": {"$in": [...]}}]}`, `{"config.lr.value": {"$lt": 0.1}}`,
`{"summary_metrics.loss": {"$gt": 1}}`; orders like `-created_at` or `+summary_metrics.loss`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from typing import Any

from controller.domain.runs import Run
from controller.wandb_api.faults import FaultError
from controller.wandb_api.words import moment

Test = Callable[[Run], bool]

_MISSING = object()
MAX_DEPTH = 20

_ALIASES = {
    "createdAt": "created_at",
    "displayName": "display_name",
    "summaryMetrics": "summary_metrics",
    "heartbeatAt": "updated_at",
    "duration": "runtime",
}


def read_filter(text: str | None) -> Test:
    """Return the test that a filter makes.

    Raises:
        FaultError: the filter is not understood.
    """
    if not text:
        return lambda run: True
    try:
        return _test(json.loads(text), 0)
    except (ValueError, TypeError, RecursionError) as error:
        raise FaultError(400, f"the filter is not understood: {error}") from error


def _test(clause: Any, depth: int) -> Test:
    if not isinstance(clause, dict) or depth > MAX_DEPTH:
        raise ValueError("a filter is a mapping, nested at most 20 deep")
    return _all([_one(key, wanted, depth) for key, wanted in clause.items()])


def _all(tests: list[Test]) -> Test:
    return lambda run: all(test(run) for test in tests)


def _one(key: str, wanted: Any, depth: int) -> Test:
    if key in ("$and", "$or", "$nor"):
        if not isinstance(wanted, list):
            raise ValueError(f"{key} takes a list")
        tests = [_test(clause, depth + 1) for clause in wanted]
        match key:
            case "$and":
                return _all(tests)
            case "$or":
                return lambda run: any(test(run) for test in tests)
            case _:
                return lambda run: not any(test(run) for test in tests)
    if key == "$not":
        inverse = _test(wanted, depth + 1)
        return lambda run: not inverse(run)
    if key.startswith("$"):
        raise ValueError(f"{key} is not known")
    if isinstance(wanted, dict) and any(name.startswith("$") for name in wanted):
        comparisons = [_comparison(name, value) for name, value in wanted.items()]
        return lambda run: all(holds(value_of(run, key)) for holds in comparisons)
    return lambda run: _equal(value_of(run, key), wanted)


def _comparison(name: str, wanted: Any) -> Callable[[Any], bool]:
    match name:
        case "$eq":
            return lambda found: _equal(found, wanted)
        case "$ne":
            return lambda found: not _equal(found, wanted)
        case "$in" | "$nin" if isinstance(wanted, list):
            negate = name == "$nin"
            return lambda found: any(_equal(found, item) for item in wanted) is not negate
        case "$exists":
            return lambda found: (found is not _MISSING) is bool(wanted)
        case "$regex" if isinstance(wanted, str) and len(wanted) <= 200:
            # Not as a regular expression: a foreign pattern could take for ever; the client sends names.
            plain = re.sub(r"\\(.)", r"\1", wanted).removeprefix("^").removesuffix("$")
            return lambda found: isinstance(found, str) and plain in found
        case "$gt":
            return lambda found: _order(found, wanted) == 1
        case "$gte":
            return lambda found: _order(found, wanted) in (0, 1)
        case "$lt":
            return lambda found: _order(found, wanted) == -1
        case "$lte":
            return lambda found: _order(found, wanted) in (0, -1)
        case _:
            raise ValueError(f"{name} is not known")


def _equal(found: Any, wanted: Any) -> bool:
    if found is _MISSING:
        return wanted is None
    if isinstance(found, tuple):  # as in Mongo: one of them, or all together
        return wanted in found or wanted == list(found)
    if isinstance(found, bool) != isinstance(wanted, bool):
        return False
    return bool(found == wanted)


def _order(found: Any, wanted: Any) -> int | None:
    """Return -1, 0 or 1; None where the two have no order."""
    numbers = isinstance(found, int | float) and isinstance(wanted, int | float)
    if not numbers and not (isinstance(found, str) and isinstance(wanted, str)):
        return None
    if found < wanted:
        return -1
    return 1 if found > wanted else 0 if found == wanted else None


def value_of(run: Run, key: str) -> Any:
    """Return what a run has under the client's name for it."""
    head, _, rest = key.partition(".")
    head = _ALIASES.get(head, head)
    match head:
        case "config":
            return _within(run.config, rest.removesuffix(".value"))
        case "summary_metrics" | "summary":
            return _within(run.summary, rest)
        case "sweep" | "sweepName":
            return run.sweep_id
        case "name":
            return run.id
        case "display_name":
            return run.name
        case "state":
            return run.state.value
        case "host":
            return run.host
        case "tags":
            return run.tags
        case "created_at":
            return moment(run.created_at)
        case "updated_at":
            return moment(run.ended_at or run.started_at or run.created_at)
        case "runtime":
            return (run.ended_at - run.started_at) if run.ended_at and run.started_at else _MISSING
        case _:
            return _MISSING


def _within(values: dict[str, Any], path: str) -> Any:
    if path in values:
        return values[path]
    place: Any = values
    for part in path.split("."):
        if not isinstance(place, dict) or part not in place:
            return _MISSING
        place = place[part]
    return place


def in_order(runs: Iterable[Run], order: str | None) -> list[Run]:
    """Return runs in the client's order; the default is the order they were handed out in."""
    found = sorted(runs, key=lambda run: (run.created_at, run.sweep_id, run.number))
    for key in reversed((order or "").replace(" ", "").split(",")):
        name = key.lstrip("+-")
        if not name:
            continue
        with_value = [run for run in found if _rank(value_of(run, name)) is not None]
        without = [run for run in found if _rank(value_of(run, name)) is None]
        with_value.sort(key=lambda run: _rank(value_of(run, name)) or (0, 0), reverse=key.startswith("-"))
        found = with_value + without
    return found


def _rank(value: Any) -> tuple[int, Any] | None:
    if isinstance(value, int | float) and not (isinstance(value, float) and math.isnan(value)):
        return (0, value)
    return (1, value) if isinstance(value, str) else None
