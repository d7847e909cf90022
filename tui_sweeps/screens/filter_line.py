"""The line in which a filter is typed: mistakes are underlined where they are, matches are counted."""

from __future__ import annotations

from typing import ClassVar

from rich.highlighter import Highlighter
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from tui_sweeps.views.filter import FilterError
from tui_sweeps.widgets.lineinput import LineInput
from tui_sweeps.widgets.words import Words


class _Underline(Highlighter):
    """Underlines the place of the mistake."""

    def __init__(self) -> None:
        self.span: tuple[int, int] | None = None

    def highlight(self, text: Text) -> None:
        """Mark the mistake, if there is one."""
        if self.span is not None:
            text.stylize("underline bold red", *self.span)


class _Line(LineInput):
    """An input that gives its focus back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave(False)", show=False),
        Binding("enter,down", "leave(True)", show=False),
        Binding("ctrl+c", "leave(False)", show=False),
    ]

    def action_leave(self, keep: bool) -> None:
        """End typing."""
        self.post_message(FilterLine.Left(keep))


class FilterLine(Horizontal):
    """`/` with an input and, on the right, the number of matches or the mistake."""

    DEFAULT_CSS = """
    FilterLine { height: 1; display: none; background: $surface; dock: bottom; offset-y: -1; }
    FilterLine.open { display: block; }
    FilterLine > #sign { width: 2; padding-left: 1; color: $accent; text-style: bold; }
    FilterLine > Input { width: 1fr; border: none; height: 1; padding: 0; background: $surface; }
    FilterLine > #said { width: auto; max-width: 60%; padding: 0 1; color: $text-muted; }
    FilterLine.wrong > #said { color: $error; }
    """

    class Changed(Message):
        """The text is different."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """Typing ended; `keep` False: the filter is to be dropped."""

        def __init__(self, keep: bool) -> None:
            super().__init__()
            self.keep = keep

    def __init__(self, sign: str = "/", placeholder: str = "words, state:running, lr<1e-3, a|b, !c") -> None:
        super().__init__()
        self._sign = sign
        self._underline = _Underline()
        self._placeholder = placeholder

    def compose(self) -> ComposeResult:
        """Lay out the line."""
        yield Static(self._sign, id="sign", markup=False)
        yield _Line(highlighter=self._underline, placeholder=self._placeholder, select_on_focus=False)
        yield Words(id="said")

    @property
    def input(self) -> Input:
        """Where the text is typed."""
        return self.query_one(_Line)

    def open(self, text: str) -> None:
        """Show the line with this text and take the focus."""
        self.add_class("open")
        with self.prevent(Input.Changed):
            self.input.value = text
        self.input.cursor_position = len(text)
        self.input.focus()

    def show_text(self, text: str) -> None:
        """Show a filter that is in force without taking the focus; hide the line when there is none."""
        self.set_class(bool(text), "open")
        with self.prevent(Input.Changed):
            self.input.value = text

    def say(self, text: str, mistake: FilterError | None = None) -> None:
        """Say how many match, or what is wrong and where."""
        span = None if mistake is None else (mistake.start, mistake.end)
        if span != self._underline.span:
            self._underline.span = span
            self.input.refresh()
        self.set_class(mistake is not None, "wrong")
        self.query_one("#said", Words).update(Text(text if mistake is None else str(mistake)))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Tell of the new text."""
        event.stop()
        self.post_message(self.Changed(event.value))
