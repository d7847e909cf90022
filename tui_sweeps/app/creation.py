"""New sweeps: from a file, and as the child of a sweep whose file was edited."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import SuspendNotSupported
from textual.screen import Screen

from controller.domain.commands import CreateSweep
from controller.domain.replies import Accepted
from controller.domain.states import RunState
from controller.domain.sweeps import Sweep
from tui_sweeps.app.navigation import Place
from tui_sweeps.app.working import start_work
from tui_sweeps.format import sanitise
from tui_sweeps.link import Link
from tui_sweeps.model import Model
from tui_sweeps.screens.board import Setting
from tui_sweeps.screens.new_sweep import EditedSweep, NewSweep
from tui_sweeps.views.drafts import Draft, Foresight, draft_of, expanded

if TYPE_CHECKING:
    from textual.app import App

    from tui_sweeps.app.leaving import ExitReason

    Base = App[ExitReason]
else:
    Base = object

N_PRIORS_MOST = 2000
"""More do not make a search wiser, only slower."""


class EditorError(Exception):
    """The editor could not be used; the message says why."""


class Creation(Base):
    """Makes sweeps."""

    model: Model
    setting: Setting
    link: Link
    _actor: str
    _foresight: Foresight | None

    def chosen(self) -> Sweep | None:
        """Return the sweep that the screen on top is about."""
        raise NotImplementedError

    def arrive(self, place: Place, start: Screen[Any] | None = None) -> bool:
        """Go to a sweep's view as work has led there."""
        raise NotImplementedError

    # ------------------------------------------------------------------ from a file

    def action_new(self) -> None:
        """Ask for a sweep file."""
        self.open_draft("")

    def open_draft(self, path: str) -> None:
        """Show the form with this path."""

        def create(answer: tuple[str, Draft] | None) -> None:
            if answer is not None:
                start_work(self, self._create_from, *answer, group="create")

        self.push_screen(NewSweep(Path.cwd(), self._foresight, path), create)

    async def _create_from(self, path: str, draft: Draft) -> None:
        config, foresight, outlook = draft.config, self._foresight, draft.outlook
        if config is None or foresight is None or outlook is None:
            return
        directory = foresight.directory(config, expanded(Path.cwd(), path), Path.cwd())
        command = CreateSweep(
            config=config,
            source=draft.source,
            directory=str(directory),
            n_expected=outlook.size,
            project=os.environ.get("WANDB_PROJECT") or config.project or "uncategorized",
            entity=os.environ.get("WANDB_ENTITY") or config.entity or "local",
            name=config.name or "",
            actor=self._actor,
        )
        await self._send_new(command)

    async def _send_new(self, command: CreateSweep) -> None:
        start = self.screen
        reply = await self.link.send(command)
        if not isinstance(reply, Accepted):
            reason = getattr(reply, "reason", "it was not understood")
            self.notify(sanitise(f"{reason}. {getattr(reply, 'hint', '')}"), severity="warning", markup=False)
            return
        self.notify("Created. Press a to launch agents.", markup=False)
        if reply.ids:
            for _ in range(40):  # the change is on its way here
                if self.arrive(("runs", reply.ids[0]), start):
                    return
                await self._a_moment()

    async def _a_moment(self) -> None:
        import asyncio

        await asyncio.sleep(0.05)

    # ------------------------------------------------------------------ as a child

    def action_edit(self) -> None:
        """Edit the chosen sweep's file and create a child of it."""
        sweep = self.chosen()
        if sweep is None:
            self.notify("There is no sweep here.", severity="warning", markup=False)
        else:
            self._edit(sweep, sweep.source)

    def _edit(self, sweep: Sweep, source: str) -> None:
        try:
            edited = self._in_editor(source)
        except EditorError as error:
            self.notify(sanitise(str(error)), severity="warning", markup=False)
            return
        if edited == sweep.source:
            self.notify("Nothing was changed: no sweep is made.", markup=False)
            return
        before, after = draft_of(sweep.source, self._foresight), draft_of(edited, self._foresight)
        priors = self._priors(sweep)

        def decided(answer: str | None) -> None:
            if answer == "again":
                self.call_later(self._edit, sweep, edited)
            elif answer == "create":
                start_work(
                    self,
                    self._create_child,
                    sweep,
                    after,
                    priors,
                    group="create",
                )

        self.push_screen(EditedSweep(sanitise(sweep.name or sweep.id), before, after, len(priors)), decided)

    def _in_editor(self, source: str) -> str:
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
        with tempfile.TemporaryDirectory(prefix="tui-sweeps-") as folder:
            path = Path(folder) / "sweep.yaml"
            path.write_text(source, "utf-8", errors="replace")
            try:
                with self.suspend():
                    # Textual does not give the screen back when something is raised in here.
                    problem = _edit_file(editor, path)
            except SuspendNotSupported:
                raise EditorError("this terminal cannot be lent to an editor") from None
            self.refresh(layout=True)
            if problem:
                raise EditorError(problem)
            try:
                return path.read_text("utf-8")
            except (OSError, UnicodeError):
                raise EditorError("what the editor wrote cannot be read") from None

    def _priors(self, sweep: Sweep) -> tuple[str, ...]:
        world = self.model.world
        finished = [
            run_id
            for run_id in world.runs_of.get(sweep.id, ())
            if world.runs[run_id].state is RunState.FINISHED
        ]
        return tuple(finished[-N_PRIORS_MOST:])

    async def _create_child(self, sweep: Sweep, draft: Draft, priors: tuple[str, ...]) -> None:
        config = draft.config
        if config is None or draft.outlook is None:
            return
        command = CreateSweep(
            config=config,
            source=draft.source,
            directory=sweep.directory,
            n_expected=draft.outlook.size,
            project=sweep.project,
            entity=sweep.entity,
            name=config.name or (f"{sweep.name}-child" if sweep.name else ""),
            parent=sweep.id,
            prior_runs=priors,
            actor=self._actor,
        )
        await self._send_new(command)


def _edit_file(editor: str, path: Path) -> str:
    try:
        ended = subprocess.run([*shlex.split(editor), str(path)], check=False)
    except (OSError, ValueError) as error:
        return f"cannot start the editor {editor}: {error}; set $EDITOR"
    return f"the editor ended with {ended.returncode}: nothing was taken" if ended.returncode else ""
