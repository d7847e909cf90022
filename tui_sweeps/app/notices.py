"""Tells of news with a bell, the terminal's own notification (OSC 9) and a toast; per sweep on or off."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from controller.domain.sweeps import Sweep
from tui_sweeps.format import sanitise
from tui_sweeps.model import Model, Touched
from tui_sweeps.screens.board import Setting
from tui_sweeps.views.herald import Herald

if TYPE_CHECKING:
    from textual.app import App

    from tui_sweeps.app.leaving import ExitReason

    Base = App[ExitReason]
else:
    Base = object


def terminal_notification(text: str, tmux: bool) -> str:
    """Return OSC 9 with this text; tmux passes it on when it is wrapped."""
    # Separators of the sequence itself must not come from a name.
    clean = sanitise(text, width=120).replace(";", ",")
    sequence = f"\x1b]9;{clean}\x07"
    return f"\x1bPtmux;\x1b{sequence}\x1b\\" if tmux else sequence


class Notices(Base):
    """Rings."""

    model: Model
    setting: Setting
    to_terminal: Callable[[str], None] | None = None
    """Writes to the terminal past the picture; None where there is no terminal."""
    _herald: Herald

    def announce(self, touched: Touched) -> None:
        """Tell of what these changes bring that is worth a bell."""
        world = self.model.world
        if touched.everything:
            self._herald.forget()
        sweep_ids = set(world.sweeps) if touched.everything else touched.sweeps
        for notice in self._herald.hear(world, sweep_ids, time.monotonic()):
            if notice.sweep_id in self.setting.desk.quiet:
                continue
            self.notify(notice.text, markup=False)
            self.bell()
            if self.to_terminal is not None:
                self.to_terminal(terminal_notification(notice.text, bool(os.environ.get("TMUX"))))

    def chosen(self) -> Sweep | None:
        """Return the sweep that the screen on top is about."""
        sweep_id = getattr(self.screen, "chosen_sweep", lambda: None)()
        return self.model.world.sweeps.get(sweep_id) if sweep_id else None

    def action_ring(self) -> None:
        """Switch the bell of the chosen sweep."""
        sweep = self.chosen()
        if sweep is None:
            self.notify("There is no sweep here.", severity="warning", markup=False)
            return
        quiet = self.setting.desk.quiet
        if sweep.id in quiet:
            quiet.remove(sweep.id)
        else:
            quiet.append(sweep.id)
        name = sanitise(sweep.name or sweep.id, width=40)
        self.notify(f"{name} {'is quiet now' if sweep.id in quiet else 'rings again'}.", markup=False)
