"""The form that launches agents, here or as a SLURM array, with the exact text that is submitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import Input, Static

from controller.domain.commands import LaunchAgents, SubmitArray
from tui_sweeps.format import sanitise
from tui_sweeps.model import LaunchDesk
from tui_sweeps.screens.dialog import Dialog
from tui_sweeps.views.launching import FIELDS, WAYS, Planned, first_values
from tui_sweeps.views.states import BAD, QUIET
from tui_sweeps.widgets.lineinput import LineInput

Plan = Callable[[str, Mapping[str, str]], Planned]
"""Way and values to what they mean."""

WIDE = 112
"""From so many cells on the script stands beside the form."""


class Ways(Static, can_focus=True):
    """One of the ways, chosen with the arrow keys or space."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,right,space,h,l", "other", show=False),
        Binding("enter", "screen.submit", show=False),
    ]

    class Chosen(Message):
        """Another way was chosen."""

        def __init__(self, way: str) -> None:
            super().__init__()
            self.way = way

    def __init__(self, way: str) -> None:
        super().__init__(markup=False)
        self.way = way

    def render(self) -> Text:
        """Show both, the chosen one marked."""
        text = Text(no_wrap=True, overflow="ellipsis", end="")
        for way, words in WAYS.items():
            is_on = way == self.way
            text.append(f"{'(x)' if is_on else '( )'} {words}   ", "bold" if is_on else "dim")
        return text

    def action_other(self) -> None:
        """Choose the other way."""
        ways = list(WAYS)
        self.way = ways[(ways.index(self.way) + 1) % len(ways)]
        self.refresh()
        self.post_message(self.Chosen(self.way))


class LaunchScreen(Dialog[tuple[LaunchAgents | SubmitArray, LaunchDesk] | None]):
    """Returns the command with what was typed, or None."""

    AUTO_FOCUS = ""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "leave", show=False, priority=True),
        Binding("down,ctrl+n", "app.focus_next", show=False, priority=True),
        Binding("up", "app.focus_previous", show=False, priority=True),
        Binding("pageup", "scroll_by(-6)", show=False, priority=True),
        Binding("pagedown", "scroll_by(6)", show=False, priority=True),
    ]

    DEFAULT_CSS = """
    LaunchScreen { align: center middle; background: $background 60%; }
    LaunchScreen > Vertical {
        width: 150; max-width: 96%; height: auto; max-height: 96%;
        border: round $primary; background: $surface; padding: 0 1;
    }
    LaunchScreen Static { height: auto; }
    LaunchScreen #body { height: auto; layout: vertical; }
    LaunchScreen .form { height: auto; }
    LaunchScreen .row { height: 1; }
    LaunchScreen .row > Static { width: 15; }
    LaunchScreen Input { width: 1fr; border: none; height: 1; padding: 0; background: $boost; }
    LaunchScreen .local, LaunchScreen .slurm { display: none; }
    LaunchScreen.on-local .local, LaunchScreen.on-slurm .slurm { display: block; }
    LaunchScreen Ways:focus { text-style: reverse; }
    LaunchScreen VerticalScroll { height: auto; margin-top: 1; scrollbar-size-vertical: 1; }
    LaunchScreen #hint { color: $text-muted; }
    LaunchScreen.wide #body { layout: horizontal; }
    LaunchScreen.wide .form { width: 52; margin-right: 2; }
    LaunchScreen.wide VerticalScroll { width: 1fr; margin-top: 0; }
    LaunchScreen:ansi > Vertical {
        border: round ansi_default; background: ansi_default; color: ansi_default; }
    LaunchScreen:ansi { background: ansi_default; }
    LaunchScreen:ansi Input { background: ansi_default; text-style: underline; }
    """

    def __init__(self, name: str, kept: LaunchDesk, plan: Plan, warning: str = "") -> None:
        super().__init__()
        self._name_text, self._plan, self._warning = name, plan, warning
        self._way = kept.way if kept.way in WAYS else next(iter(WAYS))
        firsts = {key: value for way in WAYS for key, value in first_values(way).items()}
        self._values = {key: kept.values.get(key, first) for key, first in firsts.items()}
        self._planned = Planned(None)

    def compose(self) -> ComposeResult:
        """Lay out the way, its fields, the script."""
        with Vertical():
            yield Static(Text(f"Launch agents for {self._name_text}", "bold"))
            with Horizontal(id="body"):
                with Vertical(classes="form"):
                    yield Ways(self._way)
                    for way, fields in FIELDS.items():
                        for field in fields:
                            with Horizontal(classes=f"row {way}"):
                                yield Static(field.label, markup=False)
                                yield LineInput(self._values[field.key], id=field.key, placeholder=field.hint)
                    yield Static(id="said", markup=False)
                with VerticalScroll(can_focus=False):
                    yield Static(id="script", markup=False)
            yield Static(
                "enter launches · ↑ ↓ fields · ← → the way · pgup pgdn the script · esc",
                id="hint",
                markup=False,
            )

    def on_mount(self) -> None:
        """Begin with the first field."""
        self._show_way()
        self.query_one(f"#{FIELDS[self._way][0].key}", Input).focus()

    def on_resize(self) -> None:
        """Put the script beside the form where there is room."""
        is_wide = self.size.width >= WIDE
        self.set_class(is_wide, "wide")
        taken = 6 if is_wide else 9 + len(FIELDS[self._way])
        self.query_one(VerticalScroll).styles.max_height = max(3, self.size.height - taken)

    def _show_way(self) -> None:
        for way in WAYS:
            self.set_class(way == self._way, f"on-{way}")
        self.on_resize()
        self._show()

    def _show(self) -> None:
        self._planned = self._plan(self._way, self._values)
        said = Text()
        if self._planned.problem:
            said.append(sanitise(self._planned.problem), BAD)
        else:
            said.append(sanitise(self._planned.summary), "bold")
            if self._warning and self._way == "slurm":
                said.append(f"\n{sanitise(self._warning)}", "yellow")
        self.query_one("#said", Static).update(said)
        script = Text(overflow="fold")
        for line in self._planned.script.splitlines():
            script.append(sanitise(line) + "\n", QUIET if line.startswith(("$", "# ")) else None)
        self.query_one("#script", Static).update(script)

    def warn(self, text: str) -> None:
        """Say what stands in the way of agents on other hosts."""
        self._warning = text
        self._show()

    def on_ways_chosen(self, message: Ways.Chosen) -> None:
        """Show the fields of the other way, with the cursor still on the choice."""
        self._way = message.way
        self._show_way()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look at what it means now."""
        self._values[event.input.id or ""] = event.value
        self._show()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Launch."""
        self.action_submit()

    def action_submit(self) -> None:
        """Launch when it makes sense."""
        if self._planned.command is None:
            self.app.bell()
            return
        self.dismiss((self._planned.command, LaunchDesk(way=self._way, values=dict(self._values))))

    def action_scroll_by(self, lines: int) -> None:
        """Scroll the script."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_leave(self) -> None:
        """Leave without agents."""
        self.dismiss(None)
