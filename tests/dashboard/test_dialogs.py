from __future__ import annotations

import pytest

from tests import scenes
from tests.dashboard.screen import make_app, settled, until
from tests.fake_client import FakeClient
from tui_sweeps.screens.dialog import Dialog


@pytest.mark.parametrize("opens", ["question_mark", "ctrl+p", "colon", "C", "p", "a", "n"])
async def test_dialog_closes_only_itself_when_it_is_closed_again_and_again(opens: str) -> None:
    app = make_app(FakeClient(scenes.digits()))
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        await until(pilot, "RUN  ")
        board = app.screen
        await pilot.press(opens)
        dialog = app.screen
        assert isinstance(dialog, Dialog)
        for _ in range(4):
            dialog.dismiss(None)
        await pilot.pause()
        assert app.screen is board
