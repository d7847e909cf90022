"""The filter language: one for tables, plots, bulk actions and the command line."""

from tui_sweeps.views.filter.edit import choices_of, limits_of, speakable, with_choices, with_limits
from tui_sweeps.views.filter.evaluate import Subject, matches
from tui_sweeps.views.filter.parser import FilterError, parse
from tui_sweeps.views.filter.subjects import SWEEP_FIELDS, RunSubject, SweepSubject, run_fields
from tui_sweeps.views.filter.words import And, Compare, Node, Not, Or, Regex, Word

__all__ = [
    "And",
    "Compare",
    "FilterError",
    "Node",
    "Not",
    "Or",
    "Regex",
    "RunSubject",
    "SWEEP_FIELDS",
    "Subject",
    "SweepSubject",
    "Word",
    "choices_of",
    "limits_of",
    "matches",
    "parse",
    "run_fields",
    "speakable",
    "with_choices",
    "with_limits",
]
