"""Golden pictures: every view in three sizes, in colour, without colour, in ASCII, on a console's blocks.

`python -m tests.dashboard.golden --write` takes them all again; look at the diff before you commit it.
"""

from __future__ import annotations

import asyncio
import difflib
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from textual.pilot import Pilot
from textual.screen import ModalScreen

from tests.dashboard.pictures import picture_of
from tests.plot_scenes import tuned
from tests.shots import ROOT, SCENES, Scene, Shot, open_shot
from tui_sweeps.app import ExitReason

FOLDER = Path(__file__).parent / "pictures"

SIZES = ((80, 24), (120, 40), (200, 60))

WAIT_S = 20.0
"""A picture that has not come until then is another one; on an idle machine it takes some milliseconds."""

FOREVER = ("link", "storage")
"""Groups of workers that go on as long as the dashboard does."""

REST_S = 0.3
"""Before a picture is taken nothing has changed for so long."""


@dataclass(frozen=True)
class Mode:
    """What the terminal can show."""

    name: str
    environ: Mapping[str, str] = field(default_factory=dict)
    looks: bool = True
    """Styles belong to the picture; in ASCII they are those of `colour`."""
    sizes: tuple[tuple[int, int], ...] = SIZES
    only_plots: bool = False

    def scenes(self) -> Iterator[tuple[int, Scene]]:
        """Yield the scenes that are looked at in this mode, with their numbers."""
        for number, scene in enumerate(SCENES):
            if not self.only_plots or scene.snapshot is tuned:
                yield number, scene


MODES = (
    Mode("colour"),
    Mode("no-color", {"NO_COLOR": "1"}),
    Mode("ascii", {"LANG": "C", "LC_ALL": "C"}, looks=False),
    Mode("blocks", {"TERM": "linux"}, looks=False, sizes=SIZES[:1], only_plots=True),
)

CASES = [(mode, size, number) for mode in MODES for size in mode.sizes for number, _ in mode.scenes()]
"""Mode, size, number of the scene."""

PLAIN = {
    "TERM": "xterm-256color",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "COLORTERM": "truecolor",
    "TZ": "UTC",
}


@contextmanager
def terminal(mode: Mode) -> Iterator[None]:
    """Make the environment that of such a terminal."""
    before, here = dict(os.environ), Path.cwd()
    os.chdir(ROOT)
    os.environ.pop("NO_COLOR", None)
    os.environ.update(PLAIN, **mode.environ)
    time.tzset()
    try:
        yield
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)
        time.tzset()


def path_of(mode: Mode, size: tuple[int, int], shot: Shot) -> Path:
    """Return the file of a picture."""
    return FOLDER / mode.name / f"{shot.name}-{size[0]}x{size[1]}.txt"


class Walk:
    """Goes from picture to picture of one scene, comparing them with the files, or writing these."""

    def __init__(self, mode: Mode, size: tuple[int, int], scene: Scene, *, write: bool = False) -> None:
        self.mode, self.size, self.scene, self.write = mode, size, scene, write
        self.differences: list[str] = []

    async def go(self) -> list[str]:
        """Return what is different, one text per picture."""
        app = self.scene.app()
        shots = {shot.name: shot for shot in self.scene.shots if shot.is_golden}
        async with app.run_test(size=self.size) as pilot:
            here: Shot | None = None
            for shot in shots.values():
                while here is not None and here.name != shot.after:
                    await pilot.press("escape")
                    here = shots[here.after]
                    await self._meet(pilot, here, again=True)
                await open_shot(pilot, shot)
                here = shot
                await self._meet(pilot, shot)
                if self.differences and not self.write:
                    break
        return self.differences

    async def _meet(self, pilot: Pilot[ExitReason], shot: Shot, *, again: bool = False) -> None:
        path = path_of(self.mode, self.size, shot)
        if self.write and not again:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(await self._at_rest(pilot), "utf-8")
            return
        wanted = path.read_text("utf-8") if path.exists() else ""
        loop = asyncio.get_running_loop()
        until = loop.time() + WAIT_S
        while (seen := self._look(pilot)) != wanted:
            if loop.time() > until or (not wanted and loop.time() > until - WAIT_S + REST_S):
                self.differences.append(_difference(wanted, seen, str(path.relative_to(FOLDER))))
                return
            _paint_behind(pilot)
            await asyncio.sleep(0.02)

    async def _at_rest(self, pilot: Pilot[ExitReason]) -> str:
        seen, busy = "", True
        while seen != (now := self._look(pilot)) or busy:
            seen = now
            _paint_behind(pilot)
            await asyncio.sleep(REST_S)
            busy = any(one.group not in FOREVER and not one.is_finished for one in pilot.app.workers)
        return seen

    def _look(self, pilot: Pilot[ExitReason]) -> str:
        return picture_of(pilot.app, looks=self.mode.looks)


def _paint_behind(pilot: Pilot[ExitReason]) -> None:
    """Paint what stands behind a dialog again.

    Textual keeps what was there when the dialog was first painted: nothing, perhaps, where keys come faster
    than pictures.
    """
    if isinstance(pilot.app.screen, ModalScreen):
        pilot.app.screen.refresh()


def _difference(wanted: str, seen: str, name: str) -> str:
    lines = difflib.unified_diff(
        wanted.splitlines(), seen.splitlines(), f"{name} as it was", "as it is now", lineterm="", n=1
    )
    return "\n".join(lines)


def _take(mode: Mode, size: tuple[int, int], number: int) -> None:
    with terminal(mode):
        asyncio.run(Walk(mode, size, SCENES[number], write=True).go())


def main() -> None:
    """Write all pictures."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    with ProcessPoolExecutor(2) as pool:
        for taken in [pool.submit(_take, *case) for case in CASES]:
            taken.result()


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("python -m tests.dashboard.golden --write takes all pictures again")
    main()
