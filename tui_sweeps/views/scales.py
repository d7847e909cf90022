"""What plots are drawn over: per parameter or metric one column of numbers and the scale it is measured on.

Columns are read once and then follow single runs, so that a picture of thousands of runs costs its drawing
and nothing else. A categorical column holds the number of each run's choice in declared order. What is
missing, not finite or (on a log scale) not positive is None.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from controller.domain.parameters import MISSING, Distribution, Parameter
from controller.domain.runs import Run
from controller.domain.sweeps import Goal
from tui_sweeps.format import sanitise
from tui_sweeps.views.configs import varying
from tui_sweeps.views.filter.subjects import RUN_FIELDS
from tui_sweeps.views.logged import KINDS, LAST, MAX, MIN, WORDS
from tui_sweeps.views.runs import RunRows
from tui_sweeps.views.scale import Scale as Scale
from tui_sweeps.views.scale import declared

BEST = "best"
"""Key of the sweep's own metric: the best value of each run."""

CATEGORICAL = frozenset({Distribution.CATEGORICAL, Distribution.CATEGORICAL_W_PROBABILITIES})
WHOLE = frozenset({Distribution.INT_UNIFORM})
N_PER_PART = 500
"""Runs read at a time: about a millisecond."""


class Columns:
    """The numbers of one sweep's runs, per key."""

    def __init__(self, rows: RunRows) -> None:
        self.rows = rows
        self._numbers: dict[str, dict[str, float | None]] = {}
        self._choices: dict[str, dict[str, int]] = {}
        self._choice_values: dict[str, list[Any]] = {}
        self._scales: dict[tuple[str, bool | None], Scale] = {}
        self._positions: dict[tuple[str, bool | None], dict[str, float | None]] = {}
        self._parameters: dict[str, Parameter] = {}
        self._metrics: list[str] | None = None
        self._ranged: set[str] | None = None
        """Of which metrics the latest runs keep the lowest and the highest value."""
        self._era = object()
        """Another one after each reset."""

    def reset(self) -> None:
        """Forget everything: the World is another one."""
        for cache in (self._numbers, self._choices, self._choice_values, self._scales, self._positions):
            cache.clear()
        self._parameters.clear()
        self._metrics = self._ranged = None
        self._era = object()

    def touch(self, run_ids: Iterable[str]) -> None:
        """Read these runs again."""
        self._metrics = self._ranged = None
        runs = [run for one in run_ids if (run := self.rows.model.world.runs.get(one)) is not None]
        for key, numbers in self._numbers.items():
            for run in runs:
                numbers[run.id] = self._number(key, run)
        old, self._scales = self._scales, {}
        for (key, log), scale in old.items():
            if self.scale(key, log) != scale:
                self._positions.pop((key, log), None)
            elif (places := self._positions.get((key, log))) is not None:
                for run in runs:
                    places[run.id] = scale.position(self._numbers[key][run.id])

    # ------------------------------------------------------------------ which columns there are

    @property
    def parameters(self) -> dict[str, Parameter]:
        """The parameters that vary, by key."""
        if not self._parameters:
            self._parameters = {f"config.{one.name}": one for one in varying(self.rows.sweep)}
        return self._parameters

    def metrics(self) -> list[str]:
        """Return the keys of the sweep's metric and of every other number in the latest summaries."""
        if self._metrics is None:
            self._metrics = self._found_metrics()
        return self._metrics

    def _found_metrics(self) -> list[str]:
        metric = self.rows.sweep.config.metric
        own, taken = ([], "") if metric is None else ([BEST], f"summary.{metric.name}")
        latest = self.rows.latest()
        keys = [key for name in self.rows.summary_keys() if (key := f"summary.{name}") != taken]
        return own + [key for key in keys if any(self._number(key, run) is not None for run in latest)]

    def kinds(self, key: str) -> list[str]:
        """Return the keys of every value of one metric: best where there is a goal, last, min, max."""
        metric = self.rows.sweep.config.metric
        own = metric.name if metric is not None else ""
        name = own if key == BEST else key.partition(".")[2]
        found = [BEST] if metric is not None and name == own else []
        found.append(f"{LAST}.{name}")
        if self._ranged is None:
            self._ranged = self.rows.ranged_keys()
        return [*found, f"{MIN}.{name}", f"{MAX}.{name}"] if name in self._ranged else found

    def next_kind(self, key: str) -> str:
        """Return the key of the metric's next value; the same one where there is no other."""
        kinds = self.kinds(key)
        return kinds[(kinds.index(key) + 1) % len(kinds)] if key in kinds else key

    def next_metric(self, key: str) -> str:
        """Return the key of the next metric; empty where there is none at all."""
        keys = self.metrics()
        if not keys:
            return ""
        here = next((n for n, one in enumerate(keys) if key in self.kinds(one)), -1)
        return keys[(here + 1) % len(keys)]

    def known(self, key: str) -> bool:
        """Say whether a key is a value of one of the metrics."""
        metric = self.rows.sweep.config.metric
        kind, _, name = key.partition(".")
        if metric is not None and (key == BEST or (kind in KINDS and name == metric.name)):
            return True
        return kind in KINDS and f"{LAST}.{name}" in self.metrics()

    def title(self, key: str) -> str:
        """Return a column's name for people."""
        metric = self.rows.sweep.config.metric
        if key == BEST:
            return sanitise(metric.name) if metric is not None else BEST
        kind, _, name = key.partition(".")
        if kind == LAST and (metric is None or name != metric.name):
            return sanitise(name)
        return sanitise(name) + (f" ({WORDS[kind]})" if kind in KINDS else "")

    def field(self, key: str) -> str:
        """Return a column's name in the filter language."""
        prefix, _, name = key.partition(".")
        if key == BEST:
            return BEST
        if prefix in (MIN, MAX):
            return key
        is_taken = name in RUN_FIELDS or name.startswith(("config.", "summary."))
        return key if is_taken or (prefix == "summary" and name in self.rows.paths) else name

    def is_better_high(self, key: str) -> bool | None:
        """Say which way a metric is better; None where nobody said."""
        metric = self.rows.sweep.config.metric
        if metric is not None and (key == BEST or key.partition(".")[2] == metric.name):
            return metric.goal is Goal.MAXIMIZE
        return None

    # ------------------------------------------------------------------ numbers, scales, positions

    def numbers(self, key: str) -> dict[str, float | None]:
        """Return every run's number by run id."""
        found = self._numbers.get(key)
        if found is None:
            world = self.rows.model.world
            ids = world.runs_of[self.rows.sweep_id]
            found = self._numbers[key] = {one: self._number(key, world.runs[one]) for one in ids}
        return found

    def reading(self, key: str) -> Iterator[None]:
        """Read a column that is not known yet, in small parts; whoever iterates may do other things between.

        Runs that are touched meanwhile are to be touched again when it is read.
        """
        world, era = self.rows.model.world, self._era
        if key in self._numbers:
            return
        found: dict[str, float | None] = {}
        ids = list(world.runs_of[self.rows.sweep_id])
        for first in range(0, len(ids), N_PER_PART):
            for one in ids[first : first + N_PER_PART]:
                if (run := world.runs.get(one)) is not None:
                    found[one] = self._number(key, run)
            yield
            if era is not self._era:
                return
        self._numbers[key] = found

    def scale(self, key: str, log: bool | None = None) -> Scale:
        """Return a column's scale; `log` None: as its distribution says."""
        found = self._scales.get((key, log))
        if found is None:
            found = self._scales[key, log] = self._scale(key, log)
        return found

    def positions(self, key: str, log: bool | None = None) -> dict[str, float | None]:
        """Return every run's position on a scale by run id."""
        found = self._positions.get((key, log))
        if found is None:
            scale, numbers = self.scale(key, log), self.numbers(key)
            found = self._positions[key, log] = {one: scale.position(n) for one, n in numbers.items()}
        return found

    def _scale(self, key: str, log: bool | None) -> Scale:
        parameter = self.parameters.get(key)
        numbers = self.numbers(key)
        title, field = self.title(key), self.field(key)
        if parameter is not None and parameter.distribution in CATEGORICAL:
            has_missing = any(one is None for one in numbers.values())
            self._known(key, parameter)
            choices = tuple(self._choice_values[key])
            last = float(max(0, len(choices) - 1))
            return Scale(key, title, field, "categorical", 0.0, last, False, choices, has_missing)
        is_log = ("log" in parameter.distribution if parameter is not None else False) if log is None else log
        found = [n for n in numbers.values() if n is not None and (not is_log or n > 0)]
        limits = [n for n in declared(parameter) if not is_log or n > 0]
        is_log = is_log and bool(found or limits)
        low, high = min([*found, *limits], default=0.0), max([*found, *limits], default=1.0)
        is_whole = parameter is not None and parameter.distribution in WHOLE
        return Scale(
            key,
            title,
            field,
            "log" if is_log else "linear",
            low,
            high,
            is_whole,
            (),
            len(found) < len(numbers),
        )

    def _number(self, key: str, run: Run) -> float | None:
        value = self.rows.value(run, key, 0.0)
        parameter = self.parameters.get(key)
        if parameter is not None and parameter.distribution in CATEGORICAL:
            return self._choice(key, parameter, value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        try:
            number = float(value)
        except OverflowError:
            return None
        return number if math.isfinite(number) else None

    def _known(self, key: str, parameter: Parameter) -> dict[str, int]:
        """Return the number of each choice; the declared ones come first, in their order."""
        known = self._choices.get(key)
        if known is None:
            known = self._choices[key] = {}
            values = self._choice_values[key] = []
            for value in parameter.values:
                if known.setdefault(_choice_key(value), len(values)) == len(values):
                    values.append(value)
        return known

    def _choice(self, key: str, parameter: Parameter, value: Any) -> float | None:
        known = self._known(key, parameter)
        if value is MISSING:
            return None
        word = _choice_key(value)
        if word not in known:
            known[word] = len(known)
            self._choice_values[key].append(value)
        return float(known[word])


def _choice_key(value: Any) -> str:
    """Return what tells choices apart: 1 and 1.0 are the same, 1 and true are not."""
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e300:
        return repr(value)
    return repr(float(value))
