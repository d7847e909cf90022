"""Small multiples: the metric against each parameter, one little plot each, all on the metric's scale.

Positions and a size in, text lines out. Points are drawn from the worst step to the best. Runs without a
value stand in a column of their own at the left edge of their plot.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich.text import Text

from tui_sweeps.charts.axes import Axis
from tui_sweeps.charts.glyphs import Glyphs
from tui_sweeps.charts.palette import step_style
from tui_sweeps.charts.raster import Raster
from tui_sweeps.format import ascii_only, cell_width, sanitise

__all__ = ["Dot", "Kept", "Panel", "n_panel_columns", "n_panels", "scatter"]

PANEL_WIDTH, PANEL_HEIGHT = 26, 9
"""The least a panel needs, frame and captions included, in cells."""
BEST_SHAPE = 2.6
"""Cells across for each line down: a little wider than high to the eye."""
_AXIS_CELLS = (5, 10)
"""Left of each panel, for the metric's ticks and the line that they stand at: the least and the most."""
N_FAT = 1000
"""Up to so many runs are drawn as squares of four dots: a single one is hard to see."""
_MISSING_DOTS = 3
_FRAME_STYLE = "color(245)"
_LINE_STYLE = "bold"
_HIGHLIGHT_STYLE = "bold"
_MARKED_STYLE = "bold color(213)"


Kept = dict[tuple[int, int, int], tuple[Raster, tuple[int, int]]]
"""Drawn dots by number of the panel and its size, for another drawing with nothing but other highlights."""


class Dot(NamedTuple):
    """One run in one panel; positions 0-1."""

    x: float | None
    y: float
    step: int | None = None
    """Colour step from 0 (worst) up."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One parameter against the metric."""

    axis: Axis
    dots: tuple[Dot, ...]
    line: tuple[tuple[float, float], ...] = ()
    """Corners (x, y) of a line over the dots, positions 0-1, x not falling."""
    marked: tuple[Dot, ...] = ()
    """Drawn over all others."""
    highlight: Dot | None = None
    """The one that is followed from panel to panel."""


def axis_cells(metric: Axis) -> int:
    """Return how many cells left of a panel the metric's longest tick and the line take."""
    least, most = _AXIS_CELLS
    return min(most, max(least, *(cell_width(label) + 1 for _, label in metric.ticks), 0))


