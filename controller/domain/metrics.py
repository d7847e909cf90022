"""Which metrics runs have logged, for sentences about one that nobody has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from controller.domain.runs import Run, metric_value
from controller.domain.sweepfile.scalars import nearest

_MOST = 8
"""Names told in one sentence."""


def logged(runs: Iterable[Run]) -> tuple[str, ...]:
    """Return the names under which runs logged numbers, the commonest first, groups with dots."""
    counts = Counter(name for run in runs for name in _names(run.summary, ""))
    return tuple(name for name, _ in counts.most_common())


def _names(values: dict[str, Any], prefix: str) -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _names(value, f"{prefix}{key}.")
        elif not key.startswith("_") and metric_value({key: value}, key) is not None:
            yield f"{prefix}{key}"


def absence(runs: Iterable[Run], metric: str) -> tuple[str, str]:
    """Return a sentence and a hint where none of the runs has logged a metric; empty where one has.

    Nothing is said either while no run has logged any number.
    """
    runs = tuple(runs)
    names = logged(runs)
    if not names or any(metric_value(run.summary, metric) is not None for run in runs):
        return "", ""
    rest = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    near = nearest(metric, names[:50])
    return (
        f"no run has logged {metric}; logged were {', '.join(names[:_MOST])}{rest}",
        f"did you mean {near}?" if near else "",
    )
