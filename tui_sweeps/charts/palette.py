"""Colours that stay apart for colour-blind eyes, by number of the 256-colour table.

Steps follow viridis (Nuñez, Anderton, Renslow 2018 discuss why: brightness rises with the value), single
colours follow Okabe and Ito. Colour never says anything alone.
"""

from __future__ import annotations

__all__ = ["N_STEPS", "SERIES", "STEPS", "attributes_only", "step_style"]

STEPS = (
    "color(60)",
    "color(62)",
    "color(31)",
    "color(36)",
    "color(42)",
    "color(77)",
    "color(148)",
    "color(226)",
)
"""From worst to best."""

N_STEPS = len(STEPS)

SERIES = (75, 208, 36, 220, 169, 117, 203, 250)
"""Of curves, in order."""

_ATTRIBUTES = frozenset(("bold", "dim", "reverse", "underline", "italic"))
_N_BOLD_STEPS = 1


def step_style(step: int | None) -> str:
    """Return the style of a line in step 0 (worst) to `N_STEPS - 1` (best), dim without a metric."""
    if step is None:
        return "dim color(240)"
    step = min(max(step, 0), N_STEPS - 1)
    return f"bold {STEPS[step]}" if step >= N_STEPS - _N_BOLD_STEPS else STEPS[step]


def attributes_only(style: str) -> str:
    """Return the style without its colours."""
    return " ".join(word for word in style.split() if word in _ATTRIBUTES)
