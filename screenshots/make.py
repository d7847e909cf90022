"""Writes the dashboard's screens as SVG files, from the scenes of the tests and the real application."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from tests import plot_scenes, scenes  # noqa: E402
from tests.fake_client import FakeClient  # noqa: E402
from tui_sweeps.app import ExitReason, SweepsApp  # noqa: E402

BRUSH = (
    *("left_square_bracket",) * 6,
    *("right_square_bracket",) * 9,
    *("right", "left_square_bracket", "b", "b"),
)
"""Limits on the first axis, categories on the second, the best quarter."""

SHOTS: tuple[tuple[str, tuple[int, int], tuple[str, ...], Callable[[], scenes.Snapshot]], ...] = (
    ("sweeps", (120, 30), (), scenes.digits),
    ("sweep", (120, 34), ("enter",), scenes.digits),
    ("run", (120, 34), ("enter", "enter"), scenes.digits),
    ("cancel", (80, 24), ("X",), scenes.digits),
    ("parallel", (120, 36), ("enter", "2", "home"), plot_scenes.tuned),
    ("brush", (120, 36), ("enter", "2", "home", *BRUSH), plot_scenes.tuned),
    ("importance", (100, 20), ("enter", "3"), scenes.digits),
    ("slices", (120, 36), ("enter", "4", "home"), plot_scenes.tuned),
    ("history", (120, 30), ("enter", "5", "home"), plot_scenes.tuned),
    ("agents", (100, 20), ("enter", "6"), scenes.digits),
    ("columns", (100, 30), ("enter", "C"), scenes.digits),
    ("undo", (80, 24), ("X", "y"), scenes.digits),
    ("palette", (80, 24), ("ctrl+p",), scenes.digits),
    ("command", (100, 24), ("enter", "colon", "s"), scenes.digits),
    ("help", (80, 40), ("enter", "question_mark"), scenes.digits),
)
"""Name, size in cells, keys pressed, scene."""


async def quiet(pilot: Pilot[ExitReason]) -> None:
    """Wait until the screen has settled."""
    for _ in range(8):
        await pilot.pause(0.1)


def without_fonts(svg: str) -> str:
    """Return the picture without the web fonts it would fetch; the viewer's own monospace font serves."""
    return re.sub(r"@font-face\s*\{[^}]*\}", "", svg)


async def shoot(
    name: str, size: tuple[int, int], keys: tuple[str, ...], scene: Callable[[], scenes.Snapshot]
) -> None:
    """Write one picture."""
    app = SweepsApp(FakeClient(scene()), clock=lambda: scenes.NOW)
    async with app.run_test(size=size) as pilot:
        await quiet(pilot)
        for key in keys:
            await pilot.press(key)
            await quiet(pilot)
        path = HERE / f"{name}.svg"
        path.write_text(without_fonts(app.export_screenshot(title="tui-sweeps")), "utf-8")
        print(path.name)


def main() -> None:
    """Write all pictures."""
    for shot in SHOTS:
        asyncio.run(shoot(*shot))


if __name__ == "__main__":
    main()
