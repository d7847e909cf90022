"""The pictures of the dashboard: which keys lead from one to the next, over which scene.

Golden pictures (`tests/dashboard/test_pictures.py`) and the files of `screenshots/` come from this one table.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace
from textual.pilot import Pilot

from controller.domain.sweeps import SweepConfig
from controller.domain.world import Snapshot
from controller.runtime.preview import Preview, preview
from tests import plot_scenes, scenes, slurm_scene
from tests.fake_client import FakeClient
from tui_sweeps.app import ExitReason, SweepsApp
from tui_sweeps.views.drafts import Foresight
from tui_sweeps.views.launching import Place

ROOT = Path(__file__).parent.parent
"""The paths in pictures are relative to it: whoever takes them stands here."""


async def open_shot(pilot: Pilot[ExitReason], shot: Shot) -> None:
    """Go on from the picture before."""
    if shot.draft:
        pilot.app.open_draft(shot.draft)  # type: ignore[attr-defined]
        await pilot.pause()
    for key in shot.keys:
        await pilot.press(key)


@dataclass(frozen=True)
class Shot:
    """One picture."""

    name: str
    after: str
    """The picture from which its keys lead here; escape leads back. Empty: the scene's first."""
    keys: tuple[str, ...]
    size: tuple[int, int] = (120, 34)
    """In `screenshots/`; golden pictures have three sizes."""
    draft: str = ""
    """The sweep file that the form for new sweeps is opened with, instead of keys."""
    is_golden: bool = True
    """False: a countdown runs in it, or it leaves marks behind."""
    is_shown: bool = True
    """Has a file in `screenshots/`."""


@dataclass(frozen=True)
class Scene:
    """A World, how the dashboard was left, and the pictures of it."""

    snapshot: Callable[[], Snapshot]
    shots: tuple[Shot, ...]
    sweep: str = ""
    """The sweep that is open at the start; empty: none."""
    view: str = "runs"
    filter: str = ""
    cursor: str = ""

    def app(self) -> SweepsApp:
        """Return the dashboard over this scene, as somebody left it, with a clock that stands still."""
        foresight = Foresight(preview=_preview, directory=lambda config, file, here: here)
        app = SweepsApp(FakeClient(self.snapshot()), clock=lambda: scenes.NOW, foresight=foresight)
        app.has_sbatch = lambda: True
        app.place = Place(("/opt/sweeps/bin/tui-sweeps",), "/home/ada/.tui-sweeps")
        desk = app.setting.desk
        desk.hinted = True
        if self.sweep:
            desk.screen, desk.sweep = "sweep", self.sweep
            place = desk.of(self.sweep)
            place.view, place.filter, place.cursor = self.view, self.filter, self.cursor
        return app

    def way(self, name: str) -> tuple[Shot, ...]:
        """Return the pictures that lead from the start to this one, itself last."""
        shot = next(one for one in self.shots if one.name == name)
        return (*self.way(shot.after), shot) if shot.after else (shot,)


SCENES = (
    Scene(
        scenes.digits,
        (
            Shot("sweeps", "", (), (120, 30)),
            Shot("cancel", "sweeps", ("X",), (80, 24)),
            Shot("palette", "sweeps", ("ctrl+p",), (80, 24)),
            Shot("new", "sweeps", (), (100, 30), draft="examples/digits/sweep_config.yaml"),
            Shot("sweep", "sweeps", ("enter",)),
            Shot("columns", "sweep", ("C",), (100, 30)),
            Shot("command", "sweep", ("colon",), (100, 24)),
            Shot("help", "sweep", ("question_mark",), (80, 40)),
            Shot("importance", "sweep", ("3",), (100, 20)),
            Shot("agents", "sweep", ("6",), (100, 20)),
            Shot("events", "sweep", ("7",), (100, 20)),
            Shot("run", "sweep", ("enter",)),
            Shot("curves", "sweep", ("space", "space", "enter", "o"), is_golden=False),
            Shot("undo", "sweeps", ("X", "y"), (80, 24), is_golden=False),
        ),
    ),
    Scene(
        plot_scenes.tuned,
        (
            Shot("tuned", "", (), is_shown=False),
            Shot("parallel", "tuned", ("2",), (120, 36)),
            Shot("slices", "tuned", ("4",), (120, 36)),
            Shot("history", "tuned", ("5",), (120, 30)),
        ),
        sweep=plot_scenes.SWEEP,
        cursor="t0000184",
    ),
    Scene(
        slurm_scene.slurm,
        (
            Shot("arrays", "", (), (140, 20)),
            Shot("launch", "arrays", ("a", "up", "space", "tab"), (120, 24)),
        ),
        sweep="d1g1ts00",
        view="agents",
    ),
    Scene(
        plot_scenes.tuned,
        (Shot("brush", "", (), (120, 36)),),
        sweep=plot_scenes.SWEEP,
        view="parallel",
        filter="lr>=0.000158 lr<=0.0631 optimizer=sgd|lion best<=0.284",
        cursor="t0000184",
    ),
)


def _preview(config: SweepConfig) -> Preview:
    """Look ahead for real, but call the interpreter by a name that is the same on every machine."""
    found = preview(config)
    renamed = (tuple("python3" if word == sys.executable else word for word in argv) for argv in found.argv)
    return replace(found, argv=tuple(renamed))


def shots() -> Iterator[tuple[Scene, Shot]]:
    """Yield every picture with its scene."""
    for scene in SCENES:
        for shot in scene.shots:
            yield scene, shot
