"""Parallel coordinates: one vertical axis per parameter or metric, one line per run.

Positions and a size in, text lines out. Lines are drawn from the worst step to the best, so that the best lie
on top, and the highlighted one last, its values marked on every axis. A missing value is a tick of its own
below all others. A brush is drawn on its axis as a heavy stretch between two end marks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.text import Span, Text

from tui_sweeps.charts.axes import Axis
from tui_sweeps.charts.glyphs import Glyphs
from tui_sweeps.charts.palette import N_STEPS, attributes_only, step_style
from tui_sweeps.charts.raster import Raster
from tui_sweeps.format import ascii_only, cell_width, sanitise

__all__ = ["Axis", "Line", "Picture", "parallel"]

_HIGHLIGHT_STYLE = "bold"
_MARKED_STYLE = "bold color(213)"
_CURSOR_STYLE = "bold reverse"
_AXIS_STYLE = "color(245)"
_TICK_STYLE = "color(250)"
_MISSING_LABEL = "none"
_MISSING_CELLS = 2
"""Below the axes: a gap and the row of the missing."""
_SMALLEST = (12, 6)


class Line(NamedTuple):
    """One run."""

    values: tuple[float | None, ...]
    """Positions 0-1 in the order of the axes, None where there is no value."""
    step: int | None = None
    """Colour step from 0 (worst) up, None without a metric."""


def parallel(
    axes: Sequence[Axis],
    lines: Sequence[Line],
    *,
    width: int,
    height: int,
    glyphs: Glyphs,
    colours: bool,
    highlight: int | None = None,
) -> list[Text]:
    """Return `height` lines of `width` cells; `highlight` is the index of one of `lines`.

    The first line holds the axis names, the last their scales. Too small a size or no axis gives one
    line that says so.
    """
    chosen = lines[highlight] if highlight is not None and 0 <= highlight < len(lines) else None
    picture = Picture(axes, lines, width=width, height=height, glyphs=glyphs)
    return picture.rows(chosen, colours=colours)


class Picture:
    """A picture whose lines are drawn once, however often the highlight moves."""

    def __init__(
        self,
        axes: Sequence[Axis],
        lines: Sequence[Line],
        *,
        width: int,
        height: int,
        glyphs: Glyphs,
        cursor: int | None = None,
    ) -> None:
        """Draw the lines; `cursor` is the index of the axis that keys act on."""
        self._glyphs = glyphs
        self._said = ""
        if width < _SMALLEST[0] or height < _SMALLEST[1] or not axes:
            said = "No axis to draw." if not axes else "Too small for parallel coordinates."
            self._said = sanitise(said, width=max(0, width)) or " "
            return
        self._plane = _Plane(axes, width, height, glyphs, cursor)
        self._plane.lines(lines)
        self._plane.axes()
        self._drawn = self._plane.raster.mark()

    def rows(
        self, highlight: Line | None = None, marked: Sequence[Line] = (), *, colours: bool
    ) -> list[Text]:
        """Return the picture with these lines brought out."""
        if self._said:
            return [Text(self._said, no_wrap=True, end="")]
        plane = self._plane
        plane.raster.back_to(self._drawn)
        for line in marked:
            plane.line(line, _MARKED_STYLE)
        if highlight is not None:
            plane.highlight(highlight)
        top, bottom = plane.captions()
        out = [top, *plane.raster.rows(colours=colours), bottom]
        if not colours:
            for caption in (top, bottom):
                caption.spans = [Span(s.start, s.end, attributes_only(str(s.style))) for s in caption.spans]
        return [_in_ascii(line) for line in out] if self._glyphs.is_ascii else out


def _in_ascii(line: Text) -> Text:
    plain = Text(ascii_only(line.plain), no_wrap=True, end="")
    plain.spans = list(line.spans)  # widths are kept, and so the places of the styles
    return plain


class _Plane:
    """Where everything stands: axes on cells, lines on dots."""

    def __init__(
        self, axes: Sequence[Axis], width: int, height: int, glyphs: Glyphs, cursor: int | None
    ) -> None:
        self._axes = axes
        self._cursor = cursor
        self._n_rows = height - 2
        self._has_missing = any(axis.has_missing for axis in axes)
        self._n_axis_rows = self._n_rows - (_MISSING_CELLS if self._has_missing else 0)
        self.raster = Raster(width, self._n_rows, glyphs)
        self._across, self._down = glyphs.dots
        last = max(1, len(axes) - 1)
        self._cells_x = [1 + round((width - 3) * at / last) for at in range(len(axes))]
        self._width = width

    def _dot_y(self, axis: Axis, value: float | None) -> int:
        if value is None:
            return self._n_rows * self._down - self._down // 2 - 1
        value = min(1.0, max(0.0, value))
        n_dots = self._n_axis_rows * self._down
        return round((value if axis.flipped else 1.0 - value) * (n_dots - 1))

    def _points(self, line: Line) -> list[tuple[int, int]]:
        placed = zip(self._axes, self._cells_x, line.values, strict=False)
        return [(x * self._across, self._dot_y(axis, value)) for axis, x, value in placed]

    def lines(self, lines: Sequence[Line]) -> None:
        """Draw all lines, those without a step lowest, then from the worst step to the best."""
        import numpy as np

        if not lines:
            return
        n_axes = len(self._axes)
        whole = (v if len(v := line.values) == n_axes else (*v, *[None] * n_axes)[:n_axes] for line in lines)
        values = np.array(list(whole), dtype=float)
        flipped = np.array([axis.flipped for axis in self._axes])
        shares = np.clip(np.where(flipped, values, 1.0 - values), 0.0, 1.0)
        n_dots = self._n_axis_rows * self._down
        places = np.where(np.isnan(values), self._dot_y(self._axes[0], None), shares * (n_dots - 1))
        groups = np.array([0 if line.step is None else min(line.step, N_STEPS - 1) + 1 for line in lines])
        kinds = np.unique(groups)
        styles = [step_style(None if kind == 0 else int(kind) - 1) for kind in kinds]
        self.raster.bundle(
            [x * self._across for x in self._cells_x],
            np.rint(places).astype(np.int64),
            np.searchsorted(kinds, groups),
            styles,
        )

    def line(self, line: Line, style: str) -> None:
        self.raster.line(self._points(line), style)

    def highlight(self, line: Line) -> None:
        points = self._points(line)
        self.raster.line(points, _HIGHLIGHT_STYLE, alone=True)
        for x, (_, y) in zip(self._cells_x, points, strict=False):
            self.raster.label(x, y // self._down, "●", _HIGHLIGHT_STYLE)

    def axes(self) -> None:
        for at, (axis, x) in enumerate(zip(self._axes, self._cells_x, strict=True)):
            is_chosen = at == self._cursor
            for y in range(self._n_axis_rows):
                self.raster.label(x, y, "║" if is_chosen else "│", "bold" if is_chosen else _AXIS_STYLE)
            self._ticks(at, axis, x)
            if axis.brush is not None:
                self._brush(axis, axis.brush, x, is_last=at == len(self._axes) - 1 and at > 0)

    def _brush(self, axis: Axis, brush: tuple[float, float], x: int, *, is_last: bool) -> None:
        """Draw the stretch and its ends; they stand on the side where no tick has its label."""
        ends = sorted(self._dot_y(axis, end) // self._down for end in brush)
        for y in range(ends[0], ends[1] + 1):
            self.raster.label(x, y, "┃", "bold reverse color(214)")
        beside, upper, lower = (x + 1, "┓", "┛") if is_last else (x - 1, "┏", "┗")
        self.raster.label(beside, ends[0], upper, "bold color(214)")
        self.raster.label(beside, ends[1], lower, "bold color(214)")

    def _ticks(self, at: int, axis: Axis, x: int) -> None:
        is_last = at == len(self._axes) - 1 and at > 0
        gap = self._cells_x[at] - self._cells_x[at - 1] if is_last else self._gap_after(at)
        room = max(0, min(12, gap // 2 - 1))
        taken: set[int] = set()
        shown = [(self._dot_y(axis, position) // self._down, label) for position, label in axis.ticks]
        if axis.has_missing:
            shown.append((self._n_rows - 1, _MISSING_LABEL))
        for y, label in shown:
            text = sanitise(label, width=room)
            if y in taken or not text:
                continue
            taken.add(y)
            self.raster.label(x, y, "┤" if is_last else "├", _AXIS_STYLE)
            text = text if cell_width(text) == len(text) else ascii_only(text)
            self.raster.label(x - len(text) if is_last else x + 1, y, text, _TICK_STYLE)

    def _gap_after(self, at: int) -> int:
        return (self._cells_x[at + 1] if at + 1 < len(self._cells_x) else self._width) - self._cells_x[at]

    def captions(self) -> tuple[Text, Text]:
        """Return the lines above and below: names, then scale and direction."""
        names = [
            (axis.name, _CURSOR_STYLE if at == self._cursor else "bold") for at, axis in enumerate(self._axes)
        ]
        scales = []
        for axis in self._axes:
            words = ["log"] if axis.kind == "log" else []
            words += ["flipped"] if axis.flipped else []
            scales.append((" ".join(words), ""))
        return self._caption(names), self._caption(scales)

    def _caption(self, entries: Sequence[tuple[str, str]]) -> Text:
        line = Text(no_wrap=True, end="")
        for at, (name, style) in enumerate(entries):
            is_last = at == len(entries) - 1 and at > 0
            start = self._cells_x[at] - 1
            room = (self._cells_x[at + 1] - 1 if at + 1 < len(entries) else self._width) - start - 1
            text = sanitise(name, width=max(2, room if not is_last else self._gap_after(at - 1) // 2))
            if is_last:
                start = self._width - cell_width(text)
                line.truncate(max(0, start - 1))
            line.append(" " * (start - line.cell_len))
            line.append(text, style)
        line.append(" " * (self._width - line.cell_len))
        return line
