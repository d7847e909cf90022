"""What one post of a run's `file_stream` says, read without trusting a word of it.

Whatever cannot be understood is left out and never refused: the client gives up for good on a 4xx, and a
training must not lose its curve over one odd line.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from msgspec import Struct

from controller.domain.runs import LogLines, Point
from controller.wandb_api.words import OWN_KEYS

HISTORY, SUMMARY, CONSOLE, EVENTS = (
    "wandb-history.jsonl",
    "wandb-summary.json",
    "output.log",
    "wandb-events.jsonl",
)
MAX_NUMBER = 2**63 - 1
"""Steps and line numbers beyond it cannot be kept."""

_STAMP = re.compile(r"(?:ERROR )?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)? ")
"""What the client puts before each console line."""


class Post(Struct, frozen=True, kw_only=True):
    """One post, in our words."""

    points: tuple[Point, ...] = ()
    last_seq: int = 0
    """Number of the last history line it carries, from 1; 0: none."""
    lines: tuple[LogLines, ...] = ()
    summary: dict[str, Any] = {}
    system: dict[str, Any] = {}
    """The latest system metrics."""
    preempting: bool = False
    exit_code: int | None = None
    """Set by the last post of a run."""


def read_post(body: Any) -> Post:
    """Return what a decoded body says."""
    if not isinstance(body, dict):
        return Post()
    files = body.get("files")
    files = files if isinstance(files, dict) else {}
    points, last_seq = _points(_chunk(files.get(HISTORY)))
    return Post(
        points=points,
        last_seq=last_seq,
        lines=_console(_chunk(files.get(CONSOLE))),
        summary=_without_own(_last_object(_chunk(files.get(SUMMARY)))),
        system=_system(_last_object(_chunk(files.get(EVENTS)))),
        preempting=body.get("preempting") is True,
        exit_code=_exit_code(body),
    )


def _chunk(file: Any) -> tuple[int, list[str]]:
    """Return the number of the first line, and the lines."""
    if not isinstance(file, dict):
        return 0, []
    offset, content = file.get("offset"), file.get("content")
    if not isinstance(offset, int) or isinstance(offset, bool) or offset < 0:
        offset = 0
    if not isinstance(content, list):
        return 0, []
    return min(offset, MAX_NUMBER // 2), [line if isinstance(line, str) else "" for line in content]


def _points(chunk: tuple[int, list[str]]) -> tuple[tuple[Point, ...], int]:
    offset, lines = chunk
    points = []
    for seq, line in enumerate(lines, offset + 1):
        row = _object(line)
        if row is not None:
            points.append(Point(seq=seq, step=_step(row, seq), at=_at(row), values=_without_own(row)))
    return tuple(points), offset + len(lines) if lines else 0


def _object(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _step(row: dict[str, Any], seq: int) -> int:
    step = row.get("_step")
    if isinstance(step, bool) or not isinstance(step, int | float) or not math.isfinite(step):
        return seq - 1
    return max(-MAX_NUMBER, min(int(step), MAX_NUMBER))


def _at(row: dict[str, Any]) -> float:
    at = row.get("_timestamp")
    if isinstance(at, bool) or not isinstance(at, int | float):
        return 0.0
    try:
        return float(at) if math.isfinite(at) else 0.0
    except OverflowError:
        return 0.0


def _without_own(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in OWN_KEYS}


def _last_object(chunk: tuple[int, list[str]]) -> dict[str, Any]:
    return next((row for line in reversed(chunk[1]) if (row := _object(line)) is not None), {})


def _system(row: dict[str, Any]) -> dict[str, Any]:
    prefix = "system."
    return {
        key.removeprefix(prefix): value
        for key, value in row.items()
        if key.startswith(prefix) and isinstance(value, int | float) and not isinstance(value, bool)
    }


def _console(chunk: tuple[int, list[str]]) -> tuple[LogLines, ...]:
    offset, lines = chunk
    if not lines:
        return ()
    return (LogLines(first=offset, lines=tuple(_plain(line) for line in lines)),)


def _plain(line: str) -> str:
    """Return a console line as the program wrote it; of a rewritten one what stands there in the end."""
    text = line.rstrip("\r\n")
    stamp = _STAMP.match(text)
    return text[stamp.end() :] if stamp else text


def _exit_code(body: dict[str, Any]) -> int | None:
    if body.get("complete") is not True:
        return None
    code = body.get("exitcode")
    return code if isinstance(code, int) and not isinstance(code, bool) and abs(code) < 2**31 else 0
