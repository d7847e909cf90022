"""Shows the lines of a chart as they are; the chart knows nothing of the widget and draws for any size."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

__all__ = ["Picture"]


class Picture(Widget, can_focus=True):
    """Lines of text, cut to the widget's size."""

    DEFAULT_CSS = """
    Picture { height: 1fr; width: 1fr; }
    """

    class Resized(Message):
        """There is another size to draw for."""

    def __init__(self) -> None:
        super().__init__(id="picture")
        self._lines: Sequence[Text] = ()
        self._strips: dict[int, Strip] = {}

    def show(self, lines: Sequence[Text]) -> None:
        """Show these lines instead; only those that differ are drawn anew."""
        old, self._lines = self._lines, lines
        differing = [
            at
            for at in range(max(len(old), len(lines)))
            if at >= len(old) or at >= len(lines) or old[at] != lines[at] or old[at].spans != lines[at].spans
        ]
        for at in differing:
            self._strips.pop(at, None)
        self.refresh(*(Region(0, at, self.size.width, 1) for at in differing if at < self.size.height))

    def on_resize(self) -> None:
        """Ask for lines of the new size."""
        self._strips.clear()
        self.post_message(self.Resized())

    def notify_style_update(self) -> None:
        """Draw anew: the theme is another one."""
        super().notify_style_update()
        self._strips.clear()

    def render_line(self, y: int) -> Strip:
        """Return one line."""
        base = self.rich_style
        if y >= len(self._lines):
            return Strip.blank(self.size.width, base)
        strip = self._strips.get(y)
        if strip is None:
            strip = self._strips[y] = _strip(self._lines[y], base)
        return strip.adjust_cell_length(self.size.width, base)


def _strip(line: Text, base: Style) -> Strip:
    """Cut a line into segments at its styles' ends; later spans lie over earlier ones."""
    plain, spans = line.plain, line.spans
    whole = Style.parse(line.style) if isinstance(line.style, str) else line.style
    cuts = sorted({0, len(plain), *(at for span in spans for at in (span.start, span.end))})
    segments: list[Segment] = []
    waiting = sorted(enumerate(spans), key=lambda pair: pair[1].start)
    open_spans: list[tuple[int, int, Style]] = []
    for start, end in pairwise(cuts):
        while waiting and waiting[0][1].start <= start:
            n, span = waiting.pop(0)
            style = Style.parse(span.style) if isinstance(span.style, str) else span.style
            open_spans.append((n, span.end, style))
        open_spans = [one for one in open_spans if one[1] > start]
        look = base + whole
        for _, _, style in sorted(open_spans, key=lambda one: one[0]):
            look += style
        segments.append(Segment(plain[start:end], look))
    return Strip(segments)
