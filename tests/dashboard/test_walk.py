from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from controller.domain.changes import RunStateSet, SweepStateSet
from controller.domain.commands import CancelSweep, LaunchAgents, PauseSweep, RetryRuns, StopRuns
from controller.domain.replies import Refused
from controller.domain.states import RunState, SweepState
from controller.settings import Home
from tests import extreme_scenes, scenes
from tests.dashboard.screen import make_app, settled, text_of, until
from tests.fake_client import FakeClient
from tui_sweeps.app import ExitReason

Read = Callable[[], str]


async def test_sweeps_screen_shows_each_sweep_with_its_numbers() -> None:
    async with make_app(FakeClient(scenes.digits())).run_test(size=(80, 24)) as pilot:
        text = await until(pilot, "digits-grid")
    assert "34/48" in text
    assert "130 done, no end" in text
    assert "‖ paused" in text


async def test_enter_walks_to_the_run_and_escape_back() -> None:
    async with make_app(FakeClient(scenes.digits())).run_test(size=(110, 30)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("enter")
        await until(pilot, "36 hazy-wren-36")
        await pilot.press("enter")
        text = await until(pilot, "epoch  59")
        assert "Config" in text
        await pilot.press("escape", "escape")
        assert "baseline-search" in await until(pilot, "4 sweeps")


async def test_a_change_of_the_controller_reaches_the_screen() -> None:
    client = FakeClient(scenes.digits())
    async with make_app(client).run_test(size=(80, 24)) as pilot:
        await until(pilot, "● running   digits-grid")
        client.push(SweepStateSet(sweep_id="d1g1ts00", state=SweepState.PAUSED, cause="", at=scenes.NOW))
        await until(pilot, "‖ paused    digits-grid")


async def test_cancel_states_its_effect_and_no_is_the_default() -> None:
    client = FakeClient(scenes.digits())
    async with make_app(client).run_test(size=(80, 24)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("X")
        assert "on 2 hosts" in await until(pilot, "Kills 2 runs")
        await pilot.press("enter")
        await pilot.pause()
        assert client.sent == []
        pilot.app.undo_s = 3600.0  # type: ignore[attr-defined]
        await pilot.press("X")
        await until(pilot, "Kills 2 runs")
        await pilot.press("y")
        assert "s: u undo, enter now" in await until(pilot, "cancelling digits-grid in ")
        assert client.sent == []
        await pilot.press("enter")
        await until(pilot, "⊘ cancelled")
    assert [type(command) for command in client.sent] == [CancelSweep]


async def test_act_is_judged_again_when_it_is_confirmed() -> None:
    client = FakeClient(scenes.digits())
    async with make_app(client).run_test(size=(110, 24)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("p")
        await until(pilot, "Pause digits-grid?")
        client.push(SweepStateSet(sweep_id="d1g1ts00", state=SweepState.STOPPED, cause="", at=scenes.NOW))
        await until(pilot, "■ stopped   digits-grid")
        await pilot.press("y")
        await pilot.pause()
    assert client.sent == []


async def test_pause_is_sent_and_a_refusal_is_said() -> None:
    client = FakeClient(scenes.digits())
    client.refuse = Refused(reason="the disk is full", hint="make room")
    async with make_app(client).run_test(size=(110, 24), notifications=True) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("p")
        await until(pilot, "Pause digits-grid?")
        await pilot.press("y")
        await until(pilot, "the disk is full")
        assert "pausing" not in text_of(pilot.app)
    assert [type(command) for command in client.sent] == [PauseSweep]


async def test_stop_and_retry_go_to_the_marked_runs_by_id() -> None:
    client = FakeClient(scenes.digits())
    async with make_app(client).run_test(size=(110, 40)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("enter")
        await until(pilot, "36 hazy-wren-36")
        pilot.app.undo_s = 3600.0  # type: ignore[attr-defined]
        await pilot.press("space", "space", "x")
        await until(pilot, "Stop 2 runs?")
        await pilot.press("y")
        await until(pilot, "stopping 2 runs in ")
        await pilot.press("enter")
        await until(pilot, "2 marked")
        await pilot.press("minus", "slash", *"is:ended", "enter")
        await until(pilot, "34 of 36")
        await pilot.press("asterisk", "R")
        assert "left out" in await until(pilot, "Retry 3 runs?")
        await pilot.press("y")
        await pilot.pause()
    stop, retry = client.sent
    assert isinstance(stop, StopRuns)
    assert set(stop.run_ids) == {"r0000035", "r0000036"}
    assert isinstance(retry, RetryRuns)
    assert set(retry.run_ids) == {"r0000011", "r0000017", "r0000023"}


async def test_cursor_stays_on_its_run_when_rows_come_and_go() -> None:
    client = FakeClient(scenes.digits())
    app = make_app(client)
    async with app.run_test(size=(110, 40)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("enter")
        await until(pilot, "36 hazy-wren-36")
        await pilot.press("slash", *"state:running", "enter", "down")
        await until(pilot, "2 of 36")
        client.push(RunStateSet(run_id="r0000036", state=RunState.FINISHED, at=scenes.NOW))
        await until(pilot, "1 of 36")
        assert app.screen.chosen_runs() == ["r0000035"]  # type: ignore[attr-defined]


async def test_filter_mistake_is_said_and_the_last_filter_stays() -> None:
    async with make_app(FakeClient(scenes.digits())).run_test(size=(110, 30)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("enter")
        await until(pilot, "36 hazy-wren-36")
        await pilot.press("slash", *"learning_rate>0.01")
        await until(pilot, "of 36 runs")
        await pilot.press(*"x")
        await until(pilot, "needs a number")


async def test_agents_are_launched_by_the_form() -> None:
    client = FakeClient(scenes.digits())
    async with make_app(client).run_test(size=(80, 24)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("a")
        await until(pilot, "Launch agents for digits-grid")
        await pilot.press("backspace", "3", "enter")
        await pilot.pause()
    assert client.sent == [LaunchAgents(sweep_id="d1g1ts00", n_agents=3)]


async def test_banner_tells_when_the_controller_is_away_and_goes_when_it_is_back() -> None:
    client = FakeClient(scenes.digits())
    async with make_app(client).run_test(size=(80, 24)) as pilot:
        await until(pilot, "digits-grid")
        client.go_away()
        await until(pilot, "Out of touch")
        client.away = False
        await until(pilot, "Out of touch", gone=True)


async def test_banner_tells_while_nothing_can_be_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_sweeps.link.STORAGE_S", 0.01)
    client = FakeClient(scenes.digits())
    async with make_app(client).run_test(size=(100, 24)) as pilot:
        await until(pilot, "digits-grid")
        assert "recorded" not in text_of(pilot.app)
        client.storage = "the disk is full"
        client.refuse = Refused(reason="nothing can be recorded now: the disk is full", code="full")
        await pilot.press("p")
        await until(pilot, "Pause digits-grid?")
        await pilot.press("y")
        await until(pilot, "Nothing can be recorded: the disk is full")
        client.storage = "ok"
        await until(pilot, "Nothing can be recorded: the", gone=True)
        client.storage = "the disk is full"
        client.resync()
        await until(pilot, "Nothing can be recorded: the disk is full")


async def test_detach_leaves_and_the_next_start_finds_filter_and_place(tmp_path: Path) -> None:
    home = Home(tmp_path)
    first = make_app(FakeClient(scenes.digits()), home=home)
    async with first.run_test(size=(110, 30)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("enter")
        await until(pilot, "36 hazy-wren-36")
        await pilot.press("slash", *"is:ended", "enter", "down", "down")
        await until(pilot, "34 of 36")
        await pilot.press("d")
    assert first.return_value is ExitReason.DETACH
    second = make_app(FakeClient(scenes.digits()), home=home)
    async with second.run_test(size=(110, 30)) as pilot:
        await until(pilot, "34 of 36 runs")
        assert second.screen.chosen_runs() == ["r0000032"]  # type: ignore[attr-defined]


async def test_quit_asks_while_runs_are_active() -> None:
    app = make_app(FakeClient(scenes.digits()))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("q")
        await until(pilot, "2 runs active")
        await pilot.press("n", "ctrl+c")
        await until(pilot, "2 runs active")
        await pilot.press("y")
    assert app.return_value is ExitReason.DETACH


async def test_help_lists_the_keys_of_the_view() -> None:
    async with make_app(FakeClient(scenes.digits())).run_test(size=(80, 50)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("question_mark")
        assert "Pause the sweep" in await until(pilot, "Keys of sweeps")


@pytest.mark.parametrize(
    ("key", "wanted"), [("3", "learning_rate"), ("6", "quarantined"), ("7", "agent quar")]
)
async def test_digits_go_to_the_other_views_and_back(key: str, wanted: str) -> None:
    async with make_app(FakeClient(scenes.digits())).run_test(size=(110, 30)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("enter")
        await until(pilot, "36 hazy-wren-36")
        await pilot.press(key)
        await until(pilot, wanted)
        await pilot.press("1")
        await until(pilot, "36 hazy-wren-36")


async def test_hostile_strings_neither_act_nor_pass() -> None:
    app = make_app(FakeClient(extreme_scenes.hostile()))
    async with app.run_test(size=(200, 50)) as pilot:
        await until(pilot, "9 sweeps")
        await pilot.press("enter")
        await until(pilot, "10 runs")
        text = text_of(app)
        await pilot.press("enter")
        text += await until(pilot, "Config")
        assert app.return_value is None
    assert "[@click=app.quit]" in text
    assert not set(text) & {"\x1b", "\x07", "\u202e", "\t"}


async def test_any_size_is_survived() -> None:
    app = make_app(FakeClient(scenes.digits()))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "digits-grid")
        for keys in ((), ("enter",), ("enter",), ("X",)):
            await pilot.press(*keys)
            for size in ((1, 1), (20, 5), (500, 200), (80, 24)):
                await pilot.resize_terminal(*size)
                await pilot.pause()
        assert app.return_value is None


async def test_ten_thousand_runs_are_filtered_and_followed() -> None:
    client = FakeClient(extreme_scenes.big())
    app = make_app(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, "big")
        await pilot.press("enter")
        await until(pilot, "10,000 runs")
        await pilot.press("slash", *"lr<0.5", "enter")
        await until(pilot, "of 10,000 runs")
        await pilot.press("end")
        client.push(RunStateSet(run_id="b0010000", state=RunState.FINISHED, at=scenes.NOW))
        await settled(pilot)
        assert app.return_value is None
