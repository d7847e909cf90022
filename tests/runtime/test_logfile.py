from __future__ import annotations

import io
import logging
from pathlib import Path

from controller.runtime.logfile import N_CHARS, Bounded, OneLine


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


def test_log_keeps_its_latest_records_within_bounds_and_is_ours_alone(tmp_path: Path) -> None:
    path = tmp_path / "controller.log"
    handler = Bounded(path, n_bytes=2000)
    own = logging.Logger("chatty")
    own.addHandler(handler)
    for n in range(200):
        own.error("refused for the %d. time", n)
    handler.close()
    files = [path, path.with_name("controller.log.1")]
    assert sorted(tmp_path.iterdir()) == files
    for file in files:
        assert file.stat().st_size <= 2000
        assert file.stat().st_mode & 0o777 == 0o600
    lines = (files[1].read_text() + files[0].read_text()).splitlines()
    told = [int(line.split()[-2].rstrip(".")) for line in lines]
    assert told == list(range(told[0], 200))
    assert told[0] > 100
