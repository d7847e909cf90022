"""Metric curves over steps, drawn by plotext.

plotext 6 keeps one figure per process, so building takes a lock; it may run off the event loop. Values are
cleaned, thinned and smoothed here, scales and ticks are decided here, and plotext draws lines and frame.
Every curve carries a letter at its end, so that colours are not needed to tell curves apart.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text

from tui_sweeps.charts.axes import nice_ticks
from tui_sweeps.charts.glyphs import Glyphs
from tui_sweeps.charts.palette import SERIES
from tui_sweeps.format import ascii_only, number, sanitise, sanitise_log

__all__ = ["Point", "curves", "smoothed", "thinned"]

Point = tuple[float, float]

_SMALLEST = (20, 6)
_TICK_CELLS = 8
_CELLS_PER_X_TICK = 16
_ROWS_PER_Y_TICK = 4
_LARGEST_EXPONENT = 307.0
"""Powers of ten beyond are no floats."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_MARKERS = {Glyphs.BRAILLE: "braille", Glyphs.BLOCK: "hd", Glyphs.ASCII: "*"}
_FIGURE_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class _Frame:
    """What is drawn and within which limits (y in powers of ten on a log axis)."""

    runs: tuple[tuple[tuple[Point, ...], ...], ...]
    """Per curve its stretches without gaps."""
    x: tuple[float, float]
    y: tuple[float, float]
    log_y: bool


def curves(
    series: Mapping[str, Sequence[Point]],
    *,
    width: int,
    height: int,
    log_y: bool = False,
    smoothing: float = 0.0,
    title: str = "",
    glyphs: Glyphs,
    colours: bool,
) -> Text:
    """Return the curves in `height` lines of at most `width` cells, a legend line at the end.

    Points are (x, y) with rising x. NaN and infinities are gaps, and so are values without a logarithm when
    `log_y`. `smoothing` in 0-1 is the weight of the past in an exponential moving average.
    """
    if width < _SMALLEST[0] or height < _SMALLEST[1]:
        return Text(sanitise("Too small for curves.", width=max(0, width)), no_wrap=True)
    frame = _framed(series, 2 * width, log_y, smoothing)
    if frame is None:
        reason = "No positive values for a log axis." if log_y and any(series.values()) else "No values yet."
        return Text(sanitise(reason, width=width), no_wrap=True)
    n_title_rows = 1 if title else 0
    drawn = _drawn(frame, width, height - n_title_rows - 1, glyphs)
    out = Text(no_wrap=True)
    if title:
        out.append(f"{sanitise(title, width=width)}\n", "bold")
    for line in drawn.split("\n"):
        out.append_text(_coloured(line, glyphs, colours))
        out.append("\n")
    out.append_text(_legend(list(series), width, glyphs, colours))
    return out


def smoothed(points: Sequence[Point], weight: float) -> list[Point]:
    """Return the exponential moving average of y, its start corrected for the missing past; gaps stay gaps.

    Source: Kingma, Ba 2015 (Adam), section 3, the bias correction of a moving average.
    """
    weight = min(max(weight, 0.0), 0.999)
    mean, seen = 0.0, 0.0
    out: list[Point] = []
    for x, y in points:
        if not math.isfinite(y):
            out.append((x, y))
            continue
        mean = weight * mean + (1 - weight) * y
        seen = weight * seen + (1 - weight)
        out.append((x, mean / seen))
    return out


def thinned(points: Sequence[Point], n_columns: int) -> list[Point]:
    """Return at most a lowest and a highest point per column of the width, in order; peaks survive."""
    if len(points) <= 2 * n_columns or n_columns < 1:
        return list(points)
    first, last = points[0][0], points[-1][0]
    scale = n_columns / (last - first) if last > first else 0.0
    columns: dict[int, tuple[Point, Point]] = {}
    for point in points:
        at = int((point[0] - first) * scale)
        low, high = columns.get(at, (point, point))
        columns[at] = (point if point[1] < low[1] else low, point if point[1] > high[1] else high)
    return [point for pair in columns.values() for point in sorted(set(pair))]


