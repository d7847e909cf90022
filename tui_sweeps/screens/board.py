"""The frame of every screen: crumbs above, body, filter line, banner, footer; and how news reach it.

A board reads the model through its `Setting` and never waits for anything. The app calls `model_changed` with
what was touched; a board that was covered meanwhile is told that everything may be different.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from tui_sweeps.format import fit, sanitise
from tui_sweeps.keys import action_of, first_shown, footer_of, keys_of
from tui_sweeps.messages import Answered, Replied
from tui_sweeps.model import Desk, Model, Touched
from tui_sweeps.views.cells import Cell
from tui_sweeps.views.drafts import Foresight
from tui_sweeps.widgets.words import Words

LEAST_WIDTH, LEAST_HEIGHT = 30, 8
"""Below this nothing useful can be shown; a sentence says so."""

OF_APP_ALONE = frozenset({"now"})
"""Bound by the app, which lets the key through to the screen while nothing counts down."""

ALWAYS = ("help", "detach", "quit")
"""Keys that the footer of every view shows."""


@dataclass(slots=True)
class Setting:
    """What every board is given; the app owns it."""

    model: Model
    desk: Desk
    clock: Callable[[], float]
    """The present, in Unix seconds; for display only."""
    keymap: dict[str, str] = field(default_factory=dict)
    """The user's own keys by action id."""
    since: str = ""
    """What happened since the dashboard was last looked at."""
    held: str = ""
    """The countdown of an act that can still be taken back."""
    foresight: Foresight | None = None
    """What can be said of sweeps ahead; the CLI lends it."""
    marks: dict[str, dict[str, None]] = field(default_factory=dict)
    """Per sweep the marked runs, in the order of marking; table and plots share them."""


def bindings(view: str) -> list[BindingType]:
    """Return a view's keys as Textual wants them."""
    return [
        Binding(key.keys, action_of(key), key.label, show=False, id=key.id)
        for key in keys_of(view)
        if key.id not in OF_APP_ALONE
    ]


def line_of(cells: Iterable[Cell], gap: str = "  ") -> Text:
    """Return cells one after the other; nothing in them is read as markup."""
    text = Text(no_wrap=True, overflow="ellipsis", end="")
    for n, cell in enumerate(cells):
        if n:
            text.append(gap)
        text.append(cell.text, cell.style or None)
    return text


def banner_text(model: Model) -> str:
    """Return what stands in the way of everything; empty when nothing does."""
    if model.stale:
        return f"Out of touch: {sanitise(model.stale)}. Shown as of then; trying again."
    if model.trouble:
        return f"Nothing can be recorded: {sanitise(model.trouble)}. Agents keep their reports until it can."
    return ""


