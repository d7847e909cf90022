"""The metric and early termination: what a sweep optimises and when it gives a run up.

Both are optional for grid and random search, where W&B's engine never looks at them: what is wrong there is
a warning. Bayes and early termination need a metric, and then the same is an error.
"""

from __future__ import annotations

from controller.domain.problems import ProblemList
from controller.domain.sweepfile.items import Entry, Item, shown
from controller.domain.sweepfile.scalars import fix, integer, is_number, nearest, number
from controller.domain.sweeps import EarlyTermination, Goal, Metric

_METRIC_KEYS = ("name", "goal", "target", "impute", "impute_while_running")
_EARLY_KEYS = ("type", "min_iter", "max_iter", "s", "eta", "strict", "on_nan")
_ON_NAN = ("stop", "worst", "ignore")


def metric_of(item: Item, problems: ProblemList, *, needed: bool) -> Metric | None:
    """Return the metric; `needed` makes an error of what grid and random search can do without."""
    note = problems.error if needed else problems.warning
    if item.entries is None:
        plain = isinstance(item.value, str)
        hint = (
            f"write metric: {{name: {item.value}, goal: minimize}}" if plain else "write metric: {name: ...}"
        )
        note(item, f"metric must be a mapping with name and goal, not {item.kind}", hint, key="metric")
        return Metric(name=item.value) if plain else None
    _note_unknown(item.entries, _METRIC_KEYS, "metric", problems)
    for key in ("impute", "impute_while_running"):
        if (entry := item.entries.get(key)) is not None:
            message = (
                f"{key} has no effect here: failed runs are learned as failures, never as a made-up value"
            )
            problems.warning(entry, message, "remove it", key=f"metric.{key}")
    name = item.get("name")
    if name is None or not isinstance(name.value, str) or not name.value:
        note(name or item, "metric has no name", "add name: and what the program logs", key="metric.name")
        return None
    return Metric(name=name.value, goal=_goal(item, problems), target=_target(item, problems, needed=needed))


def _goal(item: Item, problems: ProblemList) -> Goal:
    given = item.get("goal")
    if given is None:
        return Goal.MINIMIZE
    if isinstance(given.value, str) and given.value in set(Goal):
        return Goal(given.value)
    word = str(given.value).lower()
    meant = next((goal for goal in Goal if word[:3] == goal[:3]), None)
    goal = meant or Goal.MINIMIZE
    problems.warning(
        given,
        f"goal is {given.kind}; it is read as {goal}"
        + (", where W&B would minimize" if meant is Goal.MAXIMIZE else ""),
        f"write goal: {goal}" if meant else "write minimize or maximize",
        key="metric.goal",
    )
    return goal


def _target(item: Item, problems: ProblemList, *, needed: bool) -> float | None:
    given = item.get("target")
    if given is None:
        return None
    if is_number(given.value):
        return float(given.value)
    note = problems.error if needed else problems.warning
    hint = fix(given) if isinstance(given.value, str) else ""
    note(given, f"target must be a number, not {given.kind}; it is ignored", hint, key="metric.target")
    return None


def early_termination_of(item: Item, problems: ProblemList) -> EarlyTermination | None:
    """Return the hyperband rule, or None after noting why there is none."""
    if item.entries is None:
        hint = "write early_terminate: {type: hyperband, min_iter: 3}"
        problems.error(
            item, f"early_terminate must be a mapping, not {item.kind}", hint, key="early_terminate"
        )
        return None
    _note_unknown(item.entries, _EARLY_KEYS, "early_terminate", problems)
    kind = item.get("type")
    if kind is None or kind.value != "hyperband":
        said = f"is {kind.kind}" if kind else "is missing"
        problems.error(
            kind or item, f"early_terminate: type {said}", "write type: hyperband", key="early_terminate.type"
        )
    min_iter, max_iter = _iterations(item, "min_iter", problems), _iterations(item, "max_iter", problems)
    s = _above(item, "s", 0, problems)
    eta = _above(item, "eta", 1, problems)
    if item.get("min_iter") is None and item.get("max_iter") is None:
        message = "early_terminate needs min_iter, or max_iter with s"
        problems.error(item, message, "add for instance min_iter: 3", key="early_terminate")
    min_iter, max_iter, s = _one_form(item, (min_iter, max_iter, s), problems)
    eta = 3.0 if eta is None else eta
    _note_no_band(item, max_iter, s, eta, problems)
    return EarlyTermination(
        min_iter=min_iter,
        max_iter=max_iter,
        s=s,
        eta=eta,
        strict=_strict(item, problems),
        on_nan=_on_nan(item, problems),
    )


