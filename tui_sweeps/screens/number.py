"""A question whose answer is one line of text that is checked while it is typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from tui_sweeps.format import sanitise
from tui_sweeps.screens.dialog import Dialog
from tui_sweeps.widgets.lineinput import LineInput


class NumberScreen(Dialog[int | None]):
    """Returns a number, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+c", "leave", show=False, priority=True)]

    DEFAULT_CSS = """
    NumberScreen { align: center middle; background: $background 60%; }
    NumberScreen > Vertical {
        width: 60; max-width: 96%; height: auto; border: round $primary; background: $surface; padding: 0 1;
    }
    NumberScreen Static { height: auto; }
    NumberScreen Input { border: none; height: 1; padding: 0; background: $boost; }
    NumberScreen #hint { color: $text-muted; }
    NumberScreen:ansi > Vertical { border: round ansi_default; background: ansi_default; }
    NumberScreen:ansi { background: ansi_default; }
    """

    def __init__(self, title: str, text: str, hint: str, read: Callable[[str], int | str]) -> None:
        """`read` returns the number, or what is wrong with the text."""
        super().__init__()
        self._title, self._text, self._hint, self._read = title, text, hint, read

    def compose(self) -> ComposeResult:
        """Lay out the question."""
        with Vertical():
            yield Static(Text(self._title, "bold"))
            yield LineInput(self._text, placeholder=self._hint)
            yield Static(id="said", markup=False)
            yield Static("enter takes it, esc leaves", id="hint", markup=False)

    def on_mount(self) -> None:
        """Begin to type."""
        self.query_one(Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what is wrong."""
        read = self._read(event.value)
        self.query_one("#said", Static).update(Text(sanitise(read), "red") if isinstance(read, str) else "")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer."""
        read = self._read(event.value)
        if isinstance(read, int):
            self.dismiss(read)

    def action_leave(self) -> None:
        """Leave everything as it was."""
        self.dismiss(None)
