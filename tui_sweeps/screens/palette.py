"""A list to choose from by typing a part of a name: actions, themes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from tui_sweeps.format import fit, sanitise
from tui_sweeps.screens.dialog import Dialog
from tui_sweeps.widgets.lineinput import LineInput

N_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list."""

    id: str
    label: str
    detail: str = ""
    key: str = ""


def matching(entries: Sequence[Entry], text: str) -> list[Entry]:
    """Return the entries that hold every word, those whose label begins with the text first."""
    words = text.lower().split()
    found = [one for one in entries if all(word in f"{one.label} {one.detail}".lower() for word in words)]
    return sorted(found, key=lambda one: not one.label.lower().startswith(text.lower()))


class Palette(Dialog[str | None]):
    """Returns the chosen entry's id, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c,ctrl+p", "leave", show=False, priority=True),
        Binding("down,ctrl+n", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
    ]

    DEFAULT_CSS = """
    Palette { align: center top; background: $background 60%; }
    Palette > Vertical {
        width: 76; max-width: 96%; height: auto; max-height: 96%; margin-top: 1;
        border: round $primary; background: $surface; padding: 0 1;
    }
    Palette Input { border: none; height: 1; padding: 0; background: $boost; }
    Palette Static { height: auto; }
    Palette:ansi > Vertical { border: round ansi_default; background: ansi_default; color: ansi_default; }
    Palette:ansi { background: ansi_default; }
    """

    def __init__(self, title: str, entries: Sequence[Entry]) -> None:
        super().__init__()
        self._title, self._entries = title, entries
        self._found = list(entries)
        self._at = 0

    def compose(self) -> ComposeResult:
        """Lay out input and list."""
        with Vertical():
            yield Static(Text(self._title, "bold"))
            yield LineInput(placeholder="type a part of the name")
            yield Static(id="list", markup=False)

    def on_mount(self) -> None:
        """Begin to type."""
        self.query_one(Input).focus()
        self.later(self._show)

    def on_resize(self) -> None:
        """Cut the lines to the new room."""
        self.later(self._show)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what fits."""
        self._found, self._at = matching(self._entries, event.value), 0
        self._show()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer with the line under the cursor."""
        self.dismiss(self._found[self._at].id if self._found else None)

    def _show(self) -> None:
        first = max(0, min(self._at - N_SHOWN // 2, len(self._found) - N_SHOWN))
        text = Text()
        room = max(0, self.query_one("#list", Static).size.width - 28)
        for at, entry in enumerate(self._found[first : first + N_SHOWN], start=first):
            style = "reverse" if at == self._at else ""
            text.append(f"{entry.key:>6}  ", f"bold {style}".strip())
            text.append(f"{fit(sanitise(entry.label), 18):18}", style or None)
            text.append(f" {fit(sanitise(entry.detail), room)}\n", f"dim {style}".strip())
        if not self._found:
            text.append("Nothing fits.", "dim")
        self.query_one("#list", Static).update(text)

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        if self._found:
            self._at = (self._at + step) % len(self._found)
            self._show()

    def action_leave(self) -> None:
        """Leave without a choice."""
        self.dismiss(None)
