r"""One line of a run's report: eight hex digits of CRC-32, a blank, JSON, a line feed.

The reporter inside the program and the agent's own captures append such lines, each in one write, so
that writers need no lock. A line torn by a full disk or a kill fails its checksum and counts as a line
that says nothing; line numbers, from 1, are the sequence numbers of exactly-once.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

MAX_STEP = 2**63 - 1
"""What the store can hold as a step."""


def write_line(record: dict[str, Any]) -> bytes:
    """Return the record as one line."""
    text = json.dumps(record, separators=(",", ":")).encode("ascii")
    return b"%08x %s\n" % (zlib.crc32(text), text)


def parse_line(line: bytes) -> dict[str, Any] | None:
    """Return what a line (without its line feed) says; None if it is torn or not one of ours."""
    if len(line) < 11 or line[8:9] != b" ":
        return None
    try:
        if int(line[:8], 16) != zlib.crc32(line[9:]):
            return None
        record = json.loads(line[9:])
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and isinstance(record.get("kind"), str) else None
