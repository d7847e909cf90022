"""The axes of the parallel coordinates, and the brush on them, driven by keys."""

from __future__ import annotations

from pathlib import Path

from controller.settings import Home
from tests import plot_scenes, scenes
from tests.dashboard.screen import make_app, plot_text_of, settled, until
from tests.fake_client import FakeClient
from tui_sweeps.app import SweepsApp


def desk(app: SweepsApp, sweep_id: str = plot_scenes.SWEEP) -> object:
    return app.setting.desk.of(sweep_id)


async def test_axes_stand_as_their_distributions_say() -> None:
    app = make_app(FakeClient(plot_scenes.tuned()))
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await until(pilot, "tune-augmented")
        await pilot.press("enter", "2")
        text = await until(pilot, "axis 1/7 lr log")
        order = [text.index(word) for word in ("lion", "sgd", "adam")]
        assert order == sorted(order)
        assert "none" in plot_text_of(app)
        await pilot.press("g")
        await until(pilot, "axis 1/7 lr linear")
        await pilot.press("right", "g")
        await until(pilot, "no log scale")


async def test_brush_is_the_filter_of_the_table_too() -> None:
    app = make_app(FakeClient(plot_scenes.tuned()))
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, "tune-augmented")
        await pilot.press("enter", "2")
        await until(pilot, "axis 1/7 lr")
        await pilot.press(*["left_square_bracket"] * 4, *["right_square_bracket"] * 5)
        text = await until(pilot, "lr>=6.31e-05 lr<=0.01")
        assert "6.31e-5 … 0.01" in text
        await pilot.press("right", "left_square_bracket")
        await until(pilot, "optimizer=sgd|lion")
        await pilot.press("right_curly_bracket", "left_curly_bracket")
        await until(pilot, "of 240 runs")
        assert desk(app).filter == "lr>=6.31e-05 lr<=0.01"  # type: ignore[attr-defined]
        shown = len(app.screen.order.ids)  # type: ignore[attr-defined]
        await pilot.press("1")
        assert "lr<=0.01" in await until(pilot, f"{shown} of 240 runs")
        await pilot.press("2")
        await until(pilot, "axis 1/7 lr")
        await pilot.press("minus")
        await until(pilot, "240 runs")
        assert desk(app).filter == ""  # type: ignore[attr-defined]


async def test_typed_filter_is_seen_as_a_brush_and_a_mistake_is_said() -> None:
    app = make_app(FakeClient(plot_scenes.tuned()))
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, "tune-augmented")
        await pilot.press("enter", "2", "slash", *"lr<1e-3 zebra", "enter")
        await until(pilot, "No run passes the filter")
        await pilot.press("slash", *["backspace"] * 6, "enter")
        await until(pilot, "≤ 0.001")
        assert "┃" in plot_text_of(app)
        await pilot.press("slash", *" layers>x")
        await until(pilot, "needs a number")


async def test_best_share_becomes_a_limit_on_the_metric() -> None:
    app = make_app(FakeClient(plot_scenes.tuned()))
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, "tune-augmented")
        await pilot.press("enter", "2", "b", "b", "b")
        await until(pilot, "23 of 240 runs")
        assert desk(app).filter.startswith("best<=")  # type: ignore[attr-defined]
        await pilot.press("b", "b", "b")
        await until(pilot, " 240 runs")
        assert desk(app).filter == ""  # type: ignore[attr-defined]


async def test_axes_are_moved_hidden_flipped_and_found_so_again(tmp_path: Path) -> None:
    home = Home(tmp_path)
    first = make_app(FakeClient(plot_scenes.tuned()), home=home)
    async with first.run_test(size=(120, 30)) as pilot:
        await until(pilot, "tune-augmented")
        await pilot.press("enter", "2", "greater_than_sign", "f")
        await until(pilot, "axis 2/7 lr log, flipped")
        await pilot.press("right", "H")
        await until(pilot, "axis 3/6 layers")
        await pilot.press("d")
    second = make_app(FakeClient(plot_scenes.tuned()), home=home)
    async with second.run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        await pilot.press("2")
        await until(pilot, "axis 1/6 optimizer")
        head = plot_text_of(second).splitlines()[0]
        assert head.split() == ["optimizer", "lr", "layers", "augment", "momentum", "val_loss"]
        await pilot.press("right")
        await until(pilot, "lr log, flipped")


async def test_list_of_axes_without_room_for_a_line_turns_no_page_and_lives() -> None:
    async with make_app(FakeClient(scenes.digits())).run_test(size=(100, 30)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("enter", "2", "A")
        await until(pilot, "space shows or hides")
        await pilot.resize_terminal(1, 1)
        await pilot.press("pagedown", "pageup", "down", "end", "home")
        await pilot.resize_terminal(100, 30)
        await until(pilot, "space shows or hides")


async def test_other_metrics_become_axes_and_colours() -> None:
    app = make_app(FakeClient(plot_scenes.tuned()))
    async with app.run_test(size=(140, 30)) as pilot:
        await until(pilot, "tune-augmented")
        await pilot.press("enter", "2", "A")
        await until(pilot, "space shows or hides")
        await pilot.press("end", "space", "enter")
        await until(pilot, "axis 1/8")
        assert "accuracy" in plot_text_of(app)
        await pilot.press("m")
        await until(pilot, "accuracy 0.4")
