"""Plots of many runs: drawn in a thread, from columns that are read in parts."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import extreme_scenes
from tests.dashboard.screen import make_app, settled, text_of, until
from tests.fake_client import FakeClient
from tui_sweeps.model import Model, SweepDesk
from tui_sweeps.screens.drawing import N_AT_ONCE, Work
from tui_sweeps.screens.history import HistoryScreen
from tui_sweeps.screens.parallel import ParallelScreen
from tui_sweeps.screens.plots import PlotBoard
from tui_sweeps.screens.slices import SlicesScreen
from tui_sweeps.views.order import Order, SortKey
from tui_sweeps.views.parallel import Plot
from tui_sweeps.views.runs import RunRows
from tui_sweeps.views.scales import BEST, Columns

MANY = N_AT_ONCE + 100
PLOTS: dict[str, type[PlotBoard]] = {"2": ParallelScreen, "4": SlicesScreen, "5": HistoryScreen}


@pytest.mark.parametrize("key", PLOTS)
async def test_keys_are_answered_while_many_runs_are_drawn(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, begun = threading.Event(), threading.Event()
    plan = PLOTS[key].plan

    def slow(screen: PlotBoard, width: int, height: int) -> Work:
        work = plan(screen, width, height)

        def waiting() -> Callable[[], None]:
            begun.set()
            assert gate.wait(30)
            return work()

        return waiting

    monkeypatch.setattr(PLOTS[key], "plan", slow)
    app = make_app(FakeClient(extreme_scenes.big(MANY)))
    async with app.run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        await pilot.press("enter", key)
        await until(pilot, f"Drawing {MANY} runs")
        while not begun.is_set():
            await pilot.pause(0.01)
        await pilot.press("j", "question_mark")
        await until(pilot, "esc")
        await pilot.press("escape")
        gate.set()
        text = await until(pilot, f"Drawing {MANY} runs", gone=True)
        assert any("\u2800" < char <= "\u28ff" for char in text)
        before = app.setting.desk.of("big00000").cursor
        await pilot.press("j")
        assert app.setting.desk.of("big00000").cursor != before


async def test_plot_of_many_runs_is_left_while_it_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    monkeypatch.setattr(ParallelScreen, "plan", lambda *_: lambda: (gate.wait(30), lambda: None)[1])
    app = make_app(FakeClient(extreme_scenes.big(MANY)))
    async with app.run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        await pilot.press("enter", "2")
        await until(pilot, f"Drawing {MANY} runs")
        await pilot.press("1")
        await until(pilot, "STATE")
        gate.set()
        await pilot.pause(0.05)
        assert "STATE" in text_of(app)
    assert app.return_code in (0, None)


def columns_of_many() -> Columns:
    model = Model()
    model.take(extreme_scenes.big(MANY))
    return Columns(RunRows(model, "big00000"))


def test_column_read_in_parts_is_the_column_read_at_once() -> None:
    at_once, in_parts = columns_of_many(), columns_of_many()
    n_parts = sum(1 for _ in in_parts.reading(BEST))
    assert n_parts > 1
    assert in_parts.numbers(BEST) == at_once.numbers(BEST)


def test_column_is_forgotten_when_the_world_changes_while_it_is_read() -> None:
    columns = columns_of_many()
    reading = columns.reading(BEST)
    next(reading)
    model = columns.rows.model
    model.take(extreme_scenes.big(3))
    columns.reset()
    assert list(reading) == []
    assert len(columns.numbers(BEST)) == 3


def test_still_numbers_do_not_follow_the_runs() -> None:
    columns = columns_of_many()
    plot = Plot(columns, SweepDesk())
    ids = list(columns.rows.model.world.runs_of["big00000"])
    still = plot.still(plot.shown_keys(), ids)
    before = still.traces(plot.shown_keys(), others=True)
    columns.rows.model.take(extreme_scenes.big(3))
    columns.reset()
    assert still.traces(plot.shown_keys(), others=True) == before
    assert len(before) == MANY


rows = st.dictionaries(st.integers(0, 40).map(str), st.integers(0, 5), max_size=40)


@given(
    rows, st.lists(st.dictionaries(st.integers(0, 60).map(str), st.none() | st.integers(0, 5), max_size=6))
)
def test_order_that_follows_is_the_order_made_anew(
    first: dict[str, int], changes: list[dict[str, int | None]]
) -> None:
    values: dict[str, int | None] = dict(first)

    def key(one: str) -> SortKey:
        return ((0, values[one]),)

    order = Order()
    order.rebuild(values, lambda one: values[one] is not None, key)
    came = list(values)
    for change in changes:
        came += [one for one in change if one not in came]
        before = list(order.ids)
        values.update(change)
        moved = order.update(change)
        assert order.ids == sorted(
            (one for one in came if values[one] is not None), key=lambda one: (values[one], came.index(one))
        )
        assert moved or order.ids == before
    for row, one in enumerate(order.ids):
        assert order.row_of(one) == row
    assert order.row_of("nobody") is None


@pytest.mark.parametrize("key", PLOTS)
async def test_plot_that_is_left_lets_go_of_its_runs(key: str) -> None:
    app = make_app(FakeClient(extreme_scenes.big(50)))
    async with app.run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        await pilot.press("enter", key)
        await until(pilot, "50 runs")
        plot = app.screen
        assert isinstance(plot, PLOTS[key])
        assert len(plot.order.ids) == 50
        await pilot.press("1")
        await until(pilot, "STATE")
        while plot.is_attached:
            await pilot.pause(0.01)
        assert not plot.order.ids
        kept = "".join(line.plain for line in plot.lines(80, 20))
        assert not any("\u2800" < char <= "\u28ff" for char in kept)
