"""The top level of a sweep file: which keys there are, and the config they add up to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from controller.domain.parameters import Space
from controller.domain.problems import ProblemList
from controller.domain.sweepfile import extras
from controller.domain.sweepfile.items import Entry, Item, shown
from controller.domain.sweepfile.objective import early_termination_of, metric_of
from controller.domain.sweepfile.parameters import space_of
from controller.domain.sweepfile.scalars import integer, nearest, text
from controller.domain.sweepfile.start import command_of, note_start
from controller.domain.sweeps import Method, Retry, SweepConfig

_T = TypeVar("_T")

_READ = (
    *("method", "metric", "parameters", "early_terminate", "run_cap", "program", "command"),
    *("name", "description", "entity", "project"),
    *("seed", "shuffle", "retry", "on_lost", "capture", "min_time"),
)
_WITHOUT_EFFECT = {
    "job": "W&B Launch is not used here: give program or command",
    "image_uri": "W&B Launch is not used here: give program or command",
    "scheduler": "W&B Launch is not used here: agents are started by `tui-sweeps launch`",
    "settings": "it belongs to W&B's own service",
    "metrics": "a sweep optimises one: give metric",
}
_QUIET = ("apiVersion", "kind", "controller")
"""W&B's keys whose meaning here is what it would be anyway."""
_METHOD_SYNONYMS = {"bayesian": "bayes", "ax": "bayes", "optuna": "bayes", "tpe": "bayes", "custom": "bayes"}


def config_of(root: Item, problems: ProblemList) -> SweepConfig | None:
    """Return the config a tree means, or None after noting why it means none."""
    if root.entries is None:
        hint = "begin with `method: random` and `parameters:` at the left margin"
        problems.error(root, f"a sweep file is a mapping, not {root.kind}", hint)
        return None
    _note_keys(root.entries, problems)
    method = _method(root, problems)
    early = root.get("early_terminate")
    early = None if early is None or early.value is None else early
    metric = root.get("metric")
    needed = method is Method.BAYES or early is not None
    if needed and (metric is None or metric.value is None):
        at = early or root.get("method") or root
        needing = "method bayes" if method is Method.BAYES else "early_terminate"
        problems.error(
            at, f"{needing} needs a metric", "add metric: {name: val_loss, goal: minimize}", key="metric"
        )
    program = _text(root, "program", problems)
    config = SweepConfig(
        method=method or Method.RANDOM,
        parameters=_parameters(root, problems, grid=method is Method.GRID),
        metric=None if metric is None or metric.value is None else metric_of(metric, problems, needed=needed),
        program=program,
        command=command_of(root.get("command"), program, problems),
        name=_text(root, "name", problems),
        description=_text(root, "description", problems),
        project=_text(root, "project", problems),
        entity=_text(root, "entity", problems),
        run_cap=_run_cap(root, problems),
        early_terminate=None if early is None else early_termination_of(early, problems),
        seed=_extra(root, "seed", extras.seed_of, None, problems),
        shuffle=_extra(root, "shuffle", extras.shuffle_of, False, problems),
        retry=_extra(root, "retry", extras.retry_of, Retry(), problems),
        on_lost=_extra(root, "on_lost", extras.on_lost_of, "keep", problems),
        capture=_extra(root, "capture", extras.capture_of, (), problems),
        min_time_s=_extra(root, "min_time", extras.min_time_of, None, problems),
    )
    note_start(config, root.get("command") or root, problems)
    return None if problems.any_error else config


def _extra(
    root: Item, key: str, read: Callable[[Item, ProblemList], _T], default: _T, problems: ProblemList
) -> _T:
    item = root.get(key)
    return default if item is None or item.value is None else read(item, problems)


def _note_keys(entries: dict[str, Entry], problems: ProblemList) -> None:
    for entry in entries.values():
        key = entry.key
        if key in _READ or key in _QUIET:
            continue
        if key in _WITHOUT_EFFECT:
            problems.warning(entry, f"{key} has no effect here", _WITHOUT_EFFECT[key], key=key)
            continue
        near = nearest(key, (*_READ, *_WITHOUT_EFFECT, *_QUIET))
        hint = f"did you mean {near}?" if near else "remove it"
        if any(entry.item.get(word) for word in ("value", "values", "min", "max", "distribution")):
            hint = "it looks like a parameter: indent it under parameters"
        problems.warning(entry, f"{shown(key)} is no key of a sweep file; it is ignored", hint, key=key)


def _method(root: Item, problems: ProblemList) -> Method | None:
    given = root.get("method")
    if given is None:
        found = _elsewhere(root, "method")
        if found is not None:
            owner, entry = found
            where = f" at the left margin; there is one inside {owner}, line {entry.line}"
            problems.error(entry, f"method is missing{where}", "move it to the left margin", key="method")
        else:
            problems.error(root, "method is missing", "add method: grid, random or bayes", key="method")
        return None
    if isinstance(given.value, str) and given.value in set(Method):
        return Method(given.value)
    word = str(given.value).lower()
    near = _METHOD_SYNONYMS.get(word) or nearest(word, Method)
    hint = f"write method: {near}" if near else "choose grid, random or bayes"
    problems.error(given, f"method must be grid, random or bayes, not {given.kind}", hint, key="method")
    return None


def _elsewhere(item: Item, key: str, owner: str = "") -> tuple[str, Entry] | None:
    """Return the first entry called `key` below the top, with the name of the mapping it stands in."""
    for entry in (item.entries or {}).values():
        if owner and entry.key == key and isinstance(entry.item.value, str):
            return owner, entry
        if (found := _elsewhere(entry.item, key, entry.key)) is not None:
            return found
    return None


def _parameters(root: Item, problems: ProblemList, *, grid: bool) -> Space:
    section = root.get("parameters")
    if section is None:
        near = next(
            (key for key in root.entries or {} if key.lower() in ("params", "parameter", "hyperparameters")),
            "",
        )
        hint = f"rename {near} to parameters" if near else "add parameters: with at least one name"
        problems.error(root, "parameters is missing", hint, key="parameters")
        return ()
    return space_of(section, problems, grid=grid)


def _text(root: Item, key: str, problems: ProblemList) -> str | None:
    item = root.get(key)
    return None if item is None else text(item, key, problems, key=key) or None


def _run_cap(root: Item, problems: ProblemList) -> int | None:
    item = root.get("run_cap")
    if item is None or item.value is None:
        return None
    cap = integer(item, "run_cap", problems, key="run_cap")
    if cap is not None and cap < 1:
        problems.error(
            item, f"run_cap must be at least 1, not {cap}", "remove it for no limit", key="run_cap"
        )
        return None
    return cap
