"""Styles as numbers: SGR parameters in, the shortest SGR between two styles out.

Every style seen gets a number, of any count, so that a row of cells compares as a list of integers. What the
terminal cannot show is mapped when the style is first met: 256 or 16 colours, or none at all.
Source: ECMA-48 8.3.117 (SGR), ISO 8613-6 (extended colours).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from rich.color import Color, ColorSystem

from tui_sweeps.format.terminal import ColourDepth

__all__ = ["PLAIN", "Style", "StyleTable"]

_ON = {1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 6: 16, 7: 32, 8: 64, 9: 128, 21: 256, 53: 512}
"""SGR code to attribute bit."""
_OFF = {22: 1 | 2, 23: 4, 24: 8 | 256, 25: 16, 27: 32, 28: 64, 29: 128, 55: 512}
_SEEN_ON_BLANKS = 8 | 32 | 128 | 256 | 512
"""Underlined, reversed, crossed out, doubly underlined, overlined."""
_CODES = {1: "1", 2: "2", 4: "3", 8: "4", 16: "5", 32: "7", 64: "8", 128: "9", 256: "21", 512: "53"}

_WEIGHT = 1 | 2
"""Bold and dim: 22 ends both, on every terminal with 256 colours."""

_MAX_CACHED_PARAMETERS = 20_000
"""Animated colours would otherwise fill the memory of a dashboard left open for weeks."""


class Style(NamedTuple):
    """One look of a cell; colours are SGR parameters such as "31" or "48;5;17", empty for the default."""

    attributes: int
    colour: str
    background: str


PLAIN = Style(0, "", "")


class StyleTable:
    """Numbers for styles; number 0 is the terminal's default look."""

    def __init__(self, depth: ColourDepth = ColourDepth.TRUE) -> None:
        self._depth = depth
        self._styles: list[Style] = [PLAIN]
        self._numbers: dict[Style, int] = {PLAIN: 0}
        self._after: dict[tuple[int, str], int] = {}
        self._between: dict[tuple[int, int], str] = {}
        self._blank: dict[int, int] = {}

    def after(self, current: int, parameters: str) -> int:
        """Return the number of the style that `CSI parameters m` makes of style `current`."""
        key = (current, parameters)
        known = self._after.get(key)
        if known is None:
            if len(self._after) > _MAX_CACHED_PARAMETERS:
                self._after.clear()
            known = self._after[key] = self._number(_applied(self._styles[current], parameters, self._depth))
        return known

    def background_of(self, number: int) -> int:
        """Return the number of the style an erased cell gets: the background alone."""
        return self._number(Style(0, "", self._styles[number].background))

    def blank(self, number: int) -> int:
        """Return one style for all in which a blank looks the same."""
        known = self._blank.get(number)
        if known is None:
            style = self._styles[number]
            seen = style.attributes & _SEEN_ON_BLANKS
            known = self._blank[number] = self._number(
                Style(seen, style.colour if seen else "", style.background)
            )
        return known

    def sequence(self, old: int, new: int) -> str:
        """Return the shortest SGR sequence that leads from one style to another."""
        if old == new:
            return ""
        key = (old, new)
        known = self._between.get(key)
        if known is None:
            if len(self._between) > _MAX_CACHED_PARAMETERS:
                self._between.clear()
            can_lighten = self._depth >= ColourDepth.EIGHT_BIT
            known = self._between[key] = _between(self._styles[old], self._styles[new], can_lighten)
        return known

    def _number(self, style: Style) -> int:
        number = self._numbers.get(style)
        if number is None:
            number = self._numbers[style] = len(self._styles)
            self._styles.append(style)
        return number


def _applied(style: Style, parameters: str, depth: ColourDepth) -> Style:
    attributes, colour, background = style
    codes = [int(part) if part.isdecimal() else 0 for part in parameters.replace(":", ";").split(";")]
    at = 0
    while at < len(codes):
        code = codes[at]
        if code == 0:
            attributes, colour, background = PLAIN
        elif code in _ON:
            attributes |= _ON[code]
        elif code in _OFF:
            attributes &= ~_OFF[code]
        elif code in (38, 48):
            n_more = {5: 2, 2: 4}.get(codes[at + 1] if at + 1 < len(codes) else 0, 0)
            text = mapped_colour(tuple(codes[at : at + 1 + n_more]), depth)
            colour, background = (text, background) if code == 38 else (colour, text)
            at += n_more
        elif 30 <= code <= 37 or 90 <= code <= 97:
            colour = str(code) if depth else ""
        elif 40 <= code <= 47 or 100 <= code <= 107:
            background = str(code) if depth else ""
        elif code == 39:
            colour = ""
        elif code == 49:
            background = ""
        at += 1
    if colour and background and depth is ColourDepth.STANDARD and int(colour) + 10 == int(background):
        background = ""  # two colours that fell on one of the sixteen would hide the text
    return Style(attributes, colour, background)


@lru_cache(maxsize=4096)
def mapped_colour(codes: tuple[int, ...], depth: ColourDepth) -> str:
    """Return extended colour parameters (38/48;5;n or ;2;r;g;b) as a terminal of this depth can show them."""
    if depth is ColourDepth.NONE or len(codes) not in (3, 5) or max(codes[2:]) > 255:
        return ""
    as_sent = ";".join(map(str, codes))
    if depth is ColourDepth.TRUE or (depth is ColourDepth.EIGHT_BIT and codes[1] == 5):
        return as_sent
    colour = Color.from_ansi(codes[2]) if codes[1] == 5 else Color.from_rgb(*codes[2:])
    system = ColorSystem.STANDARD if depth is ColourDepth.STANDARD else ColorSystem.EIGHT_BIT
    return ";".join(colour.downgrade(system).get_ansi_codes(foreground=codes[0] == 38))


def _between(old: Style, new: Style, can_lighten: bool) -> str:
    anew = ["0", *_attribute_codes(new.attributes), *filter(None, (new.colour, new.background))]
    whole = f"\x1b[{';'.join(anew)}m" if len(anew) > 1 else "\x1b[m"
    gone, kept, parts = old.attributes & ~new.attributes, old.attributes, []
    if gone and can_lighten and not gone & ~_WEIGHT:
        parts.append("22")
        kept &= ~_WEIGHT
    elif gone:
        return whole  # switching other attributes off by themselves is where terminals differ
    parts += _attribute_codes(new.attributes & ~kept)
    if new.colour != old.colour:
        parts.append(new.colour or "39")
    if new.background != old.background:
        parts.append(new.background or "49")
    step = f"\x1b[{';'.join(parts)}m"
    return step if len(step) < len(whole) else whole


def _attribute_codes(attributes: int) -> list[str]:
    return [code for bit, code in _CODES.items() if attributes & bit]
