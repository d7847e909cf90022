"""(+) The top-level keys that W&B does not have: seed, shuffle, retry, on_lost, capture, min_time."""

from __future__ import annotations

import re

from controller.domain.problems import ProblemList
from controller.domain.states import RunState
from controller.domain.sweepfile.items import Item
from controller.domain.sweepfile.scalars import integer, number
from controller.domain.sweeps import Retry

_RETRIED = (RunState.FAILED, RunState.CRASHED, RunState.KILLED, RunState.PREEMPTED)
_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(?:\d{1,9}(?:\.\d{1,9})?[smhd])+")
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


def seed_of(item: Item, problems: ProblemList) -> int | None:
    """Return the seed; W&B ignores the key, so what is no whole number is ignored here too."""
    if type(item.value) is int and item.value >= 0:
        return item.value
    hint = "write seed: 0, or move it under parameters" if item.entries else "write for instance seed: 0"
    problems.warning(
        item, f"seed must be a whole number from 0, not {item.kind}; it is ignored", hint, key="seed"
    )
    return None


def shuffle_of(item: Item, problems: ProblemList) -> bool:
    """Return whether grid cells come in random order."""
    if not isinstance(item.value, bool):
        problems.error(item, f"shuffle must be true or false, not {item.kind}", key="shuffle")
    return item.value is True


def retry_of(item: Item, problems: ProblemList) -> Retry:
    """Return the retry rule; a bare number is its `max`."""
    if item.entries is None:
        most = integer(item, "retry", problems, key="retry")
        return Retry(max=_not_negative(most, item, problems))
    for entry in item.entries.values():
        if entry.key not in ("max", "on"):
            problems.error(entry, f"retry has no key '{entry.key[:40]}'", "it has max and on", key="retry")
    most_item, on = item.get("max"), item.get("on")
    most = 1 if most_item is None else integer(most_item, "retry: max", problems, key="retry.max")
    states = Retry().on if on is None else _states(on, problems)
    return Retry(max=_not_negative(most, most_item or item, problems), on=states)


def _not_negative(most: int | None, item: Item, problems: ProblemList) -> int:
    if most is not None and most < 0:
        problems.error(item, f"retry: max must be at least 0, not {most}", key="retry.max")
    return max(most or 0, 0)


def _states(item: Item, problems: ProblemList) -> tuple[str, ...]:
    states = item.items if item.items is not None else (item,)
    for each in states:
        if each.value not in _RETRIED:
            problems.error(
                each,
                f"retry: on cannot hold {each.kind}",
                f"choose from {', '.join(_RETRIED)}",
                key="retry.on",
            )
    return tuple(str(each.value) for each in states)


def on_lost_of(item: Item, problems: ProblemList) -> str:
    """Return what becomes of a run whose controller is out of reach."""
    if item.value not in ("keep", "fence"):
        problems.error(item, f"on_lost must be keep or fence, not {item.kind}", key="on_lost")
        return "keep"
    return str(item.value)


def capture_of(item: Item, problems: ProblemList) -> tuple[str, ...]:
    """Return the patterns that name metrics on stdout; one text counts as a list of one."""
    patterns: list[str] = []
    for each in item.items if item.items is not None else (item,):
        if not isinstance(each.value, str):
            problems.error(each, f"capture takes regular expressions, not {each.kind}", key="capture")
            continue
        try:
            re.compile(each.value)
        except (re.error, OverflowError, RecursionError) as error:
            problems.error(each, f"capture: this is no regular expression: {error}", key="capture")
        else:
            patterns.append(each.value)
    return tuple(patterns)


def min_time_of(item: Item, problems: ProblemList) -> float | None:
    """Return the seconds a job must have left to start a run: a number, or text such as `1h30m`."""
    value: float | None
    if isinstance(item.value, str) and _DURATION.fullmatch(item.value.strip()):
        value = sum(float(amount) * _UNITS_S[unit] for amount, unit in _PART.findall(item.value))
    elif isinstance(item.value, str):
        problems.error(
            item, f"min_time is {item.kind}", "write seconds, or for instance 1h30m", key="min_time"
        )
        return None
    else:
        value = number(item, "min_time", problems, key="min_time")
    if value is not None and value < 0:
        problems.error(item, f"min_time must be at least 0, not {value}", key="min_time")
        return None
    return None if value is None else float(value)
