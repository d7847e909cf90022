"""Importance: which metric and which of its values is asked about, and how the answer reads in words."""

from __future__ import annotations

from controller.domain.queries import GetImportance, ImportanceTable
from controller.domain.states import RUN_ENDED
from controller.domain.world import World
from tui_sweeps.format import counted, sanitise
from tui_sweeps.model import SweepDesk
from tui_sweeps.views.logged import WORDS
from tui_sweeps.views.scales import BEST, Columns

FEW = 30
"""Below so many runs the order of the bars is mostly chance, and the words say so."""


def chosen_key(columns: Columns, place: SweepDesk) -> str:
    """Return the key of the metric that is asked about; empty: there is none."""
    return place.colour if columns.known(place.colour) else next(iter(columns.metrics()), "")


def query(columns: Columns, place: SweepDesk) -> GetImportance | None:
    """Return the question; None where there is no metric to ask about."""
    key = chosen_key(columns, place)
    if not key:
        return None
    sweep = columns.rows.sweep
    if key == BEST:
        return GetImportance(sweep_id=sweep.id, of=BEST)
    kind, _, name = key.partition(".")
    return GetImportance(sweep_id=sweep.id, metric=name, of=WORDS[kind])


def next_metric(columns: Columns, place: SweepDesk) -> bool:
    """Choose the next metric; return whether there is another."""
    before = chosen_key(columns, place)
    place.colour = columns.next_metric(before)
    return place.colour != before


def next_value(columns: Columns, place: SweepDesk) -> str:
    """Choose the next of best, last, min, max; return why not, if not."""
    key = chosen_key(columns, place)
    if not key:
        return "there is no metric"
    place.colour = columns.next_kind(key)
    return "" if place.colour != key else f"of {columns.title(key)} only the last value of each run is kept"


def n_ended(world: World, sweep_id: str) -> int:
    """Return how many runs have ended."""
    counts = world.counts_of.get(sweep_id)
    return 0 if counts is None else sum(counts[state] for state in RUN_ENDED)


def head(columns: Columns, asked: GetImportance, answer: ImportanceTable | None) -> str:
    """Return what is asked, in words, and from how many runs the answer comes."""
    name = asked.metric if answer is None else answer.metric
    metric = sanitise(name, width=40) if name else columns.title(BEST)
    runs = "" if answer is None else f", from {counted(answer.n_runs, 'run')}"
    return f"What drives the {asked.of} {metric}{runs}"


def said(answer: ImportanceTable) -> list[str]:
    """Return the sentences below the bars, or in their place."""
    lines = [sanitise(answer.note)] if answer.note else []
    if answer.parameters and answer.n_runs < FEW and not answer.note:
        lines.append(
            f"{counted(answer.n_runs, 'run')} {'is' if answer.n_runs == 1 else 'are'} few: "
            "take the intervals seriously."
        )
    if not answer.parameters and not answer.note:
        lines.append("There is nothing to say yet: no run has a value of this metric.")
    return lines
