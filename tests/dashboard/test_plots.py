"""The plots of one sweep, driven by keys."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.app import App

from controller.domain.changes import RunAdded, RunStateSet
from controller.domain.commands import StopRuns
from controller.domain.queries import Answer, GetImportance, ImportanceTable, Query
from controller.domain.runs import Run
from controller.domain.states import RunState
from controller.settings import Home
from tests import plot_scenes, scenes
from tests.dashboard.screen import is_coloured, make_app, settled, text_of, until
from tests.fake_client import FakeClient
from tui_sweeps.app import ExitReason, SweepsApp

SIZES = ((80, 24), (120, 40), (200, 60))
VIEWS = {"2": "optimizer", "3": "learning_rate", "4": "dropout", "5": "runs by their end"}


def picture_of(app: App[ExitReason]) -> str:
    """Return the plot alone."""
    from tui_sweeps.widgets.picture import Picture

    return "\n".join(line.plain for line in app.screen.query_one(Picture)._lines)


def desk(app: SweepsApp, sweep_id: str = plot_scenes.SWEEP) -> object:
    return app.setting.desk.of(sweep_id)


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


async def test_axes_stand_as_their_distributions_say() -> None:
    app = make_app(FakeClient(plot_scenes.tuned()))
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await until(pilot, "tune-augmented")
        await pilot.press("enter", "2")
        text = await until(pilot, "axis 1/7 lr log")
        order = [text.index(word) for word in ("lion", "sgd", "adam")]
        assert order == sorted(order)
        assert "none" in picture_of(app)
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
        assert "┃" in picture_of(app)
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
        head = picture_of(second).splitlines()[0]
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
        assert "accuracy" in picture_of(app)
        await pilot.press("m")
        await until(pilot, "accuracy 0.4")


async def test_cursor_walks_in_the_order_of_the_metric_and_is_the_tables() -> None:
    app = make_app(FakeClient(plot_scenes.tuned()))
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, "tune-augmented")
        await pilot.press("enter", "2", "home")
        await until(pilot, "184 fond-crane-184")
        before = picture_of(app)
        await pilot.press("j")
        await until(pilot, "2 of 240")
        assert picture_of(app) != before
        assert picture_of(app).count("●") == 7
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
        before = picture_of(app)
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
        assert picture_of(app) != before


async def test_slices_are_paged_when_they_do_not_fit() -> None:
    app = make_app(FakeClient(plot_scenes.tuned()))
    async with app.run_test(size=(60, 24)) as pilot:
        await until(pilot, "tune-augmented")
        await pilot.press("enter", "4")
        await until(pilot, "page 1 of 2")
        assert "lr (log)" in picture_of(app)
        await pilot.press("right", "right")
        await until(pilot, "page 2 of 2")
        assert "lr (log)" not in picture_of(app)
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


async def test_importance_asks_again_for_another_metric_and_when_told() -> None:
    client = FakeClient(plot_scenes.tuned())
    async with make_app(client).run_test(size=(100, 30), notifications=True) as pilot:
        await until(pilot, "tune-augmented")
        await pilot.press("enter", "3")
        await until(pilot, "What drives the best val_accuracy, from 33 runs")
        client.push(RunStateSet(run_id="t0000240", state=RunState.FINISHED, at=scenes.NOW))
        await until(pilot, "1 more run ended since")
        await pilot.press("c")
        await pilot.press("v", "v", "m", "v")
        await until(pilot, "only the last value")
    asked = [query for query in client.asked if isinstance(query, GetImportance)]
    assert [(query.metric, query.of) for query in asked] == [
        ("", "best"),
        ("", "best"),
        ("val_loss", "last"),
        ("val_loss", "min"),
        ("accuracy", "last"),
    ]


async def test_importance_names_the_question_at_once_and_remembers_the_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = FakeClient(plot_scenes.tuned())
    answer, gate = client.ask, asyncio.Event()

    async def slow(query: Query) -> Answer:
        if isinstance(query, GetImportance) and query.of == "min":
            await gate.wait()
        return await answer(query)

    monkeypatch.setattr(client, "ask", slow)
    async with make_app(client).run_test(size=(100, 30)) as pilot:
        await until(pilot, "tune-augmented")
        await pilot.press("enter", "3")
        await until(pilot, "What drives the best val_accuracy, from 33 runs")
        await pilot.press("v")
        await until(pilot, "What drives the last val_loss, from 33 runs")
        await pilot.press("v")
        text = await until(pilot, "What drives the min val_loss")
        assert "computing" in text
        assert "from 33 runs" not in text
        await pilot.press("v")
        await until(pilot, "What drives the max val_loss, from 33 runs")
        n_asked = len(client.asked)
        await pilot.press("v", "v")
        assert "computing" not in await until(pilot, "What drives the last val_loss, from 33 runs")
        assert len(client.asked) == n_asked
        await pilot.press("v")
        await until(pilot, "What drives the min val_loss")
        gate.set()
        assert "computing" not in await until(pilot, "What drives the min val_loss, from 33 runs")


async def test_importance_says_when_there_is_nothing_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient(plot_scenes.tuned(5))
    note = "too few runs have a value: 5, and 10 are needed"

    async def ask(query: object) -> ImportanceTable:
        return ImportanceTable(metric="val_loss", n_runs=5, parameters=(), note=note)

    monkeypatch.setattr(client, "ask", ask)
    async with make_app(client).run_test(size=(80, 24)) as pilot:
        await until(pilot, "tune-augmented")
        await pilot.press("enter", "3")
        await until(pilot, note)


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
    app = make_app(FakeClient(scenes.hostile()))
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
    app = make_app(FakeClient(scenes.big()))
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
