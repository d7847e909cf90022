"""A text among others that costs nothing while it stays the same.

Textual's `Static` lays the whole screen out anew for every text it is given, also for the one it shows. News
come ten times a second and change few words: here the same text does nothing, and another one in a place of a
fixed height is painted where it stands.
"""

from __future__ import annotations

from rich.text import Text
from textual.visual import VisualType
from textual.widgets import Static

__all__ = ["Words"]


class Words(Static):
    """Text without markup; `update` is cheap to call."""

    def __init__(self, text: str = "", *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(text, id=id, markup=False)
        self._said: Text | None = None

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        """Show another text, if it is another one; lay out anew only where the text decides the height."""
        text = content if isinstance(content, Text) else None
        if text is not None and self._said is not None and _is_same(text, self._said):
            return
        self._said = None if text is None else text.copy()
        height, width = self.styles.height, self.styles.width
        is_fixed = height is not None and not height.is_auto and (width is None or not width.is_auto)
        super().update(content, layout=layout and not is_fixed)


def _is_same(one: Text, other: Text) -> bool:
    """Say whether two texts look alike."""
    return one == other and one.style == other.style and one.no_wrap == other.no_wrap
