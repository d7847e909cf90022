"""Reads what Textual writes and draws it on a grid.

Understood: text, cursor movement, SGR, erasing, and the frame marks of synchronized output. Everything else
(mode switches, queries, clipboard, title, bell) is passed on in order, untouched. Hyperlinks are left out:
their targets come from outside strings. Not a full terminal: a sequence with an unknown effect on the picture
makes the writer forget what the terminal shows.
"""

from __future__ import annotations

import re

from tui_sweeps.driver.grid import MAX_CELLS, Grid
from tui_sweeps.driver.styles import StyleTable
from tui_sweeps.format import ascii_only

__all__ = ["Stream"]

_TOKEN = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f\x80-\x9f]+)"
    r"|\x1b\[(?P<private>[<-?]?)(?P<parameters>[0-9:;]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    r"|(?P<string>\x1b[\]PX^_](?:[^\x07\x1b]|\x1b[^\\])*?(?:\x07|\x1b\\))"
    r"|(?P<escape>\x1b[ -/]*[0-OQ-WYZ\\`-~])"
    r"|(?P<broken>\x1b(?:\[[0-?]*[ -/]*)?(?=[^ -~]))"
    r"|(?P<control>[\x00-\x1a\x1c-\x1f\x7f\x80-\x9f])"
)

_STYLED = re.compile(r"\x1b\[([0-9;]+)m([^\x00-\x1f\x7f\x80-\x9f]+)\x1b\[0?m")
"""A text in a style of its own, as nearly all of Textual's output is: a third of the work in one piece."""

_ALTERNATE_SCREEN = frozenset(("47", "1047", "1049"))
_SYNCHRONIZED = "2026"
_REPAINTING_FINALS = frozenset("@LMPSTXbr")
"""Inserts, deletes, scrolls, repeats: never sent by Textual's full-screen drivers."""
_MAX_KEPT = 1 << 20
"""An unfinished sequence longer than this will never end."""


class Stream:
    """The state between two writes: cursor, style, unfinished sequence, and what is to be passed on."""

    def __init__(self, styles: StyleTable, *, only_ascii: bool = False) -> None:
        self.grid = Grid()
        self.styles = styles
        self.passed: list[str] = []
        """Sequences for the terminal itself, in order."""
        self.alternate = False
        """The picture is shown only on the alternate screen."""
        self.forget = False
        """What the terminal shows is not known any more."""
        self.synchronized = False
        """Textual found that the terminal knows synchronized output."""
        self.x = self.y = 0
        self._style = 0
        self._only_ascii = only_ascii
        self._kept = ""

    def feed(self, data: str) -> None:
        """Draw and sort one write."""
        if self._kept:
            data, self._kept = self._kept + data, ""
        at = 0
        while at < len(data):
            if styled := _STYLED.match(data, at):
                self._style = self.styles.after(self._style, styled[1])
                self._text(styled[2])
                self._style = 0
                at = styled.end()
                continue
            found = _TOKEN.match(data, at)
            if found is None:
                if len(data) - at < _MAX_KEPT:
                    self._kept = data[at:]
                return
            at = found.end()
            match found.lastgroup:
                case "text":
                    self._text(found["text"])
                case "final":
                    self._control_sequence(found)
                case "string":
                    if not found["string"].startswith("\x1b]8;"):
                        self._pass(found["string"])
                case "escape":
                    self._pass(found["escape"])
                    self.forget = self.forget or found["escape"] == "\x1bc"
                case "broken":
                    pass  # no terminal makes anything of it
                case _:
                    self._control(found["control"])

    def _text(self, text: str) -> None:
        if self._only_ascii:
            text = ascii_only(text)
        if self.x < MAX_CELLS:
            self.x = self.grid.row(self.y).put(self.x, text[:MAX_CELLS], self._style)

    def _control(self, control: str) -> None:
        if control == "\n":
            self.x, self.y = 0, self.y + 1
        elif control == "\r":
            self.x = 0
        elif control == "\b":
            self.x = max(0, self.x - 1)
        elif control == "\a":
            self._pass(control)

    def _pass(self, sequence: str) -> None:
        self.passed.append(ascii_only(sequence) if self._only_ascii else sequence)

    def _control_sequence(self, found: re.Match[str]) -> None:
        parameters, final = found["parameters"], found["final"]
        if found["private"] or found["between"]:
            self._private(found)
        elif final == "m":
            self._style = self.styles.after(self._style, parameters)
        elif final in "HfABCDEFGd":
            self._move(final, [int(part) if part else 0 for part in parameters.split(";")])
        elif final in "JK":
            self._erase(final, parameters)
        else:
            self._pass(found[0])
            self.forget = self.forget or final in _REPAINTING_FINALS

    def _private(self, found: re.Match[str]) -> None:
        parameters, final = found["parameters"], found["final"]
        if found["private"] == "?" and final in "hl" and not found["between"]:
            if parameters == _SYNCHRONIZED:
                self.synchronized = True  # the writer puts its own marks around its own frames
                return
            if parameters in _ALTERNATE_SCREEN:
                self.alternate = final == "h"
                self.forget = True
                self.grid.clear()
        self._pass(found[0])

    def _move(self, final: str, values: list[int]) -> None:
        n = max(1, values[0])
        if final in "Hf":
            self.y, self.x = n - 1, max(1, values[1] if len(values) > 1 else 1) - 1
        elif final in "AF":
            self.y = max(0, self.y - n)
        elif final in "BE":
            self.y += n
        elif final == "C":
            self.x += n
        elif final == "D":
            self.x = max(0, self.x - n)
        elif final == "G":
            self.x = n - 1
        else:
            self.y = n - 1
        if final in "EF":
            self.x = 0
        self.x, self.y = min(self.x, MAX_CELLS), min(self.y, MAX_CELLS)

    def _erase(self, final: str, parameters: str) -> None:
        style = self.styles.background_of(self._style)
        whole = parameters in ("2", "3")
        rows = self.grid.rows
        if final == "J" and whole and not style:
            self.grid.clear()
            return
        above = range(self.y) if parameters in ("1", "2", "3") else range(0)
        below = range(self.y + 1, len(rows)) if parameters not in ("1",) else range(0)
        for y in (*above, *below) if final == "J" else ():
            self.grid.row(y).put(0, " " * len(rows[y].chars), style)
        row = self.grid.row(self.y)
        start = 0 if whole or parameters == "1" else self.x
        end = self.x + 1 if parameters == "1" else len(row.chars)
        row.put(start, " " * (end - start), style)
