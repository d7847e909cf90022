"""Keys faster than screens: what is typed at once ends as if it had been typed slowly."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from controller.domain.changes import RunRemoved
from controller.domain.commands import Command, CreateSweep, PauseSweep, SubmitArray
from controller.domain.events import AgentEvent
from controller.domain.replies import Reply
from tests import scenes
from tests.dashboard.fuzz import key_event
from tests.dashboard.pictures import picture_of
from tests.dashboard.screen import PATIENCE_S, make_app, text_of, until
from tests.fake_client import FakeClient
from tests.shots import SCENES
from tui_sweeps.app import ExitReason, SweepsApp
from tui_sweeps.keys.signs import NAMES

FILE = "s.yml"

SWEEP = """\
program: train.py
method: grid
parameters: {x: {values: [1, 2, 3]}}
"""

BACK = ("escape",) * 4
"""To the start screen, from anywhere."""

FOREVER = ("link", "storage")
"""Groups of workers that go on as long as the dashboard does."""

SCRIPTS: dict[str, tuple[tuple[tuple[str, ...], str], ...]] = {
    "forms and views": (
        (("enter", "a", *"7"), " 7 agents, until"),
        (("up", "l", "down", "home", *"2,", "down", *"3"), "2,1-4"),
        (("enter", "5"), "\u203a history"),
        (("2", *"34567164", "l", "v"), "\u203a slices"),
    ),
    "filters and tables": (
        (("enter", "2", "l", "l", "]", "1", "*"), "marked"),
        ((*BACK, "enter", "pagedown", "space", "V"), "2 marked"),
        (("escape", "/", *"state:failed", "enter", "j", "space"), "2 of 36"),
        ((*BACK, "enter", "end", "enter", "/", *"ch  5", "enter", "escape", "l"), "\u203a 1 calm"),
        (("escape", ":", *"run 3", "enter", "<", ":", "up", "enter", "c"), "\u203a 3 eager"),
    ),
    "questions": (
        (("ctrl+p", *"no new runs, r", "enter", "y", "y", "y"), "\u2016 paused"),
        (("?", "q", "q", "n", "k"), "4 sweeps"),
        (("X", "enter", "X", "n", "X", "escape", "y", "X"), "Cancel"),
        (("escape", "n", *FILE, "enter", "a", "up", "down", "3"), "3 agents, until"),
    ),
}
"""What is typed at once, and what it leads to; each begins where the one before has ended."""


def named(keys: Iterable[str]) -> list[str]:
    return [NAMES.get(key, key) for key in keys]


class Typist:
    """Somebody at a dashboard."""

    def __init__(self, pilot: Pilot[ExitReason]) -> None:
        self._pilot = pilot
        self._app: SweepsApp = pilot.app  # type: ignore[assignment]

    async def slowly(self, keys: Iterable[str]) -> str:
        """Type, and wait after each key until nothing happens any more; return the picture."""
        for key in named(keys):
            self._app.post_message(key_event(key))
            await self._quiet()
        return picture_of(self._app)

    async def fast(self, keys: Iterable[str], picture: str) -> str:
        """Type everything at once; return the picture when it is this one, or the last one."""
        for key in named(keys):
            self._app.post_message(key_event(key))
        deadline = time.monotonic() + PATIENCE_S
        while True:
            await self._quiet()
            if (seen := picture_of(self._app)) == picture or time.monotonic() > deadline:
                return seen

    async def _quiet(self) -> None:
        app, deadline = self._app, time.monotonic() + PATIENCE_S
        n_quiet = 0
        while n_quiet < 3:
            assert time.monotonic() < deadline, "it does not come to rest"
            await asyncio.sleep(0.002)
            is_busy = any(one.group not in FOREVER and not one.is_finished for one in app.workers)
            app.screen._on_timer_update()
            is_quiet = app.is_at_rest() and not (
                is_busy or app.has_typed_ahead or app.link._telling is not None
            )
            n_quiet = n_quiet + 1 if is_quiet else 0


@pytest.mark.parametrize("about", SCRIPTS)
async def test_scripts_typed_at_once_end_as_if_typed_slowly(
    about: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / FILE).write_text(SWEEP)
    monkeypatch.chdir(tmp_path)
    slow, fast = SCENES[0].app(), SCENES[0].app()
    slow.undo_s = fast.undo_s = 0.0
    pictures = []
    async with slow.run_test(size=(80, 24)) as pilot:
        await until(pilot, "digits-grid")
        for keys, end in SCRIPTS[about]:
            pictures.append(await Typist(pilot).slowly(keys))
            assert end in pictures[-1], f"{keys}\n{pictures[-1]}"
    async with fast.run_test(size=(80, 24)) as pilot:
        await until(pilot, "digits-grid")
        for (keys, _), picture in zip(SCRIPTS[about], pictures, strict=True):
            assert await Typist(pilot).fast(keys, picture) == picture, keys
    assert sent(fast) == sent(slow)
    kinds = {
        "forms and views": [SubmitArray],
        "filters and tables": [],
        "questions": [PauseSweep, CreateSweep],
    }
    assert [type(one) for one in sent(fast)] == kinds[about]


def sent(app: SweepsApp) -> list[Command | AgentEvent]:
    return list(app.link._client.sent)  # type: ignore[attr-defined]


class Slow(FakeClient):
    """Answers when it is let."""

    def __init__(self) -> None:
        super().__init__(scenes.digits())
        self.may_answer = asyncio.Event()

    async def send(self, message: Command | AgentEvent) -> Reply:
        self.sent.append(message)
        await self.may_answer.wait()
        return await super().send(message)


async def submit_array(pilot: Pilot[ExitReason]) -> None:
    await until(pilot, "digits-grid")
    await pilot.press("enter", "a", "up", "l", "enter")
    await until(pilot, "Launch agents", gone=True)


def type_at_once(app: SweepsApp, keys: Iterable[str]) -> None:
    for key in named(keys):
        app.post_message(key_event(key))


async def test_keys_wait_for_the_view_that_the_controllers_answer_opens() -> None:
    client = Slow()
    async with make_app(client).run_test(size=(90, 24)) as pilot:
        app: SweepsApp = pilot.app  # type: ignore[assignment]
        await submit_array(pilot)
        type_at_once(app, ("X", "n", "7"))
        await pilot.pause()
        assert app.has_typed_ahead
        assert app.screen.VIEW == "runs"  # type: ignore[attr-defined]
        client.may_answer.set()
        await until(pilot, "\u203a events")
    assert [type(one) for one in client.sent] == [SubmitArray] * 2


async def test_keys_are_forgotten_when_the_answer_does_not_come_and_the_next_ones_taken() -> None:
    client = Slow()
    async with make_app(client).run_test(size=(90, 24)) as pilot:
        app: SweepsApp = pilot.app  # type: ignore[assignment]
        await submit_array(pilot)
        app.patience_s = 0.0
        type_at_once(app, ("X", "y"))
        await pilot.pause()
        while app.has_typed_ahead:
            await pilot.pause()
        type_at_once(app, "p")
        await until(pilot, "Pause digits-grid?")
        client.may_answer.set()
        for _ in range(3):
            await pilot.pause()
        assert "Pause digits-grid?" in text_of(app), "who answers a question is not led away from it"
        assert "X" not in text_of(app)


async def test_keys_are_not_taken_by_the_screen_that_news_have_opened() -> None:
    client = FakeClient(scenes.digits())
    async with make_app(client).run_test(size=(90, 24)) as pilot:
        app: SweepsApp = pilot.app  # type: ignore[assignment]
        await until(pilot, "digits-grid")
        await pilot.press("enter", "end", "enter")
        await until(pilot, "\u203a 1 calm-lark-1")
        app.reaction_s = 3600.0
        client.push(RunRemoved(run_id=app.screen.run_id, at=scenes.NOW))  # type: ignore[attr-defined]
        await until(pilot, "\u203a 1 calm-lark-1", gone=True)
        await pilot.press("X", "y", "x", "y")
        assert "Cancel" not in text_of(app)
        app._deaf_until = 0.0
        await pilot.press("X")
        await until(pilot, "Cancel digits-grid?")
    assert client.sent == []


async def test_keys_before_the_first_facts_wait_for_them_but_not_for_ever() -> None:
    client = FakeClient(scenes.digits())
    async with make_app(client).run_test(size=(90, 24)) as pilot:
        type_at_once(pilot.app, ("enter", "3"))  # type: ignore[arg-type]
        await until(pilot, "\u203a importance")
    client.away = True
    async with make_app(client).run_test(size=(90, 24)) as pilot:
        pilot.app.patience_s = 0.0  # type: ignore[attr-defined]
        type_at_once(pilot.app, ("enter", "?"))  # type: ignore[arg-type]
        await until(pilot, "Keys of sweeps")


async def test_keys_are_taken_where_a_form_has_so_little_room_that_it_is_laid_out_over_and_over() -> None:
    async with make_app(FakeClient(scenes.digits())).run_test(size=(80, 24)) as pilot:
        app: SweepsApp = pilot.app  # type: ignore[assignment]
        await until(pilot, "digits-grid")
        app.patience_s = 3600.0
        await pilot.press("n", "a")
        await pilot.resize_terminal(3, 8)
        type_at_once(app, (*"bcd", "escape"))
        await pilot.pause()
        while app.has_typed_ahead:
            await pilot.pause()
        await pilot.resize_terminal(80, 24)
        await until(pilot, "digits-grid")
        assert "New sweep" not in text_of(app)
