"""A log over a line function: only the lines on screen are read, cleaned and drawn.

Follows the end until the user scrolls up, and again from the moment the end is in sight. Lines keep their own
colours (`sanitise_log`) and are not wrapped; the view moves sideways instead.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui_sweeps.format import sanitise_log

__all__ = ["LogView"]

_MAX_KEPT_LINES = 2000
"""Cleaned lines kept for scrolling back and forth."""
_MAX_LINE_CELLS = 4000
_SCROLL_CELLS = 8
_SEARCHED_AT_ONCE = 200_000
"""Lines one search looks at; longer logs are for a pager."""


class LogView(ScrollView, can_focus=True):
    """A scrolling log with follow mode and search."""

    ALLOW_SELECT = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_by(-1)", "Up", show=False),
        Binding("down,j", "scroll_by(1)", "Down", show=False),
        Binding("pageup", "scroll_pages(-1)", "Page up", show=False),
        Binding("pagedown", "scroll_pages(1)", "Page down", show=False),
        Binding("home", "scroll_edge(-1)", "Start", show=False),
        Binding("end", "scroll_edge(1)", "End, follow", show=False),
        Binding("left", "scroll_sideways(-1)", "Left", show=False),
        Binding("right", "scroll_sideways(1)", "Right", show=False),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {"logview--found", "logview--empty"}

    DEFAULT_CSS = """
    LogView {
        height: 1fr;
        background: $surface;
        color: $foreground;
        scrollbar-size-horizontal: 0;
        scrollbar-size-vertical: 1;
        & > .logview--found { text-style: reverse; }
        & > .logview--empty { color: $text-muted; }
        &:ansi > .logview--empty { color: ansi_default; }
    }
    """

    following: reactive[bool] = reactive(True, repaint=False)
    """The view sticks to the end."""

    class FollowChanged(Message):
        """The view began or ceased to stick to the end."""

        def __init__(self, view: LogView, following: bool) -> None:
            super().__init__()
            self.view = view
            self.following = following

        @property
        def control(self) -> LogView:
            """The view that sent this."""
            return self.view

    def __init__(
        self,
        n_lines: Callable[[], int],
        line: Callable[[int], str],
        *,
        empty: str = "No output yet.",
        id: str | None = None,  # noqa: A002 - Textual's word
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._line_source = line
        self._n_lines_source = n_lines
        self._empty = empty
        self._kept: OrderedDict[int, Text] = OrderedDict()
        self._found: tuple[int, str] | None = None
        self.n_lines = 0

    def grow(self) -> None:
        """Take in new lines at the end; lines already there, but the last, have not changed."""
        self._kept.pop(self.n_lines - 1, None)
        old, self.n_lines = self.n_lines, self._n_lines_source()
        if self.n_lines < old:  # truncated or rotated
            self.reload()
            return
        self._resized()
        if self.following:
            self._to_end()
        first, last = self.scroll_offset.y, self.scroll_offset.y + self.size.height
        if self.n_lines != old or first < old <= last:
            self.refresh_lines(max(first, old - 1), max(1, last - old + 1))

    def reload(self) -> None:
        """Read everything anew."""
        self._kept.clear()
        self._found = None
        self.n_lines = self._n_lines_source()
        self.virtual_size = Size(0, max(1, self.n_lines))
        self.scroll_to(x=0, animate=False)
        self._resized()
        if self.following:
            self._to_end()
        self.refresh()

    def find(self, text: str, *, forward: bool = True) -> int | None:
        """Go to the next line that holds `text` (any case), around the end; return its number or None.

        The search starts after the last find of the same text, else at the first line in sight.
        """
        needle = text.casefold()
        if not needle or not self.n_lines:
            self._mark(None)
            return None
        again = self._found is not None and self._found[1] == text
        start = self._found[0] if again and self._found else self.scroll_offset.y - (1 if forward else -1)
        step = 1 if forward else -1
        for n_steps in range(1, min(self.n_lines, _SEARCHED_AT_ONCE) + 1):
            at = (start + step * n_steps) % self.n_lines
            if needle in self._line_source(at).casefold() and needle in self._text(at).plain.casefold():
                self.following = False
                self._mark((at, text))
                if not self.scroll_offset.y <= at < self.scroll_offset.y + self.size.height:
                    self.scroll_to(y=at - self.size.height // 2, animate=False)
                return at
        self._mark(None)
        return None

    def _mark(self, found: tuple[int, str] | None) -> None:
        old, self._found = self._found, found
        for mark in filter(None, (old, found)):
            self.refresh_lines(mark[0])

    def _text(self, at: int) -> Text:
        kept = self._kept.get(at)
        if kept is None:
            kept = sanitise_log(self._line_source(at)[: 4 * _MAX_LINE_CELLS])
            kept.truncate(_MAX_LINE_CELLS)
            self._kept[at] = kept
            if len(self._kept) > _MAX_KEPT_LINES:
                self._kept.popitem(last=False)
        return kept

    def _resized(self) -> None:
        widest = max((self._text(at).cell_len for at in self._in_sight()), default=0)
        self.virtual_size = Size(max(self.virtual_size.width, widest), max(1, self.n_lines))

    def _in_sight(self) -> range:
        first = max(0, self.n_lines - self.size.height) if self.following else self.scroll_offset.y
        return range(first, min(self.n_lines, first + self.size.height))

    def _to_end(self) -> None:
        self.scroll_to(y=max(0, self.n_lines - self.size.height), animate=False, force=True)

    def render_line(self, y: int) -> Strip:
        """Return screen line `y`."""
        base = self.rich_style
        width = self.size.width
        at = y + self.scroll_offset.y
        if at >= self.n_lines:
            if self.n_lines or y:
                return Strip.blank(width, base)
            style = base + self.get_component_rich_style("logview--empty", partial=True)
            text = Text(f" {self._empty}", style=style)
        else:
            text = self._text(at)
            if self._found is not None and self._found[0] == at:
                text = text.copy()
                style = self.get_component_rich_style("logview--found", partial=True)
                start = text.plain.casefold().find(self._found[1].casefold())
                text.stylize(style, max(0, start), max(0, start) + len(self._found[1]))
        strip = Strip(text.render(self.app.console), text.cell_len)
        left = self.scroll_offset.x
        return strip.apply_style(base).crop_extend(left, left + width, base)

    def on_mount(self) -> None:
        """Read the number of lines for the first time."""
        super().on_mount()  # type: ignore[no-untyped-call]
        self.reload()

    def on_resize(self) -> None:
        """Keep the end in sight while following."""
        self._resized()
        if self.following:
            self._to_end()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Stop following when the view leaves the end, follow again when it comes back."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value) and self._found is None:
            self.following = round(new_value) >= self.n_lines - self.size.height

    def watch_following(self, old: bool, new: bool) -> None:
        """Tell the owner."""
        if old != new and self.is_mounted:
            self.post_message(self.FollowChanged(self, new))

    def action_scroll_by(self, n_lines: int) -> None:
        """Scroll by lines."""
        self._found = None
        self.scroll_to(y=self.scroll_offset.y + n_lines, animate=False)

    def action_scroll_pages(self, n_pages: int) -> None:
        """Scroll by screens."""
        self.action_scroll_by(n_pages * max(1, self.size.height))

    def action_scroll_edge(self, edge: int) -> None:
        """Scroll to the start, or to the end and follow."""
        self._found = None
        if edge > 0:
            self.following = True
            self._to_end()
        else:
            self.scroll_to(y=0, animate=False)

    def action_scroll_sideways(self, step: int) -> None:
        """Scroll sideways by some cells."""
        self.scroll_to(x=self.scroll_offset.x + step * _SCROLL_CELLS, animate=False)
