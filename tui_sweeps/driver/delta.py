"""The difference between two pictures as terminal output.

Rows that are equal cost one comparison. In a changed row only changed cells are sent; the cursor takes the
cheapest way between them. After a character on whose width terminals disagree the cursor is placed anew, so
that an error cannot run along the row.
"""

from __future__ import annotations

from collections.abc import Mapping

from tui_sweeps.driver.grid import BLANK, Row
from tui_sweeps.driver.styles import StyleTable

__all__ = ["Shown"]

_SHORT_GAP_CELLS = 4
"""Rewriting so few unchanged cells is not longer than a cursor movement."""
_MIN_ERASED_CELLS = 4
"""Erasing to the end of the line takes three bytes and a style."""


def _is_certain(char: str) -> bool:
    """True when every terminal gives the character the width the grid has."""
    if len(char) != 1:
        return False
    code = ord(char)
    return code < 0x0300 or 0x2500 <= code < 0x2600 or 0x2800 <= code < 0x2900 or 0x3041 <= code < 0xA000


class Shown:
    """What the terminal shows, as far as it was told; brought up to date by `update`."""

    def __init__(self, styles: StyleTable, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._styles = styles
        self._rows: list[Row] = []
        self._out: list[str] = []
        self._style = 0
        self._x: int | None = None
        self._y: int | None = None
        self._known = False

    def forget(self, width: int, height: int) -> None:
        """Take it that nothing is known of the terminal but its size, in cells."""
        self.width, self.height = width, height
        self._known = False

    def update(self, wanted: Mapping[int, Row], cursor: tuple[int, int]) -> str:
        """Return the output that makes the `wanted` rows visible and moves the cursor to (x, y).

        After `forget` every row must be in `wanted`; a row left out is taken as blank.
        """
        self._out = []
        if not self._known:
            self._out.append("\x1b[m\x1b[2J")
            self._rows = [Row().cropped(self.width) for _ in range(self.height)]
            self._style, self._x, self._y, self._known = 0, None, None, True
        ys = sorted(y for y in wanted if y < self.height)
        if len(ys) > 1 and self._begins_well(ys[-1], wanted) and not self._begins_well(ys[0], wanted):
            ys.reverse()
        for y in ys:
            self._row(y, wanted[y].cropped(self.width))
        x, y = min(cursor[0], self.width - 1), min(cursor[1], self.height - 1)
        if (x, y) != (self._x, self._y):
            self._move(x, y)
        return "".join(self._out)

    def _begins_well(self, y: int, wanted: Mapping[int, Row]) -> bool:
        """Say whether a row goes on in the style that the pen has: a cursor's row after a step does."""
        styles = wanted[y].styles
        return bool(styles) and styles[0] == self._style

    def _row(self, y: int, wanted: Row) -> None:
        shown = self._rows[y]
        if shown.chars == wanted.chars and shown.styles == wanted.styles:
            return
        self._rows[y] = wanted
        chars = wanted.chars
        changed = [x for x in range(self.width) if chars[x] != "" and not self._is_same(x, shown, wanted)]
        end = self._blank_tail(wanted)
        erases = sum(x >= end for x in changed) >= _MIN_ERASED_CELLS
        for x in changed:
            if erases and x >= end:
                break
            self._to(x, y, wanted)
            self._put(x, wanted)
        if erases:
            self._to(end, y, wanted)
            self._out.append(self._styles.sequence(self._style, 0) + "\x1b[K")
            self._style = 0

    def _is_same(self, x: int, shown: Row, wanted: Row) -> bool:
        char = wanted.chars[x]
        if char != shown.chars[x]:
            return False
        return wanted.styles[x] == shown.styles[x] or (
            char == BLANK and self._looks_blank(wanted.styles[x], shown.styles[x])
        )

    def _looks_blank(self, one: int, other: int) -> bool:
        """Say whether a blank looks the same in two styles: text colour and weight do not show on it."""
        return self._styles.blank(one) == self._styles.blank(other)

    def _blank_tail(self, row: Row) -> int:
        end = self.width
        while end and row.chars[end - 1] == BLANK and self._looks_blank(row.styles[end - 1], 0):
            end -= 1
        return end

    def _put(self, x: int, row: Row) -> None:
        char, style = row.chars[x], row.styles[x]
        if style != self._style and not (char == BLANK and self._looks_blank(style, self._style)):
            style = self._ahead(x, row) if char == BLANK else style
            self._out.append(self._styles.sequence(self._style, style))
            self._style = style
        self._out.append(char)
        if self._x is not None:
            self._x += 2 if x + 1 < self.width and row.chars[x + 1] == "" else 1
            if not _is_certain(char) or self._x >= self.width:
                self._x = None

    def _ahead(self, x: int, row: Row) -> int:
        """Return the style of the text after a blank, where the blank looks the same in it."""
        style = row.styles[x]
        for at in range(x + 1, self.width):
            if not self._looks_blank(row.styles[at], style):
                break
            if row.chars[at] != BLANK:
                return row.styles[at]
        return style

    def _to(self, x: int, y: int, row: Row) -> None:
        """Move to a cell of the row being sent, over a short gap by sending what stands there."""
        if (x, y) == (self._x, self._y):
            return
        if self._y == y and self._x is not None and 0 < x - self._x <= _SHORT_GAP_CELLS:
            gap = range(self._x, x)
            if all(self._fits(at, row) for at in gap):
                self._out.extend(row.chars[at] for at in gap)
                self._x = x
                return
        self._move(x, y)

    def _fits(self, x: int, row: Row) -> bool:
        """Say whether a cell can be sent again as the pen is."""
        char = row.chars[x]
        if char == BLANK:
            return self._looks_blank(row.styles[x], self._style)
        return row.styles[x] == self._style and char.isascii() and char != ""

    def _move(self, x: int, y: int) -> None:
        ways = [f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H" if y else "\x1b[H"]
        if self._x is not None and self._y == y and x > self._x:
            ways.append(f"\x1b[{x - self._x}C")
        if self._y is not None and y == self._y + 1 and x == 0:
            ways.append("\r\n")
        if self._y == y:
            ways.append(f"\x1b[{x + 1}G" if x else "\r")
        self._out.append(min(ways, key=len))
        self._x, self._y = x, y
