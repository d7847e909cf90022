"""Every view looks as its golden picture does, in every size and on every kind of terminal."""

from __future__ import annotations

import pytest

from tests.dashboard.golden import CASES, FOLDER, MODES, Mode, Walk, path_of, terminal
from tests.shots import SCENES
from tui_sweeps.keys import ALL


@pytest.mark.parametrize(
    ("mode", "size", "number"),
    CASES,
    ids=[f"{mode.name}-{width}x{height}-{number}" for mode, (width, height), number in CASES],
)
async def test_views_look_as_their_golden_pictures(mode: Mode, size: tuple[int, int], number: int) -> None:
    with terminal(mode):
        different = await Walk(mode, size, SCENES[number]).go()
    assert not different, "\n\n".join(
        [*different, "right as it is now? python -m tests.dashboard.golden --write"]
    )


def test_golden_pictures_are_of_every_view() -> None:
    names = {shot.name for scene in SCENES for shot in scene.shots if shot.is_golden}
    assert {"sweep" if view == "runs" else view for view in ALL} <= names


def test_golden_pictures_are_those_of_the_table() -> None:
    wanted = {
        path_of(mode, size, shot)
        for mode, size, number in CASES
        for shot in SCENES[number].shots
        if shot.is_golden
    }
    assert set(FOLDER.rglob("*.txt")) == wanted


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_golden_pictures_hold_what_their_terminal_can_show(mode: Mode) -> None:
    texts = [path.read_text("utf-8") for path in (FOLDER / mode.name).glob("*.txt")]
    braille = any("\u2800" < letter <= "\u28ff" for text in texts for letter in text)
    assert braille == (mode.name in ("colour", "no-color"))
    if mode.name == "ascii":
        assert all(text.isascii() for text in texts)
    if mode.name == "no-color":
        assert not any("#" in line.split(":", 1)[-1] for text in texts for line in text.split("\n\n")[-1:])
