"""The screen as text that reads well in a diff: the characters, then what is not in the default look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.color import ColorType
from rich.segment import Segment
from rich.style import Style
from textual.app import App

PLAIN = "."
"""The look of ordinary text, which needs no name of its own."""

ROLES = ("panel", "primary", "error", "warning", "accent", "background")
"""Colours of the theme that are called by their names: a theme may be tuned without another picture."""

ANSI = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


def picture_of(app: App[object], *, looks: bool = True) -> str:
    """Return the screen on top; with `looks` also the style of every line that has some."""
    width, height = app.size
    strips = [list(strip) for strip in app.screen._compositor.render_strips()][:height]
    lines = ["".join(one.text for one in strip)[:width].rstrip() for strip in strips]
    if looks:
        lines += ["", *_looks(strips, _names(app))]
    return "\n".join(lines) + "\n"


def _names(app: App[object]) -> dict[str, str]:
    """Return what colours are called: by the theme, and by the terminal's palette."""
    palette = app.ansi_theme.ansi_colors
    names = {palette[at].hex: name for at, name in enumerate(ANSI)}
    names |= {app.theme_variables[role].lower(): role for role in ROLES}
    return names | {app.theme_variables["foreground"].lower(): "", app.theme_variables["surface"].lower(): ""}


def _looks(strips: Sequence[Sequence[Segment]], names: dict[str, str]) -> Iterable[str]:
    """Yield `12-14  3 bold, 4 dim` for lines 12 to 14 where these have the same looks."""
    described = [_line_looks(strip, names) for strip in strips]
    at = 0
    for text, same in groupby(described):
        n_lines = len(list(same))
        if text:
            yield f"{at}{f'-{at + n_lines - 1}' if n_lines > 1 else ''}: {text}"
        at += n_lines


def _line_looks(strip: Sequence[Segment], names: dict[str, str]) -> str:
    parts = []
    seen = [one for one in strip if one.cell_length]
    for look, same in groupby(seen, key=lambda one: _look(one.style, names)):
        parts.append((sum(one.cell_length for one in same), look))
    if parts and parts[-1][1] == PLAIN:
        parts.pop()
    return " ".join(f"{n}{look}" for n, look in parts)


def _look(style: Style | None, names: dict[str, str]) -> str:
    if style is None:
        return PLAIN
    flags = (
        (style.bold, "b"),
        (style.dim, "d"),
        (style.reverse, "r"),
        (style.underline, "u"),
        (style.italic, "i"),
    )
    words = ["".join(letter for is_set, letter in flags if is_set)]
    for sign, colour in ("", style.color), ("/", style.bgcolor):
        if colour is None or colour.type is ColorType.DEFAULT:
            continue
        triplet = colour.get_truecolor()
        if name := names.get(triplet.hex, triplet.hex):
            words.append(sign + name)
    return ",".join(word for word in words if word) or PLAIN
