"""What the terminal can show: line filters for terminals without colour or without Unicode."""

from __future__ import annotations

from collections.abc import Mapping

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter, NoColor

from tui_sweeps.format import ascii_only, speaks_unicode


class AsciiOnly(LineFilter):
    """Draws everything with ASCII, cell by cell."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments in ASCII."""
        return [Segment(ascii_only(text), style, control) for text, style, control in segments]


def filters(environ: Mapping[str, str]) -> list[LineFilter]:
    """Return the filters that this environment asks for."""
    found: list[LineFilter] = []
    if environ.get("NO_COLOR"):
        found.append(NoColor())
    if not speaks_unicode(environ):
        found.append(AsciiOnly())
    return found
