from __future__ import annotations

import io
import logging

from controller.runtime.logfile import N_CHARS, OneLine


def logged(message: str, error: Exception | None = None) -> str:
    """What one record of a logger of its own comes to."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLine())
    own = logging.Logger("strange")
    own.addHandler(handler)
    own.error("refused: %s", message, exc_info=error)
    return stream.getvalue()


def test_record_is_one_line_whatever_strangers_send() -> None:
    line = logged("\x1b[2J\ud800\x9b\u202e\n2026-01-01 00:00:00,000 INFO forged: all is well\r")
    assert line.count("\n") == 1
    assert line.rstrip("\n").isprintable()
    assert r"\x1b[2J\ud800\x9b\u202e\n2026" in line
    assert len(logged("x" * 10**6)) < N_CHARS + 3


def test_traceback_keeps_its_lines_and_none_begins_at_the_margin() -> None:
    try:
        raise ValueError("\x1b[31mred\nERROR forged: at the margin")
    except ValueError as error:
        first, *more = logged("it broke", error).splitlines()
    assert "it broke" in first
    assert "Traceback" in more[0]
    assert all(line.startswith("  ") and line.isprintable() for line in more)
