"""What an agent says to whoever reads its terminal or log: one line per event, nothing unprintable."""

from __future__ import annotations

import sys
import time
from typing import TextIO

MAX_LINE = 500


def printable(text: str, limit: int = MAX_LINE) -> str:
    """Return the text on one line, with everything escaped that could drive a terminal."""
    clean = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:limit])
    return clean + "…" if len(text) > limit else clean


class Journal:
    """Writes lines with a time; a closed terminal is no reason to stop working."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream

    def say(self, text: str) -> None:
        """Write one line."""
        stamp = time.strftime("%H:%M:%S")
        try:
            self._stream.write(f"{stamp} agent: {printable(text)}\n")
            self._stream.flush()
        except (OSError, ValueError):
            return
