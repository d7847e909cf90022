"""Which boards lie on each other: opening, going up, another view of a sweep, back and forward.

At most three boards are stacked: the sweeps, a sweep's runs, and on top a further view of it or a run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.screen import Screen
from textual.widget import AwaitMount
from textual.widgets import Input

from tui_sweeps.model import Model
from tui_sweeps.screens.agents import AgentsScreen
from tui_sweeps.screens.board import Board, Setting
from tui_sweeps.screens.insight import VIEWS
from tui_sweeps.screens.run import RunScreen
from tui_sweeps.screens.runs import RunsScreen
from tui_sweeps.screens.ways import GoUp, OpenRun, OpenSweep

if TYPE_CHECKING:
    from textual.app import App

    from tui_sweeps.app.leaving import ExitReason

    Base = App[ExitReason]
else:
    Base = object

Place = tuple[str, str]
"""A view's name and the id of the sweep or run that it shows; empty on the start screen."""

N_PLACES = 100
"""How far back one can go."""

SWEEP_VIEWS = {**VIEWS, "agents": AgentsScreen}


class Navigation(Base):
    """Opens and closes boards."""

    model: Model
    setting: Setting
    _trail: list[Place]
    _at: int
    _opening: AwaitMount | None = None

    def surprise(self) -> None:
        """Take no key for a moment."""
        raise NotImplementedError

    def boards(self) -> list[Board]:
        """Return the boards from the start screen up."""
        return [screen for screen in self.screen_stack if isinstance(screen, Board)]

    # ------------------------------------------------------------------ one step

    def on_open_sweep(self, message: OpenSweep) -> None:
        """Open a sweep."""
        self.show_place((self.setting.desk.of(message.sweep_id).view or "runs", message.sweep_id))

    def on_open_run(self, message: OpenRun) -> None:
        """Open a run."""
        self.show_place(("run", message.run_id))

    def on_go_up(self, message: GoUp) -> None:
        """Close the board on top."""
        boards = self.boards()
        if len(boards) > 1 and isinstance(self.screen, Board):
            if not message.is_asked:
                self.surprise()
            boards[-2].cover()
            self.pop_screen()
            self._note()

    def action_view(self, view: str) -> None:
        """Show another view of the open sweep in the place of the one on top."""
        boards = self.boards()
        if isinstance(self.screen, Board) and len(boards) > 1 and isinstance(boards[1], RunsScreen):
            self.show_place((view, boards[1].sweep_id))

    # ------------------------------------------------------------------ any place

    def arrive(self, place: Place, start: Screen[Any] | None = None) -> bool:
        """Go to a sweep's view as work has led there; return whether the sweep is there.

        Whoever answers a question, types, or has left `start` meanwhile stays where they are.
        """
        if place[1] not in self.model.world.sweeps:
            return False
        is_busy = not isinstance(self.screen, Board) or isinstance(self.focused, Input)
        if not is_busy and start in (None, self.screen):
            self.surprise()
            self.show_place(place)
        return True

    def show_place(self, place: Place, *, note: bool = True) -> bool:
        """Bring the boards to a place; return whether it is still there."""
        view, name = place
        world = self.model.world
        run = world.runs.get(name) if view == "run" else None
        sweep_id = name if run is None else run.sweep_id
        if view != "sweeps" and sweep_id not in world.sweeps:
            return False
        self._close_down_to(view, sweep_id)
        if view != "sweeps":
            if len(self.boards()) == 1:
                self.setting.desk.sweep = sweep_id
                self._open(RunsScreen(self.setting, sweep_id))
            if run is not None:
                self._open(RunScreen(self.setting, run.id))
            elif view != "runs" and view in SWEEP_VIEWS:
                self._open(SWEEP_VIEWS[view](self.setting, sweep_id))
            if run is None:
                self.setting.desk.of(sweep_id).view = view
        if note:
            self._note()
        return True

    def _close_down_to(self, view: str, sweep_id: str) -> None:
        while len(self.screen_stack) > 1 and not isinstance(self.screen, Board):
            self.pop_screen()
        boards = self.boards()
        keep = 1
        if view != "sweeps" and len(boards) > 1:
            base = boards[1]
            keep = 2 if isinstance(base, RunsScreen) and base.sweep_id == sweep_id else 1
        if len(boards) > keep:
            boards[keep - 1].cover()
        for _ in boards[keep:]:
            self.pop_screen()

    def _open(self, screen: Screen[None]) -> None:
        self._opening = self.push_screen(screen)

    async def opened(self) -> None:
        """Wait until the board that was opened last has its widgets; only the app may wait for that."""
        if self._opening is not None:
            await self._opening

    # ------------------------------------------------------------------ back and forward

    def _here(self) -> Place:
        top = self.boards()[-1]
        return top.VIEW, getattr(top, "run_id", "") or getattr(top, "sweep_id", "")

    def _note(self) -> None:
        here = self._here()
        if not self._trail or self._trail[self._at] != here:
            self._trail[self._at + 1 :] = [here]
            del self._trail[:-N_PLACES]
            self._at = len(self._trail) - 1

    def action_go_back(self) -> None:
        """Go to the place before."""
        self._go(-1)

    def action_go_forward(self) -> None:
        """Go to the place after."""
        self._go(1)

    def _go(self, step: int) -> None:
        at = self._at + step
        while 0 <= at < len(self._trail):
            if self.show_place(self._trail[at], note=False):
                self._at = at
                return
            at += step
        self.notify("There is no place further.", severity="warning", markup=False)
