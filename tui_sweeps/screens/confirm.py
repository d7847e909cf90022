"""Questions: an act with its effect in numbers; leaving while runs are active."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Static

from tui_sweeps.format import counted
from tui_sweeps.screens.dialog import Dialog
from tui_sweeps.views.effects import Effect


class Question(Dialog[str]):
    """A question with a few answers; `escape` takes the last one, which changes nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "last", "No", show=False),
        Binding("y", "first", "Yes", show=False),
        Binding("left,h", "app.focus_previous", show=False),
        Binding("right,l", "app.focus_next", show=False),
        Binding("ctrl+c", "last", show=False, priority=True),
    ]

    DEFAULT_CSS = """
    Question { align: center middle; background: $background 60%; }
    Question > Vertical {
        width: 64; max-width: 95%; height: auto; max-height: 95%;
        border: round $primary; background: $surface; padding: 1 2; overflow-y: auto;
    }
    Question.grave > Vertical { border: round $error; }
    Question #title { text-style: bold; margin-bottom: 1; }
    Question Horizontal { height: auto; margin-top: 1; align-horizontal: right; }
    Question Button { margin-left: 2; }
    Question:ansi > Vertical { border: round ansi_default; background: ansi_default; color: ansi_default; }
    Question:ansi { background: ansi_default; }
    Question Button:focus { text-style: bold reverse; }
    """

    def __init__(
        self,
        title: str,
        lines: tuple[str, ...],
        answers: tuple[tuple[str, str], ...],
        default: str,
        grave: bool,
    ) -> None:
        super().__init__(classes="grave" if grave else "")
        self._title, self._lines = title, lines
        self._answers, self._default = answers, default

    def compose(self) -> ComposeResult:
        """Lay out the question."""
        with Vertical():
            yield Static(Text(self._title), id="title")
            for line in self._lines:
                yield Static(Text(line))
            with Horizontal():
                for name, label in self._answers:
                    yield Button(Text(f" {label} "), id=name, compact=True)

    def on_mount(self) -> None:
        """Stand on the answer that does least."""
        self.query_one(f"#{self._default}", Button).focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        self.dismiss(event.button.id or "")

    def action_first(self) -> None:
        """Answer with the first."""
        self.dismiss(self._answers[0][0])

    def action_last(self) -> None:
        """Answer with the last."""
        self.dismiss(self._answers[-1][0])


def confirm(effect: Effect) -> Question:
    """Return the question whether to do it; what kills has No as its default."""
    answers = (("yes", f"{effect.yes} (y)"), ("no", "No (n)"))
    default = "no" if effect.grave else "yes"
    return Question(effect.title, effect.lines, answers, default, effect.grave)


def leave_question(n_active: int) -> Question:
    """Return the question whether to leave while runs are active."""
    return Question(
        "Leave the dashboard?",
        (
            f"{counted(n_active, 'run')} active.",
            "Nothing is stopped: the sweeps go on without the dashboard.",
        ),
        (("leave", "Detach (y)"), ("stay", "Stay (n)")),
        "leave",
        False,
    )
