"""The `:` line and the palette: every action by its name, from the one table of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_sweeps.app.navigation import Place
from tui_sweeps.format import sanitise
from tui_sweeps.keys import Key, action_of, first_shown, keys_of
from tui_sweeps.model import Model
from tui_sweeps.screens.board import Board, Setting
from tui_sweeps.screens.command_line import CommandLine, remember
from tui_sweeps.screens.palette import Entry, Palette
from tui_sweeps.views.commands import (
    Typed,
    complete,
    find_run,
    find_sweep,
    run_fields_offered,
    understand,
)
from tui_sweeps.views.filter import SWEEP_FIELDS
from tui_sweeps.views.runs import RunRows

if TYPE_CHECKING:
    from textual.app import App

    from tui_sweeps.app.leaving import ExitReason

    Base = App[ExitReason]
else:
    Base = object


class Commanding(Base):
    """Takes commands by name."""

    model: Model
    setting: Setting

    def show_place(self, place: Place, *, note: bool = True) -> bool:
        """Bring the boards to a place."""
        raise NotImplementedError

    async def opened(self) -> None:
        """Wait until the board that was opened last has its widgets."""
        raise NotImplementedError

    def refresh_boards(self) -> None:
        """Show everything anew."""
        raise NotImplementedError

    def open_draft(self, path: str) -> None:
        """Begin a new sweep from a file."""
        raise NotImplementedError

    def _board(self) -> Board | None:
        return self.screen if isinstance(self.screen, Board) else None

    def _sweep_id(self) -> str | None:
        found: str | None = getattr(self.screen, "chosen_sweep", lambda: None)()
        return found

    # ------------------------------------------------------------------ `:`

    def action_command(self) -> None:
        """Type a command."""
        board = self._board()
        if board is None:
            return
        view, world, sweep_id = board.VIEW, self.model.world, self._sweep_id()
        fields: list[str] = list(SWEEP_FIELDS)
        if sweep_id in world.sweeps and sweep_id is not None and view != "sweeps":
            fields = run_fields_offered(RunRows(self.model, sweep_id).fields())
        themes = list(self.available_themes)

        def offer(text: str) -> list[str]:
            return complete(text, view, world, themes, fields)

        async def typed(text: str | None) -> None:
            if text is not None and text.strip():
                remember(self.setting.desk.commands, text.strip())
                await self._obey(text, view)

        self.push_screen(CommandLine(offer, self.setting.desk.commands), typed)

    async def _obey(self, text: str, view: str) -> None:
        meant = understand(text, view)
        problem = meant if isinstance(meant, str) else await self._do(meant)
        if problem:
            self.notify(sanitise(problem), severity="warning", markup=False)

    async def _do(self, typed: Typed) -> str:
        if typed.key is not None:
            await self._run(typed.key)
            return ""
        world, rest = self.model.world, typed.rest
        match typed.name:
            case "sweep":
                found = find_sweep(world, rest)
                if found is None or not self.show_place(("runs", found)):
                    return f"there is no sweep {rest}"
            case "run":
                run_id = find_run(world, self._sweep_id(), rest)
                if run_id is None or not self.show_place(("run", run_id)):
                    return f"there is no run {rest} here"
            case "theme":
                return self._take_theme(rest)
            case "new":
                self.open_draft(rest)
            case _:
                return await self._filter_or_sort(typed)
        return ""

    async def _filter_or_sort(self, typed: Typed) -> str:
        sweep_id = self._sweep_id()
        if typed.name == "runs":
            if sweep_id is None or not self.show_place(("runs", sweep_id)):
                return "there is no sweep here"
        elif typed.name == "sweeps":
            self.show_place(("sweeps", ""))
        await self.opened()
        take = "take_sort" if typed.name == "sort" else "take_filter"
        taker = getattr(self.screen, take, None)
        if taker is None:
            return f"nothing can be {'sorted' if typed.name == 'sort' else 'filtered'} here"
        taken: str = taker(typed.rest)
        return taken

    async def _run(self, key: Key) -> None:
        await self.run_action(action_of(key), default_namespace=self.screen)

    # ------------------------------------------------------------------ palette

    def action_palette(self) -> None:
        """Find an action by its name."""
        board = self._board()
        if board is None:
            return
        keys = {key.id: key for key in keys_of(board.VIEW) if key.id not in ("palette", "now")}
        keymap = self.setting.keymap
        entries = [Entry(key.id, key.label, key.help, first_shown(key, keymap)) for key in keys.values()]

        async def chosen(name: str | None) -> None:
            if name is not None:
                await self._run(keys[name])

        self.push_screen(Palette("Actions", entries), chosen)

    def action_theme(self) -> None:
        """Choose the colours."""
        entries = [Entry(name, name) for name in sorted(self.available_themes)]

        def chosen(name: str | None) -> None:
            if name is not None and (problem := self._take_theme(name)):
                self.notify(sanitise(problem), severity="warning", markup=False)

        self.push_screen(Palette("Themes", entries), chosen)

    def _take_theme(self, name: str) -> str:
        if name not in self.available_themes:
            return f"there is no theme {name}"
        if self.no_color:
            return "NO_COLOR is set: every theme looks the same"
        self.theme = self.setting.desk.theme = name
        self.refresh_boards()
        return ""
