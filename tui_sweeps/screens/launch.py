"""The form that launches agents on this machine."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

N_AGENTS_MOST = 256
"""More processes than any login node bears; a slip of the finger should not start them."""


class LaunchScreen(ModalScreen[tuple[int, int | None] | None]):
    """How many agents, and how many runs each; returns both, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+c", "dismiss", show=False)]

    DEFAULT_CSS = """
    LaunchScreen { align: center middle; background: $background 60%; }
    LaunchScreen > Vertical {
        width: 58; max-width: 95%; height: auto; border: round $primary; background: $surface; padding: 1 2;
    }
    LaunchScreen Static { height: auto; }
    LaunchScreen .row { height: 1; }
    LaunchScreen .row > Static { width: 26; }
    LaunchScreen Input { width: 1fr; border: none; height: 1; padding: 0; background: $boost; }
    LaunchScreen #said { color: $error; margin-top: 1; }
    LaunchScreen:ansi > Vertical { border: round ansi_default; background: ansi_default; }
    """

    def __init__(self, name: str, n_agents: int) -> None:
        super().__init__()
        self._name_text, self._n_agents = name, n_agents

    def compose(self) -> ComposeResult:
        """Lay out the form."""
        with Vertical():
            yield Static(Text(f"Launch agents for {self._name_text}", "bold"))
            with Horizontal(classes="row"):
                yield Static("Agents on this machine", markup=False)
                yield Input(str(self._n_agents), id="n", compact=True, type="integer")
            with Horizontal(classes="row"):
                yield Static("Runs each (empty: all)", markup=False)
                yield Input("", id="count", compact=True, type="integer")
            yield Static("enter launches, tab next field, esc leaves", markup=False)
            yield Static(id="said", markup=False)

    def on_mount(self) -> None:
        """Begin with the number."""
        self.query_one("#n", Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Check and answer."""
        n_text, count_text = self.query_one("#n", Input).value, self.query_one("#count", Input).value
        try:
            n_agents, count = int(n_text), int(count_text) if count_text.strip() else None
        except ValueError:
            n_agents, count = 0, None
        if not 1 <= n_agents <= N_AGENTS_MOST or (count is not None and count < 1):
            said = f"Agents: 1 to {N_AGENTS_MOST}; runs each: at least 1, or nothing."
            self.query_one("#said", Static).update(Text(said))
            return
        self.dismiss((n_agents, count))
