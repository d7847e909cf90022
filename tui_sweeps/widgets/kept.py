"""Lines that are painted once and stand until they are said to be different.

Textual's own way to a line of a widget leads through borders, padding, hatches and opacity. What is drawn
line by line here has none of these, and the way cost as much as the lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Self

from textual.geometry import Region
from textual.strip import Strip

if TYPE_CHECKING:
    from textual.widget import Widget

    Base = Widget
else:
    Base = object

__all__ = ["KeptLines"]


class KeptLines(Base):
    """Keeps a widget's lines; without border, padding and opacity."""

    _kept: dict[int, Strip]
    _kept_for: object = None
    """Size, scroll position and colours that the kept lines were painted for."""

    def paint(self, ys: Sequence[int]) -> Iterable[Strip]:
        """Return these lines of the widget, each as wide as it is."""
        raise NotImplementedError

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the lines in a part of the widget."""
        width, background, line_filters = self.size.width, self.background_colors[1], self.get_line_filters()
        kept_for = (self.size, self.scroll_offset, background, *line_filters)
        if kept_for != self._kept_for:
            self._kept, self._kept_for = {}, kept_for
        kept = self._kept
        missing = [y for y in crop.line_range if y not in kept]
        for y, painted in zip(missing, self.paint(missing) if missing else (), strict=True):
            strip = painted
            for line_filter in line_filters:
                strip = strip.apply_filter(line_filter, background)
            kept[y] = strip
        strips = [kept[y] for y in crop.line_range]
        return (
            strips if crop.column_span == (0, width) else [strip.crop(*crop.column_span) for strip in strips]
        )

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        """Say that these regions, or all lines, are different."""
        if repaint and not regions:
            self._kept_for = None
        elif repaint and self._kept_for is not None:
            for region in regions:
                for y in region.line_range:
                    self._kept.pop(y, None)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def notify_style_update(self) -> None:
        """Paint anew: the styles are other ones."""
        self._kept_for = None
        super().notify_style_update()
