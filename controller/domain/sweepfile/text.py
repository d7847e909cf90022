"""From bytes to text: size limit, encodings, and characters YAML does not know.

The only files refused here are those that are not text at all, or too large to be a sweep file.
"""

from __future__ import annotations

import codecs
import re

from controller.domain.problems import ProblemList
from controller.domain.sweepfile.items import Item

MAX_BYTES = 1_000_000
"""One megabyte; the largest file seen in the wild has 40 kB."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks, longer ones before those they begin with."""

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What YAML 1.1 forbids in a stream (section 5.1 of its specification)."""


def decoded(source: str | bytes, problems: ProblemList) -> str | None:
    """Return the text of a sweep file, or None after noting why it has none."""
    if len(source) > MAX_BYTES:
        problems.error(
            Item(None, 1, 1), f"the file is larger than {MAX_BYTES:,} bytes", "is this a sweep file?"
        )
        return None
    text = source if isinstance(source, str) else _from_bytes(source, problems)
    if text is None:
        return None
    text = text.removeprefix("\ufeff")
    if bad := _UNPRINTABLE.search(text):
        problems.error(
            _place(text, bad.start()),
            f"the character U+{ord(bad.group()):04X} is not allowed in YAML",
            "remove it, or save the file as plain UTF-8 text",
        )
        return None
    return text


def _from_bytes(source: bytes, problems: ProblemList) -> str | None:
    encoding = next((name for mark, name in _MARKS if source.startswith(mark)), "utf-8")
    try:
        return source.decode(encoding)
    except UnicodeDecodeError as error:
        before = source[: error.start].decode(encoding, errors="replace")
        problems.error(
            _place(before, len(before)),
            f"the file is not {encoding.upper()} text: byte 0x{source[error.start]:02x} cannot be read",
            "save it as UTF-8",
        )
        return None


def _place(text: str, index: int) -> Item:
    line_start = text.rfind("\n", 0, index) + 1
    return Item(None, text.count("\n", 0, index) + 1, index - line_start + 1)
