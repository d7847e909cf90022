"""The user's own keys, read at the start and again whenever their file is another one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tui_sweeps.format import sanitise
from tui_sweeps.keys import KeymapError, read_keymap
from tui_sweeps.screens.board import Setting

if TYPE_CHECKING:
    from textual.app import App

    from tui_sweeps.app.leaving import ExitReason

    Base = App[ExitReason]
else:
    Base = object

Stamp = tuple[int, int]
"""When a file was written, in nanoseconds, and its size."""


class Keymapping(Base):
    """Binds the user's keys."""

    setting: Setting
    _keymap_path: Path | None
    _keymap_stamp: Stamp | None = None

    def refresh_boards(self) -> None:
        """Show everything anew."""
        raise NotImplementedError

    def look_at_keymap(self) -> None:
        """Read the file if it was written since; a mistake in it leaves the keys as they are."""
        stamp = self._stamp()
        if stamp == self._keymap_stamp:
            return
        self._keymap_stamp = stamp
        self._take_keymap(self._keymap_path if stamp is not None else None)

    def action_read_keys(self) -> None:
        """Read the file again."""
        self._keymap_stamp = self._stamp()
        if self._keymap_path is None or self._keymap_stamp is None:
            where = self._keymap_path or "a home"
            self.notify(sanitise(f"There is no file {where}: every key is as it comes."), markup=False)
        elif self._take_keymap(self._keymap_path):
            n_own = len(self.setting.keymap)
            self.notify(f"{n_own} {'key is' if n_own == 1 else 'keys are'} your own.", markup=False)

    def _stamp(self) -> Stamp | None:
        try:
            found = self._keymap_path.stat() if self._keymap_path is not None else None
        except OSError:
            return None
        return None if found is None else (found.st_mtime_ns, found.st_size)

    def _take_keymap(self, path: Path | None) -> bool:
        """Bind what the file says; without a file every key is as it comes."""
        try:
            keymap = {} if path is None else read_keymap(path.read_text("utf-8"), path.name)
        except (KeymapError, OSError, UnicodeError) as error:
            self.notify(sanitise(str(error)), severity="warning", markup=False, timeout=15)
            return False
        if keymap != self.setting.keymap:
            self.setting.keymap = keymap
            self.set_keymap(keymap)
            self.refresh_boards()
        return True
