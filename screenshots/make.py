"""Writes the dashboard's screens as SVG files, from the scenes of the tests and the real application."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

from textual.pilot import Pilot

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from tests.shots import ROOT, Scene, Shot, open_shot, shots  # noqa: E402
from tui_sweeps.app import ExitReason  # noqa: E402


async def quiet(pilot: Pilot[ExitReason]) -> None:
    """Wait until the screen has settled."""
    for _ in range(8):
        await pilot.pause(0.1)


def without_fonts(svg: str) -> str:
    """Return the picture without the web fonts it would fetch; the viewer's own monospace font serves."""
    return re.sub(r"@font-face\s*\{[^}]*\}", "", svg)


async def shoot(scene: Scene, shot: Shot) -> None:
    """Write one picture."""
    app = scene.app()
    async with app.run_test(size=shot.size) as pilot:
        await quiet(pilot)
        for step in scene.way(shot.name):
            await open_shot(pilot, step)
            await quiet(pilot)
        path = HERE / f"{shot.name}.svg"
        path.write_text(without_fonts(app.export_screenshot(title="tui-sweeps")), "utf-8")
        print(path.name)


def main() -> None:
    """Write all pictures, or those that are named."""
    wanted = sys.argv[1:]
    os.chdir(ROOT)
    for scene, shot in shots():
        if shot.is_shown and (not wanted or shot.name in wanted):
            asyncio.run(shoot(scene, shot))


if __name__ == "__main__":
    main()
