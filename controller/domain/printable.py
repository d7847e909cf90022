"""Strings from outside as what a log or a terminal may carry: one line, and nothing in it that acts."""

from __future__ import annotations

MAX_LINE = 500


def printable(text: str, limit: int = MAX_LINE) -> str:
    """Return the text on one line, with everything escaped that could drive a terminal."""
    clean = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:limit])
    return clean + "…" if len(text) > limit else clean
