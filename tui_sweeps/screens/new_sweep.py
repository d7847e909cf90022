"""The form that makes a sweep of a YAML file, and the page that shows an edited one before it is made."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Input, Static

from tui_sweeps.format import counted, sanitise
from tui_sweeps.screens.dialog import Dialog
from tui_sweeps.views.drafts import (
    Draft,
    Foresight,
    complete_path,
    diff_text,
    draft_of,
    draft_text,
    expanded,
    size_text,
    source_of,
)
from tui_sweeps.widgets.lineinput import LineInput

LOOK = """
{0} {{ align: center middle; background: $background 60%; }}
{0} > Vertical {{
    width: 100; max-width: 96%; height: auto; max-height: 96%;
    border: round $primary; background: $surface; padding: 0 1;
}}
{0} Input {{ border: none; height: 1; padding: 0; background: $boost; }}
{0} Static {{ height: auto; }}
{0} #offered, {0} #hint {{ color: $text-muted; }}
{0} VerticalScroll {{ height: auto; max-height: 24; margin-top: 1; scrollbar-size-vertical: 1; }}
{0}:ansi > Vertical {{ border: round ansi_default; background: ansi_default; color: ansi_default; }}
{0}:ansi {{ background: ansi_default; }}
"""

DEBOUNCE_S = 0.15
"""A file is read when typing rests this long."""


class NewSweep(Dialog[tuple[str, Draft] | None]):
    """Returns the path with what was read there, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "leave", show=False, priority=True),
        Binding("tab", "complete", show=False, priority=True),
        Binding("pageup", "scroll_by(-8)", show=False, priority=True),
        Binding("pagedown", "scroll_by(8)", show=False, priority=True),
    ]

    DEFAULT_CSS = LOOK.format("NewSweep")

    def __init__(self, here: Path, foresight: Foresight | None, path: str = "") -> None:
        super().__init__()
        self._here, self._foresight, self._path = here, foresight, path
        self._draft: Draft | None = None

    def compose(self) -> ComposeResult:
        """Lay out path, offers, what was read."""
        with Vertical():
            yield Static(Text("New sweep from a YAML file", "bold"))
            yield LineInput(self._path, placeholder="path of the file", select_on_focus=False)
            yield Static(id="offered", markup=False)
            with VerticalScroll(can_focus=False):
                yield Static(id="text", markup=False)
            yield Static("tab completes, enter creates the sweep, esc leaves", id="hint", markup=False)

    def on_mount(self) -> None:
        """Begin with the path."""
        self.query_one(Input).focus()
        self._offer()
        if self._path:
            self._look(self._path)

    def _offer(self) -> None:
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(sanitise("  ".join(complete_path(self.query_one(Input).value, self._here))))
        self.query_one("#offered", Static).update(text)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look at the file when typing rests."""
        self._draft = None
        self._offer()
        self._look(event.value)

    @work(exclusive=True, group="look", exit_on_error=False)
    async def _look(self, path: str) -> None:
        await asyncio.sleep(DEBOUNCE_S)
        await self._read(path)

    @work(exclusive=True, group="read", exit_on_error=False)
    async def _create(self, path: str) -> None:
        if self._draft is None:
            await self._read(path)
        if self._draft is not None and self._draft.is_good:
            self.dismiss((path.strip(), self._draft))

    async def _read(self, path: str) -> None:
        if not path.strip():
            self.query_one("#text", Static).update(Text(""))
            return
        file = expanded(self._here, path)
        try:
            source = await asyncio.to_thread(source_of, file)
        except ValueError as error:
            self.query_one("#text", Static).update(Text(sanitise(str(error)), "dim"))
            return
        self._draft = await asyncio.to_thread(draft_of, source, self._foresight)
        self.query_one("#text", Static).update(draft_text(self._draft, file.name))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Create the sweep as soon as the file was read, at once and not when typing rests."""
        self._create(event.value)

    def action_complete(self) -> None:
        """Take what all offers begin with, or the first of them."""
        line = self.query_one(Input)
        offers = complete_path(line.value, self._here, 200)
        if not offers:
            return
        shared = _shared(offers)
        line.value = shared if len(shared) > len(line.value) else offers[0]
        line.cursor_position = len(line.value)

    def action_scroll_by(self, lines: int) -> None:
        """Scroll what was read."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_leave(self) -> None:
        """Leave without a sweep."""
        self.dismiss(None)


def _shared(texts: list[str]) -> str:
    first, last = min(texts), max(texts)
    n = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[: min(n, len(last))]


class EditedSweep(Dialog[str]):
    """Shows an edited file beside the sweep's own; returns `create`, `again` or nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c,n", "answer('')", show=False),
        Binding("e", "answer('again')", show=False),
        Binding("enter,y", "create", show=False),
        Binding("j,down", "scroll_by(1)", show=False),
        Binding("k,up", "scroll_by(-1)", show=False),
    ]

    DEFAULT_CSS = LOOK.format("EditedSweep")

    def __init__(self, name: str, before: Draft, after: Draft, n_priors: int) -> None:
        super().__init__()
        self._name_text, self._before, self._after, self._n_priors = name, before, after, n_priors

    def compose(self) -> ComposeResult:
        """Lay out the difference, the two sizes, the first commands."""
        with Vertical():
            yield Static(Text(f"Child sweep of {self._name_text}", "bold"))
            with VerticalScroll():
                yield Static(self._text())
            can = "enter creates it, " if self._after.is_good else ""
            yield Static(f"{can}e edits again, esc drops it", id="hint", markup=False)

    def _text(self) -> Text:
        text = diff_text(self._before.source, self._after.source)
        sizes = f"{size_text(self._before.outlook)} before, {size_text(self._after.outlook)} after"
        text.append(f"\nSpace: {sizes}\n", "bold")
        are = "is" if self._n_priors == 1 else "are"
        text.append(f"{counted(self._n_priors, 'run')} of the old sweep {are} known ", "dim")
        text.append("to the new one's search.\n\n", "dim")
        text.append_text(draft_text(self._after, "edited"))
        return text

    def action_create(self) -> None:
        """Create it when it is good."""
        if self._after.is_good:
            self.dismiss("create")

    def action_answer(self, answer: str) -> None:
        """Answer."""
        self.dismiss(answer)

    def action_scroll_by(self, lines: int) -> None:
        """Scroll."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)