class Board(Screen[None]):
    """A screen of the dashboard."""

    VIEW: ClassVar[str] = ""
    """Its name in the table of keys."""

    AUTO_FOCUS = "LineTable"

    DEFAULT_CSS = """
    Board { layers: base over; background: $surface; }
    Board #crumbs { height: 1; background: $panel; color: $foreground; padding: 0 1; }
    Board #banner { height: 1; background: $warning; color: auto 90%; display: none; padding: 0 1; }
    Board #footer { height: 1; background: $panel; color: $foreground; padding: 0 1; dock: bottom; }
    Board #tiny { layer: over; display: none; width: 100%; height: 100%; background: $surface; }
    Board #held { height: 1; background: $error; color: auto 90%; display: none; padding: 0 1; }
    Board.held #held { display: block; }
    Board:ansi #held { text-style: reverse bold; background: ansi_default; color: ansi_default; }
    Board.away #banner { display: block; }
    Board.small #tiny { display: block; }
    Board:ansi #banner { text-style: reverse; background: ansi_default; color: ansi_default; }
    Board:ansi { background: ansi_default; }
    Board:ansi #crumbs, Board:ansi #footer, Board:ansi #tiny {
        background: ansi_default; color: ansi_default; }
    """

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.now = setting.clock()
        self._covered = False
        self._has_widgets = False

    @property
    def model(self) -> Model:
        """The facts."""
        return self.setting.model

    @property
    def desk(self) -> Desk:
        """How the dashboard was left."""
        return self.setting.desk

    @property
    def _is_up(self) -> bool:
        """The widgets are there; they go first when a board is closed, and timers may still fire."""
        return self._has_widgets and self.display and self.app.is_running

    # ------------------------------------------------------------------ what subclasses say

    def body(self) -> ComposeResult:
        """Yield the widgets between crumbs and footer."""
        yield from ()

    def crumbs(self) -> list[str]:
        """Return the way to here, from the start screen on."""
        return ["Sweeps"]

    def right_crumbs(self, room: int) -> Text:
        """Return what stands at the right end of the crumbs' line, in at most `room` cells."""
        return Text("")

    def show(self, touched: Touched) -> None:
        """Bring the body up to date with the model."""

    def tick(self) -> None:
        """Bring what depends on the time up to date; called once a second while runs are active."""

    def answered(self, key: str, answer: object) -> None:
        """Take the answer to a query of this screen."""

    # ------------------------------------------------------------------ the frame

    def compose(self) -> ComposeResult:
        """Lay out the frame."""
        yield Words(id="crumbs")
        yield Words(id="banner")
        yield Words(id="held")
        yield from self.body()
        yield Words(id="footer")
        yield Words(id="tiny")

    def on_mount(self) -> None:
        """Show everything for the first time."""
        self._has_widgets = True
        self.model_changed(Touched(everything=True))

    def model_changed(self, touched: Touched) -> None:
        """Take the news."""
        if not self._is_up:
            return
        self.now = self.setting.clock()
        self._show_frame()
        self.show(touched)

    def on_unmount(self) -> None:
        """Take nothing any more: what was scheduled may still come."""
        self._has_widgets = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let keys through only while there are widgets for them: a key may come before, or after."""
        return self._is_up

    def later(self, work: Callable[[], object]) -> None:
        """Do this after the next repaint, if the board is still there then."""
        self.call_after_refresh(lambda: work() if self._is_up else None)

    def time_went_by(self) -> None:
        """Take the next second."""
        if not self._is_up:
            return
        self.now = self.setting.clock()
        self.tick()

    def cover(self) -> None:
        """Remember that news were missed."""
        self._covered = True

    def on_screen_resume(self) -> None:
        """Catch up after having been covered."""
        if self._covered:
            self._covered = False
            self.model_changed(Touched(everything=True))

    def on_resize(self, event: events.Resize) -> None:
        """Say so when there is too little room; lay the lines out anew."""
        small = event.size.width < LEAST_WIDTH or event.size.height < LEAST_HEIGHT
        self.set_class(small, "small")
        if small:
            tiny = self.query_one("#tiny", Words)
            tiny.update(Text(f"Too small: {LEAST_WIDTH}x{LEAST_HEIGHT} cells are needed."))
        self.later(self._show_frame)

    def on_answered(self, message: Answered) -> None:
        """Hand an answer on."""
        if message.answer is not None:
            self.answered(message.key, message.answer)

    def on_replied(self, message: Replied) -> None:
        """Nothing by itself: facts come through the model."""

    def say(self, text: str, *, bad: bool = False, title: str = "") -> None:
        """Tell the user something for a few seconds."""
        self.notify(
            sanitise(text), title=sanitise(title), severity="warning" if bad else "information", markup=False
        )

    def show_held(self) -> None:
        """Show how long an act can still be taken back."""
        if self._is_up:
            self.set_class(bool(self.setting.held), "held")
            self.query_one("#held", Words).update(Text(self.setting.held, no_wrap=True, overflow="ellipsis"))

    def _show_frame(self) -> None:
        if not self._is_up:
            return
        self.show_held()
        banner = banner_text(self.model)
        self.set_class(bool(banner), "away")
        self.query_one("#banner", Words).update(Text(banner, no_wrap=True, overflow="ellipsis"))
        self.query_one("#crumbs", Words).update(self._crumbs_line())
        self.query_one("#footer", Words).update(self._footer_line())

    def _crumbs_line(self) -> Text:
        width = max(1, self.size.width - 2)
        names = [fit(sanitise(name), 28) for name in self.crumbs()]
        line = Text(no_wrap=True, overflow="ellipsis", end="")
        for n, name in enumerate(names):
            line.append(" \u203a " if n else "", "dim")
            line.append(name, "bold" if n == len(names) - 1 else None)
        right = self.right_crumbs(width - line.cell_len - 2)
        if right.cell_len and line.cell_len + right.cell_len + 2 <= width:
            line.append(" " * (width - line.cell_len - right.cell_len))
            line.append_text(right)
        return line

    def _footer_line(self) -> Text:
        width = max(1, self.size.width - 2)
        line = Text(no_wrap=True, overflow="ellipsis", end="")
        keys = footer_of(self.VIEW)
        shown = {key.id: first_shown(key, self.setting.keymap) for key in keys}
        cells = {key.id: len(shown[key.id]) + len(key.label) + 3 for key in keys}
        # Help and the two ways out are always worth their cells: the rest makes room for them.
        room = width - sum(cells[name] for name in ALWAYS if name in cells)
        for key in keys:
            if key.id not in ALWAYS:
                room -= cells[key.id]
                if room < 0:
                    continue
            line.append(f"{shown[key.id]} ", "bold")
            line.append(f"{key.label}  ", "dim")
        return line
