"""Horizontal bars with an interval and a signed correlation beside them: parameter importance.

One line per parameter: name, bar with a whisker from low to high, the figures, and a small bar that grows to
the left for a negative and to the right for a positive correlation, with its sign in words of digits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from tui_sweeps.charts.glyphs import Glyphs
from tui_sweeps.charts.palette import attributes_only
from tui_sweeps.format import MISSING, ascii_only, cell_width, number, sanitise

__all__ = ["Bar", "bars"]

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_FIGURE_CELLS = 6
_CORRELATION_CELLS = 6
_SIDE_CELLS = 5
"""Of the correlation's bar, on each side of zero."""
_SMALLEST_WIDTH = 24
_BAR_STYLE, _WHISKER_STYLE = "color(75)", "bold color(250)"
_NEGATIVE_STYLE, _POSITIVE_STYLE = "color(208)", "color(36)"


@dataclass(frozen=True, slots=True)
class Bar:
    """One parameter."""

    name: str
    value: float
    low: float | None = None
    """Lower end of the interval, in the unit of `value`."""
    high: float | None = None
    correlation: float | None = None
    """From -1 to 1, or None where it means nothing (a category)."""


def bars(items: Sequence[Bar], *, width: int, glyphs: Glyphs, colours: bool) -> list[Text]:
    """Return one line per item, at most `width` cells wide, in the given order, on one scale from 0."""
    if width < _SMALLEST_WIDTH or not items:
        return []
    has_correlation = width >= 56 and any(item.correlation is not None for item in items)
    right = _FIGURE_CELLS + 1 + ((_CORRELATION_CELLS + 2 * _SIDE_CELLS + 3) if has_correlation else 0)
    name_width = min(max(cell_width(sanitise(item.name)) for item in items), max(8, width // 4))
    bar_width = width - right - name_width - 2
    ends = [max(item.value, item.high or 0.0) for item in items if math.isfinite(item.value)]
    scale = max([end for end in ends if math.isfinite(end)], default=0.0) or 1.0
    lines = []
    for item in items:
        line = Text(no_wrap=True, end="")
        name = sanitise(item.name, width=name_width)
        line.append(name + " " * (name_width - cell_width(name)) + " ")
        _append_bar(line, item, bar_width, scale, glyphs)
        line.append(" " + number(float(f"{item.value:.3g}"), _FIGURE_CELLS).rjust(_FIGURE_CELLS))
        if has_correlation:
            _append_correlation(line, item.correlation, glyphs)
        lines.append(_finished(line, glyphs, colours))
    return lines


def _append_bar(line: Text, item: Bar, width: int, scale: float, glyphs: Glyphs) -> None:
    share = item.value / scale if math.isfinite(item.value) else 0.0
    n_eighths = round(min(1.0, max(0.0, share)) * width * 8)
    chars = ["█"] * (n_eighths // 8)
    if n_eighths % 8 and glyphs is Glyphs.BRAILLE:
        chars.append(_EIGHTHS[n_eighths % 8])
    chars += [" "] * (width - len(chars))
    start = len(line.plain)
    n_filled = math.ceil(n_eighths / 8)
    whisker = _whisker(item, width, scale)
    for at in whisker:
        chars[at] = "├" if at == whisker[0] else "┤" if at == whisker[-1] else "─"
    if len(whisker) == 1:
        chars[whisker[0]] = "┼"
    line.append("".join(chars))
    line.stylize(_BAR_STYLE, start, start + n_filled)
    if whisker:
        line.stylize(_WHISKER_STYLE, start + whisker[0], start + whisker[-1] + 1)


def _whisker(item: Bar, width: int, scale: float) -> range:
    low, high = item.low, item.high
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return range(0)
    first, last = (int(min(1.0, max(0.0, end / scale)) * (width - 1)) for end in sorted((low, high)))
    return range(first, last + 1)


def _append_correlation(line: Text, correlation: float | None, glyphs: Glyphs) -> None:
    if correlation is None or not math.isfinite(correlation):
        line.append("  " + MISSING.rjust(_CORRELATION_CELLS))
        line.append(" " * _SIDE_CELLS + "│" + " " * _SIDE_CELLS)
        return
    correlation = min(1.0, max(-1.0, correlation))
    n_cells = round(abs(correlation) * _SIDE_CELLS)
    line.append("  " + f"{correlation:+.2f}".rjust(_CORRELATION_CELLS))
    negative = "█" * n_cells if correlation < 0 else ""
    positive = "█" * n_cells if correlation >= 0 else ""
    line.append(negative.rjust(_SIDE_CELLS), _NEGATIVE_STYLE)
    line.append("│")
    line.append(positive.ljust(_SIDE_CELLS), _POSITIVE_STYLE)


def _finished(line: Text, glyphs: Glyphs, colours: bool) -> Text:
    out = Text(ascii_only(line.plain) if glyphs.is_ascii else line.plain, no_wrap=True, end="")
    for span in line.spans:
        style = str(span.style) if colours else attributes_only(str(span.style))
        if style:
            out.stylize(style, span.start, span.end)
    return out
