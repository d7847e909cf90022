"""Which columns of a table are shown, sorted by and out of sight."""

from __future__ import annotations

from pathlib import Path

from controller.settings import Home
from tests import scenes
from tests.dashboard.screen import make_app, text_of, until
from tests.fake_client import FakeClient


async def test_columns_are_chosen_and_kept_for_the_project(tmp_path: Path) -> None:
    home = Home(tmp_path)
    first = make_app(FakeClient(scenes.digits()), home=home)
    async with first.run_test(size=(230, 40)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("enter")
        await until(pilot, "36 hazy-wren-36")
        assert "VAL_LOSS" not in text_of(first).upper().split("HAZY")[0]
        await pilot.press("C")
        await until(pilot, "on/off")
        await pilot.press("slash", *"val_loss", "enter", "space", "s", "C")
        text = await until(pilot, "val_loss▲")
        assert "DURATION" not in text
        await pilot.press("d")
    second = make_app(FakeClient(scenes.digits()), home=home)
    async with second.run_test(size=(230, 40)) as pilot:
        await until(pilot, "val_loss▲")


async def test_runs_are_sorted_by_several_columns() -> None:
    async with make_app(FakeClient(scenes.digits())).run_test(size=(230, 40)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("enter")
        await until(pilot, "36 hazy-wren-36")
        await pilot.press("S", "down", "space", "down", "space", "space", "enter")
        text = await until(pilot, "BEST▼2")
        assert "STATE▲1" in text


async def test_header_tells_of_columns_out_of_sight() -> None:
    async with make_app(FakeClient(scenes.digits())).run_test(size=(80, 24)) as pilot:
        await until(pilot, "→")
        await pilot.press("right", "right")
        await until(pilot, "←2")