def n_panel_columns(width: int) -> int:
    """Return how many panels stand side by side."""
    return max(1, width // PANEL_WIDTH)


def n_panels(width: int, height: int) -> int:
    """Return how many panels fit."""
    return n_panel_columns(width) * max(1, height // PANEL_HEIGHT)


def _balanced(n_shown: int, width: int, height: int) -> int:
    """Return in how many columns so many panels come nearest to the best shape without leaving gaps."""
    n_most, n_fitting = min(n_panel_columns(width), max(1, n_shown)), max(1, height // PANEL_HEIGHT)

    def unfit(n_columns: int) -> float:
        n_rows = -(-n_shown // n_columns)
        shape = (width / n_columns) / max(1.0, height / n_rows) / BEST_SHAPE
        return abs(math.log(shape)) + 0.5 * (n_rows * n_columns - n_shown) / n_shown

    possible = [n for n in range(1, n_most + 1) if -(-n_shown // n) <= n_fitting]
    return min(possible, key=unfit) if possible else n_most


def scatter(
    panels: Sequence[Panel],
    metric: Axis,
    *,
    width: int,
    height: int,
    glyphs: Glyphs,
    colours: bool,
    kept: Kept | None = None,
) -> list[Text]:
    """Return the panels in rows from the left, as many as fit into `height` lines of `width` cells.

    `kept` is filled with what was drawn; given again, the same panels are drawn with their highlights only.
    """
    kept = {} if kept is None else kept
    if width < PANEL_WIDTH or height < PANEL_HEIGHT or not panels:
        said = "No parameter to draw." if not panels else "Too small for slices."
        return [Text(sanitise(said, width=max(0, width)), no_wrap=True, end="")]
    n_fitting = max(1, height // PANEL_HEIGHT)
    n_columns = _balanced(len(panels), width, height)
    n_rows = -(-len(panels) // n_columns)
    n_shown_rows = min(n_rows, n_fitting)
    panel_height, panel_width = height // n_shown_rows, width // n_columns
    n_left = axis_cells(metric)
    out: list[Text] = []
    for row in range(n_shown_rows):
        beside = panels[row * n_columns : (row + 1) * n_columns]
        drawn = []
        for at, panel in enumerate(beside, start=row * n_columns):
            size = (panel_width - n_left - 2, panel_height - 3)
            if (at, *size) not in kept:
                raster = _dotted(panel, metric, *size, glyphs)
                kept[at, *size] = (raster, raster.mark())
            raster, mark = kept[at, *size]
            raster.back_to(mark)
            drawn.append(_panel(panel, metric, raster, panel_width, glyphs, colours))
        for parts in zip(*drawn, strict=True):
            line = Text(no_wrap=True, end="")
            for part in parts:
                line.append_text(part)
            out.append(line)
    return out


def _dotted(panel: Panel, metric: Axis, width: int, height: int, glyphs: Glyphs) -> Raster:
    """Return a panel's dots and its line."""
    raster = Raster(width, height, glyphs)
    is_fat = glyphs is Glyphs.BRAILLE and len(panel.dots) <= N_FAT
    places = {(*_place(dot, raster, metric, panel.axis), dot.step) for dot in panel.dots}
    for x, y, step in sorted(places, key=lambda place: -1 if place[2] is None else place[2]):
        left, top = min(x, raster.n_dots_x - 1 - is_fat), min(y, raster.n_dots_y - 1 - is_fat)
        for below in range(2 if is_fat else 1):
            raster.line([(left, top + below), (left + is_fat, top + below)], step_style(step))
    if panel.line:
        corners = [_place(Dot(x, y), raster, metric, panel.axis) for x, y in panel.line]
        raster.line(corners, _LINE_STYLE)
    return raster


def _panel(
    panel: Panel, metric: Axis, raster: Raster, width: int, glyphs: Glyphs, colours: bool
) -> list[Text]:
    """Return a panel: its title, the dots beside the metric's ticks, and the parameter's ticks below."""
    plane_width, plane_height = raster.width, raster.height
    n_left = axis_cells(metric)
    across, down = glyphs.dots
    for dot in panel.marked:
        x, y = _place(dot, raster, metric, panel.axis)
        raster.label(x // across, y // down, "◆", _MARKED_STYLE)
    if panel.highlight is not None:
        x, y = _place(panel.highlight, raster, metric, panel.axis)
        raster.label(x // across, y // down, "●", _HIGHLIGHT_STYLE)
    frame = _FRAME_STYLE if colours else ""
    ticks: dict[int, str] = {}
    for position, label in metric.ticks:
        share = position if metric.flipped else 1 - position
        ticks.setdefault(round(share * (plane_height - 1)), label)
    title = panel.axis.name + (" (log)" if panel.axis.kind == "log" else "")
    lines = [_padded(" " * n_left + sanitise(title, width=plane_width), width, "bold", glyphs)]
    for at, row in enumerate(raster.rows(colours=colours)):
        if glyphs.is_ascii:
            plain = Text(ascii_only(row.plain), no_wrap=True, end="")
            plain.spans, row = row.spans, plain
        label = sanitise(ticks.get(at, ""), width=n_left - 1)
        edge = Text(" " * (n_left - 1 - cell_width(label)) + label + ("┤" if label else "│"), end="")
        line = _padded(edge.plain, n_left, frame, glyphs)
        line.append_text(row)
        line.append("  ")
        lines.append(line)
    lines.append(_padded(" " * (n_left - 1) + "└" + "─" * plane_width, width, frame, glyphs))
    lines.append(_padded(" " * n_left + _x_labels(panel.axis, plane_width), width, frame, glyphs))
    return lines


def _place(dot: Dot, raster: Raster, metric: Axis, axis: Axis) -> tuple[int, int]:
    y = dot.y if metric.flipped else 1 - dot.y
    dot_y = round(min(1.0, max(0.0, y)) * (raster.n_dots_y - 1))
    margin = _MISSING_DOTS if axis.has_missing else 0
    if dot.x is None:
        return 0, dot_y
    x = 1 - dot.x if axis.flipped else dot.x
    return margin + round(min(1.0, max(0.0, x)) * (raster.n_dots_x - 1 - margin)), dot_y


def _x_labels(axis: Axis, width: int) -> str:
    """Write as many tick labels as do not touch each other."""
    room = [" "] * width
    for position, label in sorted(axis.ticks, key=lambda tick: (tick[0] not in (0.0, 1.0), tick[0])):
        text = ascii_only(sanitise(label, width=8))
        share = 1 - position if axis.flipped else position
        start = min(max(0, round(share * (width - 1)) - len(text) // 2), width - len(text))
        around = room[max(0, start - 1) : start + len(text) + 1]
        if start >= 0 and all(char == " " for char in around):
            room[start : start + len(text)] = list(text)
    return "".join(room)


def _padded(text: str, width: int, style: str, glyphs: Glyphs) -> Text:
    text = ascii_only(text) if glyphs.is_ascii else text
    line = Text(no_wrap=True, end="")
    line.append(text + " " * (width - cell_width(text)), style or None)
    return line
