"""Parallel coordinates: which axes there are and how they stand, which runs are drawn and in which colour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from tui_sweeps.model import SweepDesk
from tui_sweeps.views.brush import Range, range_of
from tui_sweeps.views.scales import BEST, CATEGORICAL, Columns, Scale

N_COLOURS = 8
"""Steps of colour from worst to best; as many as the charts' palette has."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One axis as it is to be drawn."""

    scale: Scale
    is_flipped: bool
    brush: Range


class Trace(NamedTuple):
    """One run as it is to be drawn."""

    run_id: str
    positions: tuple[float | None, ...]
    step: int | None
    """Colour from 0, worst, up; None: no metric yet, or left out by the filter."""


class Plot:
    """The plot of one sweep; the desk keeps how its axes stand."""

    def __init__(self, columns: Columns, place: SweepDesk) -> None:
        self.columns = columns
        self.place = place

    # ------------------------------------------------------------------ axes

    def all_keys(self) -> list[str]:
        """Return every axis there can be: parameters, then metrics."""
        metrics = [key for one in self.columns.metrics() for key in self.columns.kinds(one)]
        return [*self.columns.parameters, *metrics]

    def shown_keys(self) -> list[str]:
        """Return the axes that are shown, in their order."""
        known = dict.fromkeys(self.all_keys())
        chosen = [key for key in self.place.axes if key in known]
        return chosen or [*self.columns.parameters, *(key for key in known if key == BEST)]

    def log_of(self, key: str) -> bool | None:
        """Return whether an axis is set to a logarithmic scale; None: as its distribution says."""
        return self.place.log_axes.get(key)

    def placed(self, keys: list[str]) -> list[Placed]:
        """Return these axes as they stand."""
        scales = [self.columns.scale(key, self.log_of(key)) for key in keys]
        return [
            Placed(scale, scale.key in self.place.flipped, range_of(self.place.filter, scale))
            for scale in scales
        ]

    def move(self, key: str, by: int) -> None:
        """Move an axis to the left or right."""
        keys = self.shown_keys()
        at = keys.index(key)
        to = min(max(0, at + by), len(keys) - 1)
        keys.insert(to, keys.pop(at))
        self.place.axes = keys

    def hide(self, key: str) -> bool:
        """Take an axis away; the last one stays."""
        keys = self.shown_keys()
        if len(keys) > 1:
            self.place.axes = [one for one in keys if one != key]
        return len(keys) > 1

    def show(self, keys: list[str]) -> None:
        """Show these axes: those shown already keep their order, the others come last."""
        wanted = set(keys)
        kept = [key for key in self.shown_keys() if key in wanted]
        self.place.axes = kept + [key for key in keys if key not in kept]

    def flip(self, key: str) -> None:
        """Turn an axis upside down."""
        flipped = self.place.flipped
        self.place.flipped = [one for one in flipped if one != key] if key in flipped else [*flipped, key]

    def switch_log(self, key: str) -> str:
        """Switch an axis between linear and logarithmic; return why not, if not."""
        scale = self.columns.scale(key, self.log_of(key))
        parameter = self.columns.parameters.get(key)
        if parameter is not None and parameter.distribution in CATEGORICAL:
            return f"{scale.title} is a list of values: it has no log scale"
        if scale.kind == "linear" and self.columns.scale(key, True).kind != "log":
            return f"{scale.title} has no positive values: it has no log scale"
        self.place.log_axes = {**self.place.log_axes, key: scale.kind == "linear"}
        return ""

    # ------------------------------------------------------------------ colour

    def colour(self) -> str:
        """Return what runs are coloured by; empty where there is no metric at all."""
        if self.columns.known(self.place.colour):
            return self.place.colour
        return next(iter(self.columns.metrics()), "")

    def next_colour(self) -> None:
        """Colour by the next metric."""
        self.place.colour = self.columns.next_metric(self.colour())

    def next_value(self) -> None:
        """Colour by the same metric's best, last, lowest or highest value."""
        self.place.colour = self.columns.next_kind(self.colour())

    def is_high_bright(self) -> bool:
        """Say whether high values are bright: the better ones are, where that is known."""
        return self.columns.is_better_high(self.colour()) is not False

    def steps(self) -> dict[str, int]:
        """Return each run's colour by its rank among all, so that an outlier takes no other's colour."""
        key = self.colour()
        return steps_of(self.columns.numbers(key), self.is_high_bright()) if key else {}

    # ------------------------------------------------------------------ runs

    def still(self, keys: Iterable[str], passing: Sequence[str]) -> Still:
        """Return these columns and the metric's as they are now: a thread may draw them while runs go on."""
        columns, metric = self.columns, self.colour()
        wanted = dict.fromkeys([*keys, *([metric] if metric else [])])
        return Still(
            ids=tuple(columns.rows.model.world.runs_of[columns.rows.sweep_id]),
            passing=tuple(passing),
            places={key: dict(columns.positions(key, self.log_of(key))) for key in wanted},
            metric=metric,
            numbers=dict(columns.numbers(metric)) if metric else {},
            is_high_bright=self.is_high_bright(),
            is_better_high=columns.is_better_high(metric) if metric else None,
        )


@dataclass(frozen=True)
class Still:
    """A sweep's runs in numbers, as they stood at one moment."""

    ids: tuple[str, ...]
    """Every run, in the order of their numbers."""
    passing: tuple[str, ...]
    """Those that pass the filter, in the order of the metric."""
    places: dict[str, dict[str, float | None]]
    """Per axis the position of each run."""
    metric: str
    """Key of the metric; empty: there is none."""
    numbers: dict[str, float | None]
    """Of the metric."""
    is_high_bright: bool
    is_better_high: bool | None

    @cached_property
    def steps(self) -> dict[str, int]:
        """Each run's colour by its rank among all."""
        return steps_of(self.numbers, self.is_high_bright)

    def traces(self, keys: Sequence[str], *, others: bool) -> list[Trace]:
        """Return the runs to draw: those that pass the filter, and the `others` without a colour."""
        steps = self.steps
        if others and len(self.passing) < len(self.ids):
            passing = set(self.passing)
            steps = {one: step for one, step in steps.items() if one in passing}
        ids = self.ids if others else self.passing
        columns = [map(self.places[key].get, ids) for key in keys]
        return list(map(Trace, ids, zip(*columns, strict=True), map(steps.get, ids)))


def steps_of(numbers: Mapping[str, float | None], is_high_bright: bool) -> dict[str, int]:
    """Return each run's colour by its rank among all, so that an outlier takes no other's colour."""
    known = {one: n for one, n in numbers.items() if n is not None}
    if len(known) == 1:
        return dict.fromkeys(known, N_COLOURS - 1)
    ranked = sorted(known.values())
    last = max(1, len(ranked) - 1)
    ends = {value: at for at, value in enumerate(ranked)}
    by_number: dict[float, int] = {}
    start = 0
    for value, end in ends.items():
        middle = (start + end) / 2 / last  # equal values share the middle of their ranks
        start = end + 1
        by_number[value] = min(N_COLOURS - 1, int((middle if is_high_bright else 1.0 - middle) * N_COLOURS))
    return {one: by_number[n] for one, n in known.items()}
