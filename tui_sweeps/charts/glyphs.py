"""Which characters a chart may draw with, and how many dots a cell holds.

Braille gives 2 x 4 dots to a cell, quadrant blocks 2 x 2 (the Linux console has no braille), ASCII 1 x 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from tui_sweeps.format import speaks_unicode

__all__ = ["Glyphs", "glyphs"]

_CONSOLES_WITHOUT_BRAILLE = frozenset(("linux", "cons25", "sun", "rxvt-16color"))


class Glyphs(Enum):
    """A set of characters to draw with."""

    BRAILLE = "braille"
    BLOCK = "block"
    ASCII = "ascii"

    @property
    def dots(self) -> tuple[int, int]:
        """Dots of one cell, across and down."""
        return {Glyphs.BRAILLE: (2, 4), Glyphs.BLOCK: (2, 2), Glyphs.ASCII: (1, 2)}[self]

    @property
    def is_ascii(self) -> bool:
        """True when nothing but ASCII may be drawn."""
        return self is Glyphs.ASCII


def glyphs(environ: Mapping[str, str]) -> Glyphs:
    """Return the characters this environment can show."""
    if not speaks_unicode(environ):
        return Glyphs.ASCII
    return Glyphs.BLOCK if environ.get("TERM", "") in _CONSOLES_WITHOUT_BRAILLE else Glyphs.BRAILLE
