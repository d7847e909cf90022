"""States as a symbol and a word: colour only repeats what both already say.

One table for the states of sweeps, runs, attempts, agents and jobs. Symbols are one cell wide and have an
ASCII form; an unknown state gets a question mark and its own word, sanitised.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text

from tui_sweeps.charts.glyphs import Glyphs
from tui_sweeps.format import sanitise

__all__ = ["BADGES", "Badge", "badge", "badge_of"]


@dataclass(frozen=True, slots=True)
class Badge:
    """The look of one state."""

    symbol: str
    ascii_symbol: str
    style: str


BADGES: dict[str, Badge] = {
    "pending": Badge("○", "o", "dim"),
    "queued": Badge("○", "o", "dim"),
    "assigned": Badge("◌", "o", "cyan"),
    "submitting": Badge("◌", "o", "cyan"),
    "starting": Badge("◌", "o", "cyan"),
    "running": Badge("▶", ">", "bold blue"),
    "idle": Badge("□", ".", "dim"),
    "paused": Badge("‖", "=", "yellow"),
    "draining": Badge("▽", "v", "yellow"),
    "drained": Badge("▼", "v", "yellow"),
    "stopping": Badge("◐", "s", "yellow"),
    "preempting": Badge("◐", "p", "magenta"),
    "preempted": Badge("◁", "<", "magenta"),
    "stopped": Badge("■", "#", "dim"),
    "cancelled": Badge("⊘", "c", "dim"),
    "killed": Badge("⊗", "k", "magenta"),
    "finished": Badge("✓", "+", "green"),
    "completed": Badge("✓", "+", "green"),
    "failed": Badge("✗", "x", "bold red"),
    "crashed": Badge("✸", "!", "bold red"),
    "timeout": Badge("✸", "!", "bold red"),
    "lost": Badge("✸", "!", "bold red"),
    "superseded": Badge("»", "%", "bold red"),
    "quarantined": Badge("⚑", "!", "bold yellow"),
    "abandoned": Badge("◇", "?", "dim"),
    "gone": Badge("◇", "?", "dim"),
}
"""By the state's word."""

_UNKNOWN = Badge("?", "?", "")


def badge_of(state: str) -> Badge:
    """Return the look of a state, that of an unknown one for a word not in the table."""
    return BADGES.get(state, _UNKNOWN)


def badge(state: str, *, glyphs: Glyphs = Glyphs.BRAILLE, colours: bool = True) -> Text:
    """Return symbol, space, word."""
    look = badge_of(state)
    symbol = look.ascii_symbol if glyphs.is_ascii else look.symbol
    return Text(
        f"{symbol} {sanitise(state, width=16)}", style=look.style if colours else "", no_wrap=True, end=""
    )
