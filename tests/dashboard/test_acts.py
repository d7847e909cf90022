"""Undo, agents, commands, new sweeps: key script in, screen and commands out."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from controller.domain.commands import (
    CancelSweep,
    CreateSweep,
    DrainAgents,
    PauseSweep,
    StopAgents,
    StopSweep,
)
from controller.domain.sweeps import SweepConfig
from controller.settings import Home
from tests import scenes
from tests.dashboard.screen import make_app, text_of, until
from tests.fake_client import FakeClient
from tui_sweeps.app import ExitReason
from tui_sweeps.views.drafts import Foresight, Outlook

SWEEP_FILE = """\
program: train.py
method: grid
metric: {name: loss, goal: minimize}
parameters:
  lr: {values: [0.1, 0.01]}
"""


def outlook(config: SweepConfig) -> Outlook:
    n = 1
    for parameter in config.parameters:
        n *= max(1, len(parameter.values))
    commands = tuple(("python", str(config.program), f"--cell={at}") for at in range(min(n, 3)))
    return SimpleNamespace(n_expected=n, size=n, bands=(), argv=commands, problem="")


FORESIGHT = Foresight(preview=outlook, directory=lambda config, file, here: here)


async def test_undo_takes_a_cancel_back_and_nothing_is_sent() -> None:
    client = FakeClient(scenes.digits())
    async with make_app(client).run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("X")
        await until(pilot, "Kills 2 runs")
        await pilot.press("y")
        await until(pilot, "u undo, enter now")
        await pilot.press("u")
        text = await until(pilot, "Taken back: cancelling digits-grid.")
        assert "enter now" not in text
    assert client.sent == []


async def test_held_act_goes_out_when_its_time_is_up() -> None:
    client = FakeClient(scenes.digits())
    app = make_app(client)
    app.undo_s = 0.3
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("s")
        await until(pilot, "Stop digits-grid?")
        await pilot.press("y")
        await until(pilot, "stopping digits-grid in")
        await until(pilot, "■ stopped   digits-grid")
    assert [type(one) for one in client.sent] == [StopSweep]


async def test_leaving_sends_what_is_held() -> None:
    client = FakeClient(scenes.digits())
    app = make_app(client)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("X")
        await until(pilot, "Kills 2 runs")
        await pilot.press("y")
        await until(pilot, "enter now")
        await pilot.press("d")
    assert [type(one) for one in client.sent] == [CancelSweep]
    assert app.return_value is ExitReason.DETACH


async def test_an_act_that_a_lost_terminal_kept_from_going_out_is_told_of_at_the_next_start(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path)
    first = make_app(FakeClient(scenes.digits()), home=home)
    async with first.run_test(size=(80, 24)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("X")
        await until(pilot, "Kills 2 runs")
        await pilot.press("y")
        await until(pilot, "enter now")
        left_behind = home.layout.read_text("utf-8")
    home.layout.write_text(left_behind, "utf-8")
    second = make_app(FakeClient(scenes.digits()), home=home)
    async with second.run_test(size=(100, 24), notifications=True) as pilot:
        text = await until(pilot, "Not sent before the dashboard ended")
        assert "digits-grid." in text


@pytest.mark.parametrize("key", ["s", "X"])
async def test_enter_means_no_for_what_ends_something(key: str) -> None:
    client = FakeClient(scenes.digits())
    async with make_app(client).run_test(size=(80, 24)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press(key)
        await until(pilot, "No (n)")
        await pilot.press("enter")
        assert "undo" not in text_of(pilot.app)
    assert client.sent == []


async def test_agents_are_drained_and_stopped_by_key() -> None:
    client = FakeClient(scenes.digits())
    app = make_app(client)
    app.undo_s = 0
    async with app.run_test(size=(120, 24)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("enter")
        await until(pilot, "36 hazy-wren-36")
        await pilot.press("6")
        text = await until(pilot, "3 alive of 3")
        assert "hazy-wren-36" in text
        assert "4002" in text
        await pilot.press("down", "D")
        await until(pilot, "Drain 1 agent on node01?")
        await pilot.press("y")
        await until(pilot, "draining…")
        await pilot.press("down", "x")
        await until(pilot, "Stop 1 agent on node02?")
        await pilot.press("enter")
        await pilot.press("x")
        await until(pilot, "Stop 1 agent on node02?")
        await pilot.press("y")
        await until(pilot, "stopping…")
    assert [type(one) for one in client.sent] == [DrainAgents, StopAgents]


async def test_commands_open_filter_and_act_by_name() -> None:
    client = FakeClient(scenes.digits())
    async with make_app(client).run_test(size=(110, 30), notifications=True) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("colon", *"sweep digi", "tab", "enter")
        await until(pilot, "36 hazy-wren-36")
        await pilot.press("colon", *"runs state:failed", "enter")
        await until(pilot, "2 of 36 runs")
        await pilot.press("colon", *"run 36", "enter")
        await until(pilot, "epoch  59")
        await pilot.press("colon", *"nonsense", "enter")
        await until(pilot, "there is no command nonsense here")
        await pilot.press("colon", *"sweeps", "enter")
        await until(pilot, "4 sweeps")
        await pilot.press("colon", "up", "up", "up", "up", "enter")
        await until(pilot, "2 of 36 runs")
        await pilot.press("colon", *"pau", "enter")
        await until(pilot, "Pause digits-grid?")
        await pilot.press("y")
        await until(pilot, "‖ paused")
    assert [type(one) for one in client.sent] == [PauseSweep]


async def test_palette_finds_an_action_by_a_part_of_its_sentence() -> None:
    async with make_app(FakeClient(scenes.digits())).run_test(size=(110, 30)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("ctrl+p", *"no new runs, running", "enter")
        await until(pilot, "Pause digits-grid?")


async def test_back_and_forward_walk_the_places() -> None:
    async with make_app(FakeClient(scenes.digits())).run_test(size=(110, 30)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("enter")
        await until(pilot, "36 hazy-wren-36")
        await pilot.press("6")
        await until(pilot, "3 alive of 3")
        await pilot.press("less_than_sign")
        await until(pilot, "36 hazy-wren-36")
        await pilot.press("less_than_sign")
        await until(pilot, "4 sweeps")
        await pilot.press("greater_than_sign", "greater_than_sign")
        await until(pilot, "3 alive of 3")


async def test_a_sweep_is_made_of_a_file_that_was_looked_at_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "good.yaml").write_text(SWEEP_FILE, "utf-8")
    (tmp_path / "wrong.yaml").write_text(SWEEP_FILE.replace("grid", "gird"), "utf-8")
    monkeypatch.chdir(tmp_path)
    client = FakeClient(scenes.digits())
    async with make_app(client, foresight=FORESIGHT).run_test(size=(110, 30)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("n", "w", "tab")
        await until(pilot, "wrong.yaml:2:9: error")
        await pilot.press("enter")
        await pilot.pause()
        assert client.sent == []
        await pilot.press("ctrl+u", "g", "tab")
        await until(pilot, "Space: 2 points")
        await until(pilot, "--cell=1")
        await pilot.press("enter")
        await pilot.pause(0.3)
    (made,) = client.sent
    assert isinstance(made, CreateSweep)
    assert made.source == SWEEP_FILE
    assert made.n_expected == 2
    assert made.directory == str(tmp_path)


async def test_no_editor_is_said_and_nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "no-such-editor-anywhere")
    client = FakeClient(scenes.digits())
    async with make_app(client, foresight=FORESIGHT).run_test(size=(110, 30), notifications=True) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("e")
        await until(pilot, "cannot be lent to an editor")
    assert client.sent == []


async def test_theme_is_kept(tmp_path: Path) -> None:
    home = Home(tmp_path)
    first = make_app(FakeClient(scenes.digits()), home=home)
    async with first.run_test(size=(110, 30)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("T", *"nord", "enter")
        await pilot.press("d")
    assert make_app(FakeClient(scenes.digits()), home=home).theme == "nord"
