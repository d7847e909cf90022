"""Shows the lines of a chart as they are; the chart knows nothing of the widget and draws for any size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from rich.segment import Segment
from rich.style import Style
from rich.text import Span, Text
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui_sweeps.widgets.kept import KeptLines

__all__ = ["Picture"]


class Picture(KeptLines, Widget, can_focus=True):
    """Lines of text, cut to the widget's size."""

    DEFAULT_CSS = """
    Picture { height: 1fr; width: 1fr; }
    """

    class Resized(Message):
        """There is another size to draw for."""

    def __init__(self) -> None:
        super().__init__(id="picture")
        self._lines: Sequence[Text] = ()

    def show(self, lines: Sequence[Text]) -> None:
        """Show these lines instead; only those that differ are drawn anew."""
        old, self._lines = self._lines, lines
        differing = [
            at
            for at in range(max(len(old), len(lines)))
            if at >= len(old) or at >= len(lines) or not _is_same(old[at], lines[at])
        ]
        if differing:
            self.refresh(*(Region(0, at, self.size.width, 1) for at in differing))

    def on_resize(self) -> None:
        """Ask for lines of the new size."""
        self.post_message(self.Resized())

    def paint(self, ys: Sequence[int]) -> Iterator[Strip]:
        """Yield lines."""
        base, width = self.rich_style, self.size.width
        for y in ys:
            if y < len(self._lines):
                yield _strip(self._lines[y], base).adjust_cell_length(width, base)
            else:
                yield Strip.blank(width, base)


def _is_same(one: Text, other: Text) -> bool:
    return one is other or (one == other and one.spans == other.spans)


def _strip(line: Text, base: Style) -> Strip:
    """Cut a line into segments at its styles' ends; later spans lie over earlier ones."""
    plain, spans = line.plain, line.spans
    whole = Style.parse(line.style) if isinstance(line.style, str) else line.style
    if all(one.end <= other.start for one, other in pairwise(spans)):
        return Strip(_segments_of(plain, spans, base + whole))
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


def _segments_of(plain: str, spans: Sequence[Span], look: Style) -> Iterator[Segment]:
    """Yield the segments of a line whose spans follow one another."""
    at = 0
    for start, end, style in spans:
        if start > at:
            yield Segment(plain[at:start], look)
        yield Segment(plain[start:end], look + (Style.parse(style) if isinstance(style, str) else style))
        at = end
    if at < len(plain):
        yield Segment(plain[at:], look)
