"""Types anything at the dashboard, faster than it draws, while sizes, facts and controller come and go."""

from __future__ import annotations

import asyncio
import random
import time

from textual import events
from textual.pilot import Pilot

from controller.domain.changes import Change, NoteAdded, RunStateSet, SweepStateSet
from controller.domain.runs import Run
from controller.domain.states import RUN_MOVES, SWEEP_OPEN, SweepState
from tests import plot_scenes
from tests.dashboard.screen import make_app
from tests.fake_client import FakeClient
from tests.scenes import NOW
from tui_sweeps.app import ExitReason, SweepsApp
from tui_sweeps.keys import KEYS, sign

LEAVING = frozenset({"q", "d", "ctrl+c"})
"""Keys that end the dashboard; they are left out."""

OFTEN = (
    *("enter", "escape") * 6,
    *"1234567" * 3,
    "up",
    "down",
    "pagedown",
    "home",
    "tab",
    "y",
    "n",
    "backspace",
)
TYPED = (*"abelrst<>=|!:/-0123. ", "left", "right", "end", "delete")
NAMED = sorted({one.strip() for key in KEYS for one in key.keys.split(",")} - LEAVING)

SIZES = ((1, 1), (20, 5), (500, 200), (2, 100), (300, 2), (80, 24), (31, 9), (120, 40))
"""Of the terminal; the greatest is rare, because it costs a second to draw."""
DEAD_S = 240.0
"""Dozens of keys may wait on a terminal of 500x200, and the machine may have much else to do."""

WEIGHTS = (4, 4, 1, 2, 2, 6, 4, 4)


def key_event(key: str) -> events.Key:
    """Return what a terminal sends for a key."""
    typed = sign(key)
    return events.Key(key, typed if len(typed) == 1 and typed not in "←→↑↓" else None)


def news(client: FakeClient, dice: random.Random) -> Change:
    """Return a change as the controller might tell one."""
    run: Run = client.world.runs[dice.choice(list(client.world.runs))]
    moves = sorted(RUN_MOVES[run.state])
    match dice.randrange(4):
        case 0 if moves:
            return RunStateSet(run_id=run.id, state=dice.choice(moves), at=NOW)
        case 1:
            sweep = client.world.sweeps[run.sweep_id]
            states = [SweepState.RUNNING, SweepState.PAUSED] if sweep.state in SWEEP_OPEN else [sweep.state]
            return SweepStateSet(sweep_id=sweep.id, state=dice.choice(states), cause="", at=NOW)
        case _:
            return NoteAdded(at=1.0, actor="a", text="b", sweep_id=run.sweep_id)


class Fuzz:
    """One seeded hour at the keyboard."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._client: FakeClient
        self._pilot: Pilot[ExitReason]
        self._app: SweepsApp
        self.screens: set[str] = set()
        """Names of the screens that were seen."""
        self.n_keys = 0
        """Keys that were typed."""

    async def go(self, n_steps: int) -> None:
        """Do so many things; a defect of the dashboard comes out of here as an exception."""
        while n_steps > 0:
            n_steps -= await self._sit(n_steps)

    async def _sit(self, n_steps: int) -> int:
        """Use one dashboard until it is left, by the palette or a command; return how much was done."""
        self._client = FakeClient(plot_scenes.tuned(60))
        app = make_app(self._client)
        async with app.run_test(size=(100, 30)) as pilot:
            self._pilot, self._app = pilot, app
            while not app.model.ready:
                await pilot.pause()
            for n_done in range(1, n_steps + 1):
                await self._step()
                self.screens.add(type(app.screen).__name__)
                if app.return_value is not None:
                    return n_done
            await self._taken()
        return n_steps

    async def _step(self) -> None:
        dice, app = self._dice, self._pilot.app
        match dice.randrange(40):
            case 0:
                await self._pilot.resize_terminal(*dice.choices(SIZES, WEIGHTS)[0])
            case 1 | 2 | 3:
                self._client.push(news(self._client, dice))
            case 4 if dice.random() < 0.3:
                self._client.go_away()
            case 5:
                self._client.away = False
                self._client.resync()
            case 6 | 7:
                await asyncio.sleep(dice.choice((0.0, 0.0, 0.002, 0.03)))
            case 8 | 9 | 10 | 11:
                await self._taken()
            case _:
                keys = dice.choices((NAMED, OFTEN, TYPED), (3, 4, 1))[0]
                for _ in range(dice.choice((1, 1, 2, 3))):
                    app.post_message(key_event(dice.choice(keys)))
                    self.n_keys += 1
                await asyncio.sleep(0)

    async def _taken(self) -> None:
        """Wait until nothing typed waits any more."""
        app, deadline = self._app, time.monotonic() + DEAD_S
        while app.return_value is None and (app.message_queue_size or app.has_typed_ahead):
            assert time.monotonic() < deadline, "the keyboard is dead"
            await asyncio.sleep(0.002)
