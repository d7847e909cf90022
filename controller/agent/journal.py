"""What an agent says to whoever reads its terminal or log: one line per event, nothing unprintable."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from controller.domain.printable import printable


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
