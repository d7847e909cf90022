"""Slices: the metric against each parameter, one little plot each; which parameters are on which page."""

from __future__ import annotations

from typing import NamedTuple

from tui_sweeps.views.parallel import Still


class Spot(NamedTuple):
    """One run in one plot; positions 0 to 1."""

    run_id: str
    x: float | None
    """None: this run has no value of the parameter."""
    y: float
    step: int | None
    """Colour from 0, worst, up."""


def spots(still: Still, key: str) -> list[Spot]:
    """Return the runs that pass and have a value of the metric, against one parameter."""
    if not still.metric:
        return []
    ys, xs, steps = still.places[still.metric], still.places[key], still.steps
    return [
        Spot(one, xs.get(one), y, steps.get(one)) for one in still.passing if (y := ys.get(one)) is not None
    ]


def page_of(keys: list[str], page: int, n_fitting: int) -> tuple[list[str], int, int]:
    """Return the parameters of a page, its number as far as there is one, and how many pages there are."""
    n_pages = max(1, -(-len(keys) // max(1, n_fitting)))
    page = min(max(0, page), n_pages - 1)
    return keys[page * n_fitting : (page + 1) * n_fitting], page, n_pages
