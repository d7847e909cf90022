"""The app: tells screens the news, keeps the desk, opens dialogs, and leaves."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from typing import Any, ClassVar
from weakref import WeakSet

from rich.text import Text
from textual.app import App
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.widgets import Input

from controller.client.door import Client
from controller.domain.states import RUN_ACTIVE
from controller.settings import Home, home_path, program
from tui_sweeps.app.commanding import Commanding
from tui_sweeps.app.creation import Creation
from tui_sweeps.app.defects import write_defect
from tui_sweeps.app.delivery import Delivery
from tui_sweeps.app.keyboard import Keyboard
from tui_sweeps.app.keymapping import Keymapping
from tui_sweeps.app.launching import Launching
from tui_sweeps.app.layout import load, save
from tui_sweeps.app.leaving import Begin, ExitReason
from tui_sweeps.app.look import filters
from tui_sweeps.app.navigation import Navigation
from tui_sweeps.app.notices import Notices
from tui_sweeps.app.working import start_work
from tui_sweeps.format import sanitise
from tui_sweeps.link import Link
from tui_sweeps.model import Model, Touched
from tui_sweeps.screens.board import Board, Setting
from tui_sweeps.screens.confirm import leave_question
from tui_sweeps.screens.help import HelpScreen
from tui_sweeps.screens.sweeps import SweepsScreen
from tui_sweeps.views.drafts import Foresight
from tui_sweeps.views.held import unsent_line
from tui_sweeps.views.herald import Herald
from tui_sweeps.views.launching import Place
from tui_sweeps.views.since import look, since_line


class SweepsApp(
    Keyboard, Delivery, Navigation, Notices, Creation, Commanding, Keymapping, Launching, App[ExitReason]
):
    """The dashboard."""

    TITLE = "tui-sweeps"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "now", show=False, priority=True, id="now"),
    ]

    CSS = """
    Toast { max-width: 60; }
    """

    def __init__(
        self,
        client: Client,
        *,
        home: Home | None = None,
        clock: Callable[[], float] = time.time,
        begin: Begin | None = None,
        actor: str = "user",
        driver_class: type[Driver] | None = None,
        foresight: Foresight | None = None,
    ) -> None:
        no_color = "NO_COLOR" in os.environ
        super().__init__(driver_class=driver_class)
        self._path = home.layout if home is not None else None
        self._keymap_path = home.keymap if home is not None else None
        self._begin = begin
        self._actor = actor
        self._foresight = foresight
        self.place = Place(program(), str(home.path if home is not None else home_path()))
        self._held, self._countdown = [], None
        self._typed, self._slow = deque(), WeakSet()
        self._submitting = set()
        self._trail, self._at = [("sweeps", "")], 0
        self._herald = Herald()
        self.model = Model()
        self.setting = Setting(self.model, load(self._path), clock, foresight=foresight)
        self.link = Link(client, self.model, self.tell_boards)
        self._looked = False
        self._line_filters = filters(os.environ)
        if no_color:
            self.theme = "ansi-dark"
        elif self.setting.desk.theme in self.available_themes:
            self.theme = self.setting.desk.theme

    def get_line_filters(self) -> Any:
        """Return Textual's filters and ours: what the terminal cannot show never reaches it."""
        return [*super().get_line_filters(), *self._line_filters]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let `now`'s key through to the screen unless something counts down."""
        if action == "now":
            return bool(self._held) and isinstance(self.screen, Board) and not isinstance(self.focused, Input)
        return True

    async def on_mount(self) -> None:
        """Show the start screen and begin to follow the controller."""
        self.look_at_keymap()
        if unsent := unsent_line(self.setting.desk.unsent):
            self.setting.desk.unsent = []
            self.notify(sanitise(unsent), severity="warning", markup=False, timeout=30)
        await self.push_screen(SweepsScreen(self.setting))
        start_work(self, self.link.run, group="link", exit_on_error=True)
        start_work(self, self.link.watch_storage, group="storage", exit_on_error=True)
        self.set_interval(1.0, self._tick)
        self.set_interval(5.0, self._keep)
        if self._begin is not None:
            start_work(self, self._carry_out, self._begin, group="begin")

    async def _carry_out(self, begin: Begin) -> None:
        sweep_id = await begin()
        if sweep_id is not None:
            self.setting.desk.screen, self.setting.desk.sweep = "sweep", sweep_id
            self.arrive(("runs", sweep_id))

    async def on_unmount(self) -> None:
        """Let go of the controller."""
        await self.link.close()

    def _fatal_error(self) -> None:
        """Leave after a defect of ours with a sentence; where it happened goes into a file."""
        place = write_defect(self._path)
        self._exit_renderables.append(Text(f"The dashboard met a defect and had to close. {place}"))
        self._close_messages_no_wait()

    # ------------------------------------------------------------------ news

    def tell_boards(self) -> None:
        """Tell the board on top; the others catch up when they are seen again."""
        touched = self.model.drain()
        if self.model.ready and not self._looked:
            self._looked = True
            self._first_look()
        self.announce(touched)
        self.tell_submitted()
        boards = self.boards()
        for board in boards[:-1]:
            board.cover()
        if boards and touched:
            boards[-1].model_changed(touched)

    def _first_look(self) -> None:
        desk = self.setting.desk
        self.setting.since = since_line(self.model.world, desk)
        if not desk.hinted:
            desk.hinted = True
            self.notify("? shows the keys of a view, : takes commands, n makes a sweep.", markup=False)
        self.call_later(self._restore)

    def _restore(self) -> None:
        desk = self.setting.desk
        if desk.screen == "sweep":
            self.arrive((desk.of(desk.sweep).view or "runs", desk.sweep))
        self.starts()

    def show_frames(self) -> None:
        """Show the countdown on every board."""
        for board in self.boards():
            board.show_held()

    def _tick(self) -> None:
        world = self.model.world
        if any(world.open_of.values()) and (boards := self.boards()):
            boards[-1].time_went_by()

    def _keep(self) -> None:
        self.save_desk()
        self.look_at_keymap()

    def save_desk(self) -> None:
        """Write down how the dashboard stands."""
        desk = self.setting.desk
        if self.model.ready:
            boards = self.boards()
            desk.screen = "sweep" if len(boards) > 1 else "sweeps"
            desk.seen, desk.left_at = look(self.model.world), self.setting.clock()
        save(self._path, desk)

    def refresh_boards(self) -> None:
        """Show everything anew: how it is shown has changed."""
        boards = self.boards()
        for board in boards[:-1]:
            board.cover()
        if boards:
            boards[-1].model_changed(Touched(everything=True))

    # ------------------------------------------------------------------ dialogs

    def action_help(self) -> None:
        """Explain the keys of the view."""
        if isinstance(self.screen, Board):
            self.push_screen(HelpScreen(self.screen.VIEW, self.setting.keymap))

    # ------------------------------------------------------------------ leaving

    async def action_detach(self) -> None:
        """Leave; the sweeps go on."""
        self._leave(ExitReason.DETACH)

    async def action_quit(self) -> None:
        """Leave; ask first when runs are active."""
        n_active = sum(sum(counts[s] for s in RUN_ACTIVE) for counts in self.model.world.counts_of.values())
        if not n_active:
            self._leave(ExitReason.QUIT)
            return

        def decided(answer: str | None) -> None:
            if answer == "leave":
                self._leave(ExitReason.DETACH)

        self.push_screen(leave_question(n_active), decided)

    def _leave(self, reason: ExitReason) -> None:
        start_work(self, self._send_and_leave, reason, group="leave")

    async def _send_and_leave(self, reason: ExitReason) -> None:
        undone = await self.send_held()
        self.save_desk()
        self.exit(reason, message="; ".join(undone) or None)
