"""The keys that somebody chose in a file of their own."""

from __future__ import annotations

from pathlib import Path

from controller.settings import Home
from tests import scenes
from tests.dashboard.screen import make_app, text_of, until
from tests.fake_client import FakeClient


async def test_wrong_keymap_is_told_with_its_line(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.keymap.write_text('[keys]\npause = "P"\nresume = "P"\n', "utf-8")
    async with make_app(FakeClient(scenes.digits()), home=home).run_test(
        size=(110, 30), notifications=True
    ) as pilot:
        await until(pilot, "keys.toml:2")


async def test_own_key_works_and_shows_in_the_footer(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.keymap.write_text('[keys]\npause = "P"\n', "utf-8")
    async with make_app(FakeClient(scenes.digits()), home=home).run_test(size=(110, 30)) as pilot:
        await until(pilot, "P pause")
        await pilot.press("P")
        await until(pilot, "Pause digits-grid?")


async def test_keys_follow_their_file_while_the_dashboard_runs(tmp_path: Path) -> None:
    home = Home(tmp_path)
    app = make_app(FakeClient(scenes.digits()), home=home)
    async with app.run_test(size=(110, 24), notifications=True) as pilot:
        await until(pilot, "p pause")
        home.keymap.write_text('[keys]\npause = "P"\nopen = "O"\n', "utf-8")
        app.look_at_keymap()
        await until(pilot, "P pause")
        await pilot.press("O")
        await until(pilot, "36 hazy-wren-36")
        await pilot.press("P")
        await until(pilot, "Pause digits-grid?")
        await pilot.press("escape")
        home.keymap.write_text('[keys]\npause = "P"\n\nopem = "O"\n', "utf-8")
        await pilot.press("K")
        await until(pilot, "keys.toml:4: there is no action 'opem'")
        assert "P pause" in text_of(app)
        home.keymap.unlink()
        app.look_at_keymap()
        await until(pilot, "p pause")
