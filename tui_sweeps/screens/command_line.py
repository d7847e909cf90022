"""The `:` line at the bottom: completion by tab, history by up and down."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from tui_sweeps.screens.dialog import Dialog
from tui_sweeps.widgets.lineinput import LineInput

N_HISTORY = 100


class _Line(LineInput):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "screen.complete", show=False, priority=True),
        Binding("up", "screen.history(-1)", show=False),
        Binding("down", "screen.history(1)", show=False),
    ]


class CommandLine(Dialog[str | None]):
    """Returns what was typed, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+c", "leave", show=False, priority=True)]

    DEFAULT_CSS = """
    CommandLine { align: left bottom; background: transparent; }
    CommandLine > Vertical { height: 2; background: $surface; }
    CommandLine #offered { height: 1; padding: 0 1; color: $text-muted; background: $panel; }
    CommandLine Horizontal { height: 1; }
    CommandLine #sign { width: 2; padding-left: 1; color: $accent; text-style: bold; }
    CommandLine Input { width: 1fr; border: none; height: 1; padding: 0; background: $surface; }
    CommandLine:ansi > Vertical, CommandLine:ansi #offered { background: ansi_default; color: ansi_default; }
    """

    def __init__(self, complete: Callable[[str], list[str]], history: list[str], text: str = "") -> None:
        super().__init__()
        self._complete, self._history, self._text = complete, history, text
        self._offered: list[str] = []
        self._cycled = -1
        self._back = len(history)

    def compose(self) -> ComposeResult:
        """Lay out the line."""
        with Vertical():
            yield Static(id="offered", markup=False)
            with Horizontal():
                yield Static(":", id="sign", markup=False)
                yield _Line(self._text, select_on_focus=False)

    def on_mount(self) -> None:
        """Begin to type."""
        self.query_one(_Line).focus()
        self._offer()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Offer what fits."""
        event.stop()
        if self._cycled >= 0 and event.value == self._offered[self._cycled]:
            return
        self._cycled = -1
        self._offer()

    def _offer(self) -> None:
        self._offered = self._complete(self.query_one(_Line).value)
        self._show()

    def _show(self) -> None:
        text = Text(no_wrap=True, overflow="ellipsis", end="")
        for n, line in enumerate(self._offered):
            word = line.rsplit(" ", 1)[-1]
            text.append(f"{word}  ", "bold reverse" if n == self._cycled else None)
        self.query_one("#offered", Static).update(text)

    def _put(self, text: str) -> None:
        line = self.query_one(_Line)
        line.value = text
        line.cursor_position = len(text)

    def action_complete(self) -> None:
        """Take the next completion."""
        if self._offered:
            self._cycled = (self._cycled + 1) % len(self._offered)
            self._put(self._offered[self._cycled])
            self._show()

    def action_history(self, step: int) -> None:
        """Take an earlier or a later line."""
        self._back = min(max(0, self._back + step), len(self._history))
        self._put(self._history[self._back] if self._back < len(self._history) else "")

    def on_key(self, event: events.Key) -> None:
        """A backspace in an empty line leaves it."""
        if event.key == "backspace" and not self.query_one(_Line).value:
            event.stop()
            self.dismiss(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer."""
        event.stop()
        self.dismiss(event.value)

    def action_leave(self) -> None:
        """Leave without a command."""
        self.dismiss(None)


def remember(history: list[str], text: str) -> None:
    """Keep a line once, latest last."""
    if text in history:
        history.remove(text)
    history.append(text)
    del history[:-N_HISTORY]
