"""The screen as a test reads it: its text and its colours, out of the picture that Textual exports."""

from __future__ import annotations

import html
import re
import time

from rich.cells import cell_len
from textual.app import App
from textual.pilot import Pilot

from tests.fake_client import FakeClient
from tests.scenes import NOW
from tui_sweeps.app import ExitReason, SweepsApp

PATIENCE_S = 30.0
"""On a machine with much else to do; what works needs a fraction of it."""

_TEXT = re.compile(
    r'<text class="[^"]*" x="([\d.]+)" [^>]*clip-path="url\(#[^)]*-line-(\d+)\)">([^<]*)</text>'
)
_CELL = 12.2
"""Width of a cell in Rich's pictures."""
_FILL = re.compile(r"fill: #([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})")


def lines_of(app: App[object]) -> list[str]:
    """Return the lines of the screen on top."""
    width, height = app.size
    rows: list[list[str]] = [[" "] * width for _ in range(height)]
    for x, y, text in _TEXT.findall(app.export_screenshot(simplify=True)):
        row, at = rows[int(y)], round(float(x) / _CELL)
        for char in html.unescape(text).rstrip("\n").replace("\xa0", " "):
            n_cells = cell_len(char)
            if not n_cells and at:
                row[at - 1] += char
            elif at < width:
                row[at : at + n_cells] = [char] + [""] * (n_cells - 1)
                at += n_cells
    return ["".join(row) for row in rows]


def text_of(app: App[object]) -> str:
    """Return the screen on top as one text."""
    return "\n".join(lines_of(app))


def plot_text_of(app: App[ExitReason]) -> str:
    """Return the plot alone."""
    from tui_sweeps.widgets.picture import Picture

    return "\n".join(line.plain for line in app.screen.query_one(Picture)._lines)


def is_coloured(app: App[object]) -> bool:
    """Say whether anything on the screen is neither black, white nor grey."""
    fills = [[int(part, 16) for part in found] for found in _FILL.findall(app.export_screenshot())]
    assert fills
    return any(max(fill) - min(fill) > 16 for fill in fills)


def make_app(client: FakeClient, **arguments: object) -> SweepsApp:
    return SweepsApp(client, clock=lambda: NOW, **arguments)  # type: ignore[arg-type]


async def until(pilot: Pilot[object], wanted: str, *, gone: bool = False) -> str:
    """Return the screen once it shows `wanted`, or shows it no more."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        text = text_of(pilot.app)
        if (wanted in text) is not gone:
            return text
        assert time.monotonic() < deadline, f"{wanted!r} {'stays' if gone else 'never came'}:\n{text}"
        await pilot.pause(0.02)


async def settled(pilot: Pilot[object]) -> None:
    """Wait until the first snapshot is on the screen."""
    deadline = time.monotonic() + PATIENCE_S
    while not pilot.app.model.ready:  # type: ignore[attr-defined]
        assert time.monotonic() < deadline, "no snapshot came"
        await pilot.pause()
    await pilot.pause(0.12)
