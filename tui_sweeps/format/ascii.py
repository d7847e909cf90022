"""Unicode drawn with ASCII, cell by cell, for terminals that speak nothing else.

Widths are kept: a two-cell character becomes two ASCII characters and a combining mark becomes nothing, so a
layout measured before the change still holds after it.
"""

# ruff: noqa: RUF001 - look-alikes are this table's subject

from __future__ import annotations

import unicodedata
from functools import lru_cache

from rich.cells import get_character_cell_size

__all__ = ["ascii_only"]

_SYMBOLS = {
    "…": ".", "–": "-", "—": "-", "−": "-", "·": ".", "•": "*", "●": "*", "○": "o", "◐": "o", "◌": "o",
    "✓": "+", "✔": "+", "✗": "x", "✘": "x", "×": "x", "▲": "^", "▼": "v", "△": "^", "▽": "v", "▶": ">",
    "◀": "<", "▸": ">", "◂": "<", "▾": "v", "▴": "^", "→": ">", "←": "<", "↑": "^", "↓": "v", "↵": "<",
    "⏎": "<", "⏸": "=", "⏵": ">", "■": "#", "□": ".", "▪": "#", "▫": ".", "◆": "*", "◇": "o", "★": "*",
    "☆": "*", "±": "~", "≤": "<", "≥": ">", "≈": "~", "≠": "!", "∞": "8", "σ": "s", "Δ": "d", "µ": "u",
    "“": '"', "”": '"', "‘": "'", "’": "'", "«": "<", "»": ">", "\N{REPLACEMENT CHARACTER}": "?",
    "░": ".", "▒": ":", "▓": "#", "█": "#", "▀": "'", "▄": "_", "▌": "|", "▐": "|", "▁": "_", "▂": "_",
    "▃": "-", "▅": "=", "▆": "=", "▇": "#", "▔": "'", "▕": "|", "▏": "|", "▎": "|", "▍": "|", "▋": "|",
    "▊": "#", "▉": "#", "⚠": "!", "⏳": "..", "⌛": "..", "\u00a0": " ", "␛": "^", "␡": "^",
    "‖": "=", "›": ">", "‹": "<", "↩": "<", "↻": "r", "⊖": "e", "⊗": "k", "⊘": "c", "◁": "<", "⚑": "!",
    "✸": "!", "∅": "0",
}  # fmt: skip

_HORIZONTAL = frozenset("─━┄┅┈┉╌╍═╴╶╸╺╼╾")
_VERTICAL = frozenset("│┃┆┇┊┋╎╏║╵╷╹╻╽╿")
_BRAILLE_BY_N_DOTS = " ..::-=*#"


@lru_cache(maxsize=4096)
def _drawn(character: str) -> str:
    """ASCII of the same width for one character."""
    width = get_character_cell_size(character)
    known = _SYMBOLS.get(character)
    if known is None:
        known = _by_block(character)
    return (known + " " * width)[:width] if known else "?" * width


def _by_block(character: str) -> str:
    code = ord(character)
    if 0x2500 <= code <= 0x257F:
        if character in _HORIZONTAL:
            return "-"
        return "|" if character in _VERTICAL else "+"
    if 0x2800 <= code <= 0x28FF:
        return _BRAILLE_BY_N_DOTS[(code - 0x2800).bit_count()]
    if 0x2400 <= code <= 0x241F:
        return "^"
    if 0x2580 <= code <= 0x259F:
        return "#"
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return plain if plain.isprintable() else ""


def ascii_only(text: str) -> str:
    """Return printable text in ASCII, the same number of cells wide; ASCII itself passes unchanged."""
    return text if text.isascii() else "".join(c if c.isascii() else _drawn(c) for c in text)
