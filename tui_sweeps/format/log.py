r"""Log lines keep their colours and nothing else.

Training scripts colour their logs and rewrite lines with carriage returns (progress bars). Of all escape
sequences only SGR is understood, from a written-out list of parameters; everything else goes through
`sanitise`. A carriage return rewrites the line from its start, as the terminal would show it in the end.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tui_sweeps.format.text import sanitise

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["sanitise_log"]

_SGR = re.compile(r"\x1b\[([0-9;:]*)m")
_TAB_CELLS = 8
_MAX_REWRITES = 256
"""A progress bar may send thousands of versions of a line; only the last ones can still be seen."""

_ATTRIBUTES = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse", 9: "strike"}
_ENDS = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("reverse",), 29: ("strike",)}
_NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


class _Pen:
    """The style that SGR parameters have built up so far."""

    def __init__(self) -> None:
        self.attributes: dict[str, None] = {}
        self.colour = ""
        self.background = ""

    def apply(self, parameters: str) -> None:
        """Follow one SGR sequence; parameters outside the list change nothing."""
        codes = [int(part) if part else 0 for part in re.split("[;:]", parameters)[:32] if len(part) < 6]
        at = 0
        while at < len(codes):
            code = codes[at]
            if code in (38, 48):
                at += self._extended(code, codes[at + 1 : at + 5])
            else:
                self._simple(code)
            at += 1

    def _simple(self, code: int) -> None:
        if code == 0:
            self.__init__()  # type: ignore[misc]
        elif code in _ATTRIBUTES:
            self.attributes[_ATTRIBUTES[code]] = None
        elif code in _ENDS:
            for name in _ENDS[code]:
                self.attributes.pop(name, None)
        elif 30 <= code <= 37:
            self.colour = _NAMES[code - 30]
        elif 40 <= code <= 47:
            self.background = _NAMES[code - 40]
        elif 90 <= code <= 97:
            self.colour = f"bright_{_NAMES[code - 90]}"
        elif 100 <= code <= 107:
            self.background = f"bright_{_NAMES[code - 100]}"
        elif code == 39:
            self.colour = ""
        elif code == 49:
            self.background = ""

    def _extended(self, code: int, rest: list[int]) -> int:
        """Set a 256- or true-colour value; return how many parameters it took."""
        value, taken = "", len(rest)
        if rest[:1] == [5] and len(rest) >= 2:
            value, taken = (f"color({rest[1]})" if rest[1] < 256 else ""), 2
        elif rest[:1] == [2] and len(rest) == 4 and max(rest[1:]) < 256:
            value, taken = "#{:02x}{:02x}{:02x}".format(*rest[1:]), 4
        if value and code == 38:
            self.colour = value
        elif value:
            self.background = value
        return taken

    def style(self) -> str:
        """Return the style in Rich's words."""
        background = f"on {self.background}" if self.background else ""
        return " ".join(filter(None, (*self.attributes, self.colour, background)))


def sanitise_log(text: str) -> Text:
    r"""Return one log line as styled text: SGR colours kept, `\r` followed, all other controls as symbols.

    A trailing newline is dropped; any newline inside is a symbol. Markup is never interpreted.
    """
    from rich.text import Text

    text = text.rstrip("\r\n")
    pen = _Pen()
    cells: list[tuple[str, str]] = []  # (character with its marks, style)
    for version in text.split("\r")[-_MAX_REWRITES:]:
        cells = _rewritten(cells, _version_cells(version, pen))
    line = Text(no_wrap=True, end="")
    run: list[str] = []
    run_style = ""
    for shown, style in cells:
        if style != run_style:
            line.append("".join(run), run_style or None)
            run, run_style = [], style
        run.append(shown)
    line.append("".join(run), run_style or None)
    return line


def _rewritten(old: list[tuple[str, str]], new: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return new + old[len(new) :]


def _version_cells(text: str, pen: _Pen) -> list[tuple[str, str]]:
    cells: list[tuple[str, str]] = []
    for at, part in enumerate(_SGR.split(text)):
        if at % 2:
            pen.apply(part)
            continue
        style = pen.style()
        for character in sanitise(part, allow="\t"):
            if character == "\t":
                cells.extend((" ", style) for _ in range(_TAB_CELLS - len(cells) % _TAB_CELLS))
            else:
                cells.append((character, style))
    return cells
