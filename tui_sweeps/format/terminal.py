"""What the terminal can show, read from the environment alone.

The environment is an argument, so that the answer is the same in a test and on a login node.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

__all__ = ["speaks_unicode", "colour_depth", "ColourDepth"]


class ColourDepth(IntEnum):
    """How many colours may be sent."""

    NONE = 0
    STANDARD = 16
    EIGHT_BIT = 256
    TRUE = 1 << 24


_ASCII_TERMS = frozenset(("dumb", "vt100", "vt102", "vt220", "ansi"))


def speaks_unicode(environ: Mapping[str, str]) -> bool:
    """True unless the locale is C, POSIX or of another character set, or the terminal is a very old one.

    Python itself sets `LC_CTYPE=C.UTF-8` when it starts under a plain C locale (PEP 538), so that value says
    nothing when `LANG` names C in so many words.
    """
    if environ.get("TERM", "") in _ASCII_TERMS:
        return False
    lang = environ.get("LANG", "")
    ctype = environ.get("LC_CTYPE", "")
    if ctype.upper() in ("C.UTF-8", "C.UTF8", "UTF-8") and lang in ("C", "POSIX"):
        ctype = ""
    locale = environ.get("LC_ALL", "") or ctype or lang
    if not locale:
        return True
    charset = locale.upper().partition(".")[2].partition("@")[0]
    if charset:
        return charset in ("UTF-8", "UTF8")
    return locale == "UTF-8" or locale not in ("C", "POSIX")


def colour_depth(environ: Mapping[str, str]) -> ColourDepth:
    """Return the colours the environment promises: NO_COLOR, COLORTERM and TERM, in this order."""
    if environ.get("NO_COLOR"):
        return ColourDepth.NONE
    term = environ.get("TERM", "")
    if term in ("dumb", "vt100", "vt102", "vt220", "unknown"):
        return ColourDepth.NONE
    if environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return ColourDepth.TRUE
    if term.endswith("-direct") or term in ("xterm-kitty", "alacritty", "foot", "wezterm"):
        return ColourDepth.TRUE
    return ColourDepth.EIGHT_BIT if "256" in term else ColourDepth.STANDARD