def _framed(
    series: Mapping[str, Sequence[Point]], n_columns: int, log_y: bool, smoothing: float
) -> _Frame | None:
    runs = []
    for points in series.values():
        kept: Sequence[Point] = smoothed(points, smoothing) if smoothing > 0 else points
        stretches = _stretches(kept, log_y)
        n_points = max(1, sum(map(len, stretches)))
        runs.append(
            tuple(tuple(thinned(s, max(1, math.ceil(n_columns * len(s) / n_points)))) for s in stretches)
        )
    every = [point for stretches in runs for stretch in stretches for point in stretch]
    if not every:
        return None
    xs, ys = [x for x, _ in every], [y for _, y in every]
    return _Frame(tuple(runs), _widened(min(xs), max(xs)), _widened(min(ys), max(ys)), log_y)


def _stretches(points: Sequence[Point], log_y: bool) -> list[list[Point]]:
    """Split at gaps; take logarithms."""
    out: list[list[Point]] = [[]]
    for x, y in points:
        if not (math.isfinite(x) and math.isfinite(y)) or (log_y and y <= 0):
            if out[-1]:
                out.append([])
            continue
        out[-1].append((x, math.log10(y) if log_y else y))
    return [stretch for stretch in out if stretch]


def _widened(low: float, high: float) -> tuple[float, float]:
    """Give a range without extent some, so that a constant lies in the middle."""
    if high - low > 1e-12 * max(abs(low), abs(high)):
        return low, high
    margin = abs(low) * 0.1 or 1.0
    return low - margin, high + margin


def _drawn(frame: _Frame, width: int, height: int, glyphs: Glyphs) -> str:
    import plotext

    with _FIGURE_LOCK:
        plotext.terminal.limit(False, False)  # the size is the widget's, not the terminal's
        figure = plotext.figure
        figure.clear()
        figure.canvas("default")
        figure.plot_size(width, height)
        figure.ruler("x", "lower").lim(*frame.x).ticks(*_ticks(frame.x, width // _CELLS_PER_X_TICK, False))
        figure.ruler("y", "left").lim(*frame.y).ticks(
            *_ticks(frame.y, height // _ROWS_PER_Y_TICK, frame.log_y)
        )
        for at, stretches in enumerate(frame.runs):
            marker = plotext.marker(_MARKERS[glyphs], SERIES[at % len(SERIES)])
            for stretch in stretches:
                xs, ys = [x for x, _ in stretch], [y for _, y in stretch]
                figure.draw(figure.signal(xs, ys, marker=marker).lines())
        for at, stretches in enumerate(frame.runs):
            if stretches:
                letter = plotext.colorize(_letter(at), SERIES[at % len(SERIES)])
                figure.draw(figure.text(*stretches[-1][-1], letter, alignment="right"))
        return str(figure.build().string()).rstrip("\n")


def _ticks(limits: tuple[float, float], n_ticks: int, is_log: bool) -> tuple[list[float], list[str]]:
    low, high = limits
    if is_log:
        low, high = max(low, -_LARGEST_EXPONENT), min(high, _LARGEST_EXPONENT)
    n_ticks = max(2, n_ticks)
    if not is_log:
        values = [value for value in nice_ticks(low, high, n_ticks) if low <= value <= high]
        return values, [number(value, _TICK_CELLS) for value in values]
    values = [v for v in nice_ticks(10**low, 10**high, n_ticks, log=True) if low <= math.log10(v) <= high]
    return [math.log10(value) for value in values], [number(value, _TICK_CELLS) for value in values]


def _letter(at: int) -> str:
    return _LETTERS[at % len(_LETTERS)]


def _coloured(line: str, glyphs: Glyphs, colours: bool) -> Text:
    """Read plotext's own colour codes; keep those of curves, leave frame and ticks in the default look."""
    parsed = sanitise_log(line)
    text = Text(ascii_only(parsed.plain) if glyphs.is_ascii else parsed.plain, no_wrap=True)
    wanted = {f"color({colour})" for colour in SERIES}
    for span in parsed.spans if colours else ():
        colour = next((word for word in str(span.style).split() if word in wanted), "")
        if colour:
            text.stylize(colour, span.start, span.end)
    return text


def _legend(names: Sequence[str], width: int, glyphs: Glyphs, colours: bool) -> Text:
    legend = Text(no_wrap=True)
    for at, name in enumerate(names):
        room = width - legend.cell_len - 4
        if room < 4:
            break
        shown = sanitise(name, width=min(room, max(8, width // len(names) - 5)))
        shown = ascii_only(shown) if glyphs.is_ascii else shown
        style = f"color({SERIES[at % len(SERIES)]})" if colours else ""
        legend.append(f"{_letter(at)} ", style)
        legend.append(f"{shown}  ")
    return legend
