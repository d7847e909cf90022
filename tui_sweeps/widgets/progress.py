"""Progress and sparklines as short texts: numbers and a width in, text out.

Every bar tells its parts by different characters as well as by colour, so that it reads the same without any.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.text import Text

from tui_sweeps.charts.glyphs import Glyphs
from tui_sweeps.format import ascii_only, count, fit, percent

__all__ = ["progress", "sparkline"]

_BLOCKS = "▁▂▃▄▅▆▇█"
_ASCII_LEVELS = "_.-=+*%#"
_BRAILLE_LEFT = (0x40, 0x44, 0x46, 0x47)
_BRAILLE_RIGHT = (0x80, 0xA0, 0xB0, 0xB8)

_PARTS = (("█", "green"), ("▓", "blue"), ("▚", "red"))
"""Finished, running, failed."""
_REST = ("░", "dim")
_ASCII_PARTS, _ASCII_REST = ("#", ">", "x"), "."


def progress(
    done: int,
    expected: int | None,
    width: int,
    *,
    running: int = 0,
    failed: int = 0,
    glyphs: Glyphs = Glyphs.BRAILLE,
    colours: bool = True,
) -> Text:
    """Return a bar and "done/expected", `width` cells in all; counts alone when there is no room or no end.

    `done` counts what has ended, `failed` is part of it, `running` is not. `expected` is None for a sweep
    without an end.
    """
    if expected is None:
        words = f"{count(done)} done" + (f" · {count(running)} running" if running else "") + " · unbounded"
        return Text(_said(words, width, glyphs), no_wrap=True, end="")
    figures = f" {count(done)}/{count(expected)}"
    share = f" {percent(min(1.0, done / expected) if expected > 0 else 1.0)}"
    if width - len(figures) - len(share) >= 10:
        figures = figures + share.rjust(5)
    n_cells = width - len(figures)
    if n_cells < 3:
        words = (
            figures.strip() if len(figures) <= width + 1 else share.strip()
        )  # a cut count would be another
        return Text(_said(words, width, glyphs), no_wrap=True, end="")
    failed = min(failed, done)
    parts = _cells((done - failed, running, failed), max(expected, done + running), n_cells)
    line = Text(no_wrap=True, end="")
    for at, n_part_cells in enumerate(parts):
        symbol, style = _PARTS[at]
        line.append(
            (_ASCII_PARTS[at] if glyphs.is_ascii else symbol) * n_part_cells, style if colours else ""
        )
    rest = _ASCII_REST if glyphs.is_ascii else _REST[0]
    line.append(rest * (n_cells - sum(parts)), _REST[1])
    line.append(figures)
    return line


def _said(words: str, width: int, glyphs: Glyphs) -> str:
    return fit(ascii_only(words) if glyphs.is_ascii else words, width)


def _cells(parts: Sequence[int], whole: int, n_cells: int) -> list[int]:
    """Share out cells by cumulative rounding: whole in the end only when all is there, and nothing over."""
    out, before, so_far = [], 0, 0
    for part in parts:
        so_far += part
        end = math.floor(n_cells * so_far / whole) if whole > 0 else n_cells
        if part and end == before and end < n_cells and so_far < whole:
            end += 1  # what is there is seen
        out.append(max(0, end - before))
        before = max(before, end)
    return out


def sparkline(values: Sequence[float | None], width: int, *, glyphs: Glyphs = Glyphs.BRAILLE) -> str:
    """Return the course of `values` in at most `width` cells; a gap is a space, a constant stays low.

    Of more values than there is room for, the mean of each stretch is drawn.
    """
    across = 2 if glyphs is Glyphs.BRAILLE else 1
    points = _binned(values, width * across)
    found = [value for value in points if value is not None]
    if not found or width <= 0:
        return ""
    low, high = min(found), max(found)
    n_levels = 4 if glyphs is Glyphs.BRAILLE else 8

    def level(value: float | None) -> int | None:
        if value is None:
            return None
        share = value / high - low / high if high > 1e300 else (value - low) / (high - low or 1.0)
        return min(n_levels - 1, max(0, int(share * n_levels)))

    levels = [level(value) for value in points]
    if glyphs is not Glyphs.BRAILLE:
        ramp = _ASCII_LEVELS if glyphs.is_ascii else _BLOCKS
        return "".join(" " if at is None else ramp[at] for at in levels)
    levels += [None] * (len(levels) % 2)
    out = []
    for left, right in zip(levels[::2], levels[1::2], strict=True):
        dots = (0 if left is None else _BRAILLE_LEFT[left]) | (0 if right is None else _BRAILLE_RIGHT[right])
        out.append(chr(0x2800 + dots) if dots else " ")
    return "".join(out)


def _binned(values: Sequence[float | None], n_bins: int) -> list[float | None]:
    clean = [value if value is not None and math.isfinite(value) else None for value in values]
    if len(clean) <= n_bins or n_bins <= 0:
        return clean
    out: list[float | None] = []
    for at in range(n_bins):
        part = clean[at * len(clean) // n_bins : (at + 1) * len(clean) // n_bins]
        seen = [value for value in part if value is not None]
        out.append(math.fsum(value / len(seen) for value in seen) if seen else None)
    return out
