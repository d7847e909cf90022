"""The app: carries messages between screens and link, tells screens the news, opens and closes screens."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any, ClassVar

from textual.app import App
from textual.binding import BindingType
from textual.driver import Driver

from controller.client.door import Client
from controller.domain.commands import LaunchAgents
from controller.domain.queries import Curves, GetCurves
from controller.domain.replies import Accepted, Refused
from controller.domain.states import RUN_ACTIVE
from controller.settings import Home
from tui_sweeps.app.layout import load, save
from tui_sweeps.app.look import filters
from tui_sweeps.format import sanitise
from tui_sweeps.keys import KeymapError, read_keymap
from tui_sweeps.link import Link
from tui_sweeps.messages import Answered, Ask, Copy, Replied, Send, WantTails
from tui_sweeps.model import Model
from tui_sweeps.screens.board import Board, Setting
from tui_sweeps.screens.confirm import Question
from tui_sweeps.screens.help import HelpScreen
from tui_sweeps.screens.insight import VIEWS
from tui_sweeps.screens.launch import LaunchScreen
from tui_sweeps.screens.run import RunScreen
from tui_sweeps.screens.runs import RunsScreen
from tui_sweeps.screens.sweeps import SweepsScreen
from tui_sweeps.screens.ways import GoUp, OpenRun, OpenSweep
from tui_sweeps.views.effects import count
from tui_sweeps.views.since import look, since_line


class ExitReason(StrEnum):
    """How the dashboard was left."""

    QUIT = "quit"
    DETACH = "detach"


Begin = Callable[[], Awaitable[str | None]]
"""What happens once at the start; returns the id of a sweep to open."""


class SweepsApp(App[ExitReason]):
    """The dashboard."""

    TITLE = "tui-sweeps"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []

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
    ) -> None:
        no_color = "NO_COLOR" in os.environ
        super().__init__(driver_class=driver_class)
        self._path = home.layout if home is not None else None
        self._keymap_path = home.keymap if home is not None else None
        self._begin = begin
        self._actor = actor
        self.model = Model()
        self.setting = Setting(self.model, load(self._path), clock)
        self.link = Link(client, self.model, self._news)
        self._looked = False
        self._line_filters = filters(os.environ)
        if no_color:
            self.theme = "ansi-dark"

    def get_line_filters(self) -> Any:
        """Return Textual's filters and ours: what the terminal cannot show never reaches it."""
        return [*super().get_line_filters(), *self._line_filters]

    async def on_mount(self) -> None:
        """Show the start screen and begin to follow the controller."""
        self._read_keymap()
        await self.push_screen(SweepsScreen(self.setting))
        self.run_worker(self.link.run(), name="link", exit_on_error=True)
        self.set_interval(1.0, self._tick)
        self.set_interval(5.0, self._save)
        if self._begin is not None:
            self.run_worker(self._start(self._begin), name="begin", exit_on_error=False)

    async def _start(self, begin: Begin) -> None:
        sweep_id = await begin()
        if sweep_id is not None:
            self.setting.desk.screen, self.setting.desk.sweep = "sweep", sweep_id
            if sweep_id in self.model.world.sweeps:
                self._open_sweep(sweep_id)

    def _read_keymap(self) -> None:
        if self._keymap_path is None or not self._keymap_path.exists():
            return
        try:
            keymap = read_keymap(self._keymap_path.read_text("utf-8"), self._keymap_path.name)
        except (KeymapError, OSError, UnicodeError) as error:
            self.notify(sanitise(str(error)), severity="warning", markup=False, timeout=15)
            return
        self.setting.keymap = keymap
        self.set_keymap(keymap)

    # ------------------------------------------------------------------ news

    def _boards(self) -> list[Board]:
        return [screen for screen in self.screen_stack if isinstance(screen, Board)]

    def _news(self) -> None:
        """Tell the board on top; the others catch up when they are seen again."""
        touched = self.model.drain()
        if self.model.ready and not self._looked:
            self._looked = True
            self.setting.since = since_line(self.model.world, self.setting.desk)
            if self.setting.desk.screen == "sweep" and self.setting.desk.sweep in self.model.world.sweeps:
                self.call_later(self._open_sweep, self.setting.desk.sweep)
        boards = self._boards()
        for board in boards[:-1]:
            board.cover()
        if boards and touched:
            boards[-1].model_changed(touched)

    def _tick(self) -> None:
        world = self.model.world
        if any(world.open_of.values()) and (boards := self._boards()):
            boards[-1].time_went_by()

    def _save(self) -> None:
        desk = self.setting.desk
        boards = self._boards()
        desk.screen = "sweep" if len(boards) > 1 else "sweeps"
        if len(boards) > 1 and isinstance(boards[1], RunsScreen):
            desk.sweep = boards[1].sweep_id
        if self.model.ready:
            desk.seen, desk.left_at = look(self.model.world), self.setting.clock()
        save(self._path, desk)

    # ------------------------------------------------------------------ messages from screens

    async def on_send(self, message: Send) -> None:
        """Deliver a command off the message loop."""
        self.model.wait(message.marks, message.mark)
        self._news()
        self.run_worker(self._deliver(message), group="send", exit_on_error=False)

    async def _deliver(self, message: Send) -> None:
        import msgspec

        command = msgspec.structs.replace(message.command, actor=self._actor)
        reply = await self.link.send(command)
        if isinstance(reply, Refused):
            self.model.wait(message.marks, "")
            text = f"{reply.reason}. {reply.hint}" if reply.hint else reply.reason
            self.notify(sanitise(text), severity="warning", markup=False)
        elif isinstance(reply, Accepted) and reply.text:
            self.notify(sanitise(reply.text), markup=False)
        self._news()
        self.screen.post_message(Replied(message.command, reply))

    async def on_ask(self, message: Ask) -> None:
        """Ask off the message loop; a later question of the same kind takes its place."""
        group = f"ask-{id(message.asker)}-{message.key}"
        self.run_worker(self._answer(message), group=group, exclusive=True, exit_on_error=False)

    async def _answer(self, message: Ask) -> None:
        answer = await self.link.ask(message.query)
        message.asker.post_message(Answered(message.key, answer))

    async def on_want_tails(self, message: WantTails) -> None:
        """Fetch the courses that came before this dashboard."""
        self.run_worker(self._fetch_tails(message), group="tails", exit_on_error=False)

    async def _fetch_tails(self, message: WantTails) -> None:
        query = GetCurves(run_ids=message.run_ids, key=message.metric, n_columns=message.n_columns)
        answer = await self.link.ask(query)
        if isinstance(answer, Curves):
            for run_id, points in answer.curves.items():
                if points:
                    self.model.seed_tail(run_id, [value for _, value in points])
            self._news()

    def on_copy(self, message: Copy) -> None:
        """Put text on the terminal's clipboard."""
        self.copy_to_clipboard(message.text)
        self.notify(f"Copied the {message.what}.", markup=False)

    # ------------------------------------------------------------------ screens

    def on_open_sweep(self, message: OpenSweep) -> None:
        """Open a sweep."""
        self._open_sweep(message.sweep_id)

    def _open_sweep(self, sweep_id: str) -> None:
        if len(self._boards()) == 1:
            self.setting.desk.sweep = sweep_id
            self.push_screen(RunsScreen(self.setting, sweep_id))

    def on_open_run(self, message: OpenRun) -> None:
        """Open a run."""
        self.push_screen(RunScreen(self.setting, message.run_id))

    def on_go_up(self, message: GoUp) -> None:
        """Close the board on top."""
        if len(self._boards()) > 1 and isinstance(self.screen, Board):
            self.screen_stack[-2].cover() if isinstance(self.screen_stack[-2], Board) else None
            self.pop_screen()

    def _view(self, view: str) -> None:
        """Show another view of the open sweep in the place of the one on top."""
        if not isinstance(self.screen, Board) or view == self.screen.VIEW or self.screen.VIEW == "run":
            return
        if self.screen.VIEW != "runs":
            self.pop_screen()
        runs = self._boards()[1]
        if view != "runs" and isinstance(runs, RunsScreen):
            self.push_screen(VIEWS[view](self.setting, runs.sweep_id))

    def action_view_runs(self) -> None:
        """Show the runs."""
        self._view("runs")

    def action_view_parallel(self) -> None:
        """Show the parallel coordinates."""
        self._view("parallel")

    def action_view_importance(self) -> None:
        """Show the importance."""
        self._view("importance")

    def action_view_agents(self) -> None:
        """Show the agents."""
        self._view("agents")

    def action_view_events(self) -> None:
        """Show the log of events."""
        self._view("events")

    def action_help(self) -> None:
        """Explain the keys of the view."""
        if isinstance(self.screen, Board):
            self.push_screen(HelpScreen(self.screen.VIEW, self.setting.keymap))

    def action_agents(self) -> None:
        """Ask how many agents to launch, and launch them."""
        chosen = getattr(self.screen, "chosen_sweep", lambda: None)()
        sweep = self.model.world.sweeps.get(chosen) if chosen else None
        if sweep is None:
            self.notify("There is no sweep here.", severity="warning", markup=False)
            return

        def launch(answer: tuple[int, int | None] | None) -> None:
            if answer is not None:
                self.setting.desk.n_agents = answer[0]
                command = LaunchAgents(sweep_id=sweep.id, n_agents=answer[0], count=answer[1])
                self.post_message(Send(command))

        self.push_screen(LaunchScreen(sanitise(sweep.name or sweep.id), self.setting.desk.n_agents), launch)

    # ------------------------------------------------------------------ leaving

    def action_detach(self) -> None:
        """Leave; the sweeps go on."""
        self._leave(ExitReason.DETACH)

    async def action_quit(self) -> None:
        """Leave; ask first when runs are active."""
        n_active = sum(sum(counts[s] for s in RUN_ACTIVE) for counts in self.model.world.counts_of.values())
        if not n_active:
            self._leave(ExitReason.QUIT)
            return
        question = Question(
            "Leave the dashboard?",
            (
                f"{count(n_active, 'run')} active.",
                "Nothing is stopped: the sweeps go on without the dashboard.",
            ),
            (("leave", "Detach (y)"), ("stay", "Stay (n)")),
            "leave",
            False,
        )

        def decided(answer: str | None) -> None:
            if answer == "leave":
                self._leave(ExitReason.DETACH)

        self.push_screen(question, decided)

    def _leave(self, reason: ExitReason) -> None:
        self._save()
        self.exit(reason)


def run_dashboard(
    client: Client,
    home: Home | None = None,
    *,
    begin: Begin | None = None,
    actor: str = "user",
    on_detach: Callable[[], None] | None = None,
) -> ExitReason:
    """Show the dashboard until the user leaves it; say how."""
    from tui_sweeps.driver import DeltaDriver

    app = SweepsApp(client, home=home, begin=begin, actor=actor, driver_class=DeltaDriver)
    reason = app.run() or ExitReason.QUIT
    if reason is ExitReason.DETACH and on_detach is not None:
        on_detach()
    return reason