def _note_no_band(
    item: Item, max_iter: int | None, s: float | None, eta: float, problems: ProblemList
) -> None:
    """Note that the `max_iter` form would never judge anybody."""
    if max_iter is not None and max_iter < eta:
        message = f"early_terminate has no band: max_iter {max_iter} divided by eta {eta:g} is below 1"
        hint = "max_iter is how many values a whole run logs: raise it, or give min_iter alone"
        problems.error(item.get("max_iter") or item, message, hint, key="early_terminate.max_iter")
    elif max_iter is not None and s is not None and s < 1:
        message = f"early_terminate has no band: s {s:g} is below 1"
        problems.error(item.get("s") or item, message, "s is how many bands", key="early_terminate.s")


_Form = tuple[int | None, int | None, float | None]


def _one_form(item: Item, numbers: _Form, problems: ProblemList) -> _Form:
    """Return the numbers of one form: `max_iter` wins, unless it lacks its `s`."""
    min_iter, max_iter, s = numbers
    low, high, brackets = item.get("min_iter"), item.get("max_iter"), item.get("s")
    if high is not None and brackets is None:
        if low is None:
            problems.error(
                high, "early_terminate: max_iter needs s", "add s: 2", key="early_terminate.max_iter"
            )
        else:
            message = "early_terminate: max_iter needs s; without it min_iter is used"
            problems.warning(high, message, "add s, or remove max_iter", key="early_terminate.max_iter")
        return min_iter, None, None
    if high is not None and low is not None:
        message = "early_terminate has both forms: max_iter wins and min_iter is ignored"
        problems.warning(low, message, "remove one of them", key="early_terminate.min_iter")
        return None, max_iter, s
    if high is None and brackets is not None:
        message = "early_terminate: s goes with max_iter; beside min_iter it is ignored"
        problems.warning(brackets, message, "remove s", key="early_terminate.s")
        return min_iter, None, None
    return min_iter, max_iter, s


def _iterations(item: Item, name: str, problems: ProblemList) -> int | None:
    if (given := item.get(name)) is None:
        return None
    key = f"early_terminate.{name}"
    value = integer(given, f"early_terminate: {name}", problems, key=key)
    if value is not None and value < 1:
        problems.error(given, f"early_terminate: {name} must be at least 1, not {value}", key=key)
        return None
    return value


def _above(item: Item, name: str, limit: float, problems: ProblemList) -> float | None:
    if (given := item.get(name)) is None:
        return None
    key = f"early_terminate.{name}"
    value = number(given, f"early_terminate: {name}", problems, key=key)
    if value is not None and value <= limit:
        problems.error(given, f"early_terminate: {name} must be above {limit:g}, not {value}", key=key)
        return None
    return None if value is None else float(value)


def _strict(item: Item, problems: ProblemList) -> bool:
    given = item.get("strict")
    if given is not None and not isinstance(given.value, bool):
        message = f"early_terminate: strict must be true or false, not {given.kind}"
        problems.error(given, message, key="early_terminate.strict")
    return given is not None and given.value is True


def _on_nan(item: Item, problems: ProblemList) -> str:
    given = item.get("on_nan")
    if given is None:
        return "ignore"
    if given.value not in _ON_NAN:
        message = f"early_terminate: on_nan must be one of {', '.join(_ON_NAN)}, not {given.kind}"
        problems.error(given, message, key="early_terminate.on_nan")
        return "ignore"
    return str(given.value)


def _note_unknown(
    entries: dict[str, Entry], known: tuple[str, ...], where: str, problems: ProblemList
) -> None:
    for entry in entries.values():
        if entry.key not in known and entry.key != "method":
            near = nearest(entry.key, known)
            problems.warning(
                entry,
                f"{where} has no key {shown(entry.key)}; it is ignored",
                f"did you mean {near}?" if near else "remove it",
                key=f"{where}.{entry.key}",
            )
