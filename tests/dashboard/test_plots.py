"""The plots of one sweep, driven by keys."""

from __future__ import annotations

import pytest

from controller.domain.changes import RunAdded, RunStateSet
from controller.domain.commands import StopRuns
from controller.domain.runs import Run
from controller.domain.states import RunState
from tests import extreme_scenes, plot_scenes, scenes
from tests.dashboard.screen import is_coloured, make_app, plot_text_of, text_of, until
from tests.fake_client import FakeClient

SIZES = ((80, 24), (120, 40), (200, 60))
VIEWS = {"2": "optimizer", "3": "learning_rate", "4": "dropout", "5": "runs by their end"}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("key", "wanted"), VIEWS.items())
@pytest.mark.parametrize("environ", [{}, {"NO_COLOR": "1"}, {"LANG": "C", "LC_ALL": "C"}])
async def test_every_plot_is_drawn_in_every_size_and_without_colours_or_unicode(
    size: tuple[int, int], key: str, wanted: str, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "LANG", "LC_ALL", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    app = make_app(FakeClient(plot_scenes.tuned(60)))
    async with app.run_test(size=size) as pilot:
        await until(pilot, "tune-augmented")
        await pilot.press("enter", key)
        text = await until(pilot, wanted)
        coloured = is_coloured(app)
    if "LANG" in environ:
        assert text.isascii()
    elif key != "3":
        assert any("\u2800" < char <= "\u28ff" for char in text)
    assert coloured is ("NO_COLOR" not in environ)


async def test_cursor_walks_in_the_order_of_the_metric_and_is_the_tables() -> None:
    app = make_app(FakeClient(plot_scenes.tuned()))
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, "tune-augmented")
        await pilot.press("enter", "2", "home")
        await until(pilot, "184 fond-crane-184")
        before = plot_text_of(app)
        await pilot.press("j")
        await until(pilot, "2 of 240")
        assert plot_text_of(app) != before
        assert plot_text_of(app).count("●") == 7
        await pilot.press("k", "1")
        await until(pilot, "TREND")
        assert app.screen.chosen_runs() == ["t0000184"]  # type: ignore[attr-defined]


async def test_marks_are_shared_and_stop_goes_to_them() -> None:
    client = FakeClient(plot_scenes.tuned())
    app = make_app(client)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, "tune-augmented")
        await pilot.press("enter", "2", "slash", *"state:running", "enter", "asterisk")
        await until(pilot, "3 marked")
        await pilot.press("1")
        await until(pilot, "3 marked")
        await pilot.press("4", "x")
        await until(pilot, "Stop 3 runs?")
        await pilot.press("y")
        await until(pilot, "3 marked")
        await pilot.press("escape")
        await until(pilot, "3 of 240 runs")
    for sent in client.sent:
        assert isinstance(sent, StopRuns)
        assert set(sent.run_ids) == {"t0000238", "t0000239", "t0000240"}


async def test_picture_follows_the_news() -> None:
    client = FakeClient(plot_scenes.tuned())
    app = make_app(client)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, "tune-augmented")
        await pilot.press("enter", "2")
        await until(pilot, "axis 1/7")
        before = plot_text_of(app)
        run = client.world.runs["t0000239"]
        client.push(
            RunAdded(
                run=Run(
                    id="new1",
                    sweep_id=plot_scenes.SWEEP,
                    number=241,
                    name="new-one-241",
                    config={**run.config, "lr": 0.1, "layers": 1},
                    suggestion=240,
                    state=RunState.RUNNING,
                    best=0.1,
                )
            ),
            RunStateSet(run_id=run.id, state=RunState.FINISHED, at=scenes.NOW),
        )
        await until(pilot, "val_loss 0.676 ━━━━━━━━ 0.1 ")
        await pilot.press("home")
        await until(pilot, "241 new-one-241")
        assert plot_text_of(app) != before


async def test_slices_are_paged_when_they_do_not_fit() -> None:
    app = make_app(FakeClient(plot_scenes.tuned()))
    async with app.run_test(size=(60, 24)) as pilot:
        await until(pilot, "tune-augmented")
        await pilot.press("enter", "4")
        await until(pilot, "page 1 of 2")
        assert "lr (log)" in plot_text_of(app)
        await pilot.press("right", "right")
        await until(pilot, "page 2 of 2")
        assert "lr (log)" not in plot_text_of(app)
        await pilot.press("left", "g")
        await until(pilot, "val_loss log")


async def test_history_goes_over_runs_or_time_and_tells_the_last_improvement() -> None:
    app = make_app(FakeClient(plot_scenes.tuned()))
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, "tune-augmented")
        await pilot.press("enter", "5")
        text = await until(pilot, "runs by their end")
        assert "last by 184 fond-crane-184" in text
        await pilot.press("t")
        text = await until(pilot, "time since the first start")
        assert "30m00s" in text or "1h00m" in text
        await pilot.press("v")
        assert "improved" in await until(pilot, "val_loss (last)")
        await pilot.press("v", "v")
        assert "improved" in await until(pilot, "val_loss (max)")
        await pilot.press("m")
        assert "improved" not in await until(pilot, "accuracy linear")


async def test_any_size_is_survived_by_every_plot() -> None:
    app = make_app(FakeClient(plot_scenes.tuned(40)))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "tune-augmented")
        await pilot.press("enter")
        for key in VIEWS:
            await pilot.press(key)
            for size in ((1, 1), (20, 5), (31, 9), (500, 200), (80, 24)):
                await pilot.resize_terminal(*size)
                await pilot.pause()
            assert VIEWS[key] in await until(pilot, VIEWS[key])


@pytest.mark.parametrize("key", VIEWS)
async def test_hostile_strings_pass_no_plot(key: str) -> None:
    app = make_app(FakeClient(extreme_scenes.hostile()))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, "9 sweeps")
        await pilot.press("enter")
        await until(pilot, "10 runs")
        await pilot.press(key)
        await until(pilot, "runs")
        text = ""
        for pressed in ("left_square_bracket", "right", "right_square_bracket", "b", "g", "m", "space", "H"):
            await pilot.press(pressed)
            await pilot.pause()
            text += text_of(app)
        assert app.return_value is None
    assert not set(text) & {"\x1b", "\x07", "\u202e", "\t"}


async def test_empty_sweep_is_said() -> None:
    snapshot = plot_scenes.tuned(0)
    async with make_app(FakeClient(snapshot)).run_test(size=(80, 24)) as pilot:
        await until(pilot, "tune-augmented")
        await pilot.press("enter")
        for key in ("2", "4", "5"):
            await pilot.press(key)
            await until(pilot, "No runs yet")


async def test_ten_thousand_runs_are_drawn_and_brushed() -> None:
    app = make_app(FakeClient(extreme_scenes.big()))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, "big")
        await pilot.press("enter", "2")
        await until(pilot, "axis 1/5")
        await pilot.press("left_square_bracket", "j", "j")
        await until(pilot, "of 10,000 runs")
        for key in ("4", "5"):
            await pilot.press(key)
            await until(pilot, "of 10,000 runs")
        assert app.return_value is None
