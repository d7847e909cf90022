"""The one function between any outside string and any output.

A run's name, a host or a log line may carry bytes that drive the terminal. `sanitise` turns each of them into
a visible symbol, so that nothing is executed and nothing disappears unseen. Widths are those of `rich.cells`,
the same table Textual lays out with. Source: reliability.md 5.2 (Terminal); ECMA-48 for the sequences.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rich.cells import cell_len as cell_width
from rich.cells import get_character_cell_size

__all__ = ["sanitise", "fit", "cell_width", "ESCAPE_SEQUENCE", "REPLACEMENT", "ELLIPSIS"]

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""Stands for what is not shown: format and bidi controls, lone surrogates, unassigned code points."""

ELLIPSIS = "…"

ESCAPE_MARK = "␛"
"""Stands for one whole escape sequence."""

MAX_COMBINING_PER_CELL = 4
"""More marks than any living orthography stacks, too few to paint over the neighbouring lines."""

MAX_SANITISED_CHARS = 100_000
"""Longer strings are cut first: the work per string stays bounded whatever a stranger sends."""

ALLOWED_CONTROLS = frozenset("\n\t")
"""The only controls a caller may keep."""

ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI, terminated or not
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS …
    r"|\x1b[ -/]*[0-~]?"  # everything else that starts with ESC
)

_UNSEEN_CATEGORIES = frozenset(("Cc", "Cf", "Cs", "Cn", "Zl", "Zp"))
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5\u180b\u180c\u180d\u180f")
"""Letters and marks by category, nothing by sight."""


@lru_cache(maxsize=8192)
def _seen(character: str) -> str:
    """What is shown for one character: itself, a symbol, or nothing for a variation selector."""
    code = ord(character)
    if 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF:
        return ""  # they change a glyph's width from terminal to terminal
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if unicodedata.category(character) in _UNSEEN_CATEGORIES or character in _FILLERS:
        return REPLACEMENT
    return character


@lru_cache(maxsize=8192)
def _is_combining(character: str) -> bool:
    """True when the character takes no cell of its own."""
    return get_character_cell_size(character) == 0


def sanitise(text: str, *, width: int | None = None, allow: str = "") -> str:
    r"""Return `text` with everything that could drive a terminal replaced by visible symbols.

    `width` bounds the result in terminal cells (an ellipsis tells that something was cut). `allow` names
    controls to keep, of newline and tab only; both are symbols otherwise. The result of sanitising twice
    is the result of sanitising once.
    """
    if not (text.isascii() and text.isprintable()):
        text = _cleaned(text, ALLOWED_CONTROLS.intersection(allow))
    return text if width is None else fit(text, width)


def _cleaned(text: str, allowed: frozenset[str]) -> str:
    if len(text) > MAX_SANITISED_CHARS:
        text = text[:MAX_SANITISED_CHARS] + ELLIPSIS
    if "\x1b" in text or any("\x80" <= character <= "\x9f" for character in text):
        text = ESCAPE_SEQUENCE.sub(ESCAPE_MARK, text)
    out: list[str] = []
    n_marks = MAX_COMBINING_PER_CELL  # a mark without a base is as unwelcome as a fifth one
    for character in text:
        if character in allowed:
            out.append(character)
            n_marks = MAX_COMBINING_PER_CELL
            continue
        shown = _seen(character)
        if not shown:
            continue
        if _is_combining(shown):
            if n_marks < MAX_COMBINING_PER_CELL:
                out.append(shown)
            elif n_marks == MAX_COMBINING_PER_CELL:
                out.append(REPLACEMENT)  # one symbol for all that is too much
            n_marks += 1
            continue
        out.append(shown)
        n_marks = 0
    return "".join(out)


def fit(text: str, width: int) -> str:
    """Cut clean `text` to at most `width` cells, an ellipsis in the last one when something was cut."""
    if width <= 0:
        return ""
    if text.isascii():
        return text if len(text) <= width else text[: width - 1] + ELLIPSIS
    if cell_width(text) <= width:
        return text
    room = width - 1
    out: list[str] = []
    for character in text:
        cells = get_character_cell_size(character)
        if cells > room:
            break
        room -= cells
        out.append(character)
    return "".join(out) + ELLIPSIS
