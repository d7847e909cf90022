"""What a dashboard may send to a terminal, and a judge of what it does send."""

from __future__ import annotations

import codecs
import re

ALLOWED = re.compile(
    r"[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]+"  # plain text
    r"|\r\n?|\x1b\[[0-9;]*m|\x1b\[\d*(?:;\d+)?H|\x1b\[\d*[CG]|\x1b\[K|\x1b\[2J"  # drawing
    r"|\x1b\[\?2026[hl]"  # frames
    r"|\x1b\[\?(?:7|25|1000|1002|1003|1004|1006|1015|1016|1049|2004|2048)[hl]"  # modes of the whole program
    r"|\x1b\[\?(?:2026|2048)\$p|\x1b\[[<>=][0-9;]*u|\x1b\[\?u|\x1b\]22;[a-z-]*\x07"
)
"""Everything that a dashboard may send; the mode switches come at its beginning and end only."""


class Judge:
    """Finds what is not allowed, whatever the pieces in which it arrives."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")()
        self._kept = ""
        self.offences: list[str] = []
        self.n_chars = 0
        self.n_modes = 0
        """Mode switches of the whole program; none belongs between its beginning and its end."""

    def take(self, data: bytes, *, last: bool = False) -> None:
        """Judge further output."""
        fresh = self._decode.decode(data)
        text = self._kept + fresh
        self.n_chars += len(fresh)
        at = 0
        while at < len(text):
            if not last and (text[at:] == "\r" or (len(text) - at < 32 and "\x1b" in text[at:])):
                break  # a sequence may go on
            found = ALLOWED.match(text, at)
            if found is None:
                self.offences.append(repr(text[max(0, at - 20) : at + 20]))
                at += 1
            else:
                at = found.end()
                self.n_modes += found[0].startswith("\x1b[?") and found[0][3:7] != "2026"
        self._kept = text[at:]
