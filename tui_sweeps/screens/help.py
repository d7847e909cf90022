"""What every key of a view does, with examples of filters."""

from __future__ import annotations

from textwrap import wrap
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui_sweeps.keys import keys_of, shown
from tui_sweeps.screens.dialog import Dialog

EXAMPLES = (
    ("newt adam", "both words somewhere in name, id, host or config"),
    ("state:running", "by field; = is exact, : is part of"),
    ("lr<1e-3 val_acc>=0.9", "numbers; a space means and"),
    ("optimizer=adam|sgd", "either; spaces around | bind loosest"),
    ("!node:n07  -is:ended", "not"),
    ("/^brave-/", "regular expression"),
)


WIDTH, FRAME, KEY_CELLS = 76, 5, 14
"""Of the page with its frame and scrollbar, of these, and of the keys' column."""


class HelpScreen(Dialog[None]):
    """The keys of one view."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter,ctrl+c", "dismiss", show=False),
        Binding("j", "scroll_by(1)", show=False),
        Binding("k", "scroll_by(-1)", show=False),
    ]

    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background 60%; }
    HelpScreen > VerticalScroll {
        width: 76; max-width: 96%; height: auto; max-height: 96%;
        border: round $primary; background: $surface; padding: 0 1; scrollbar-size-vertical: 1;
    }
    HelpScreen Static { height: auto; }
    HelpScreen:ansi > VerticalScroll { border: round ansi_default; background: ansi_default; }
    """

    def __init__(self, view: str, keymap: dict[str, str]) -> None:
        super().__init__()
        self._view, self._keymap = view, keymap

    def compose(self) -> ComposeResult:
        """Lay out the table."""
        with VerticalScroll():
            yield Static(markup=False)

    def on_resize(self) -> None:
        """Break the sentences for the new width."""
        self.query_one(Static).update(self._text(min(WIDTH, int(self.size.width * 0.96)) - FRAME))

    def _text(self, width: int) -> Text:
        text = Text()
        text.append(f"Keys of {self._view}\n", "bold")
        text.append("  ↑↓ j k".ljust(KEY_CELLS) + "Move; PgUp, PgDn, Home, End.\n")
        for key in keys_of(self._view):
            text.append(f"  {shown(key, self._keymap)}".ljust(KEY_CELLS), "bold")
            lines = wrap(key.help, max(20, width - KEY_CELLS)) or [""]
            text.append(("\n" + " " * KEY_CELLS).join(lines) + "\n")
        text.append("\nFilters\n", "bold")
        for example, meaning in EXAMPLES:
            text.append(f"  {example}".ljust(26), "bold")
            text.append(f"{meaning}\n")
        return text

    def action_scroll_by(self, lines: int) -> None:
        """Scroll."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)
