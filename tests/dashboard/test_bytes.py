"""What a key costs the line to the terminal, counted without one: the difference between two pictures."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console
from textual.app import App

from tests import extreme_scenes
from tests.dashboard.screen import make_app, settled, until
from tests.fake_client import FakeClient
from tui_sweeps.driver.delta import Shown
from tui_sweeps.driver.stream import Stream
from tui_sweeps.driver.styles import StyleTable
from tui_sweeps.format import ColourDepth

WIDTH, HEIGHT = 120, 40


class Line:
    """A terminal of 256 colours at the end of a line that is counted."""

    def __init__(self) -> None:
        self._console = Console(color_system="256", force_terminal=True, file=StringIO(), width=WIDTH)
        self._stream = Stream(StyleTable(ColourDepth.EIGHT_BIT))
        self._shown = Shown(self._stream.styles, WIDTH, HEIGHT)

    def cost(self, app: App[object]) -> int:
        """Bring the terminal up to date; return how many bytes that takes."""
        for y, strip in enumerate(app.screen._compositor.render_strips()):
            self._stream.feed(f"\x1b[{y + 1};1H{strip.render(self._console)}")
        rows = dict(enumerate(self._stream.grid.rows))
        return len(self._shown.update(rows, (0, 0)).encode())


@pytest.mark.parametrize(("keys", "most"), [(("j", "k"), 400), (("pagedown", "pageup"), 6500)])
async def test_key_in_the_table_costs_few_bytes(keys: tuple[str, str], most: int) -> None:
    app = make_app(FakeClient(extreme_scenes.big(300)))
    line = Line()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        await until(pilot, "300 runs")
        await pilot.press(*["j"] * 5)
        await pilot.pause()
        line.cost(app)
        costs = []
        for key in keys * 4:
            await pilot.press(key)
            await pilot.pause()
            costs.append(line.cost(app))
    assert 0 < max(costs) <= most


async def test_nothing_is_sent_while_nothing_changes() -> None:
    app = make_app(FakeClient(extreme_scenes.big(50)))
    line = Line()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        await until(pilot, "50 runs")
        line.cost(app)
        await pilot.pause(0.3)
        assert line.cost(app) == 0
