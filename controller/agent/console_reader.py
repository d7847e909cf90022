r"""Reads a program's output onwards as numbered lines.

A progress bar rewrites its line with carriage returns: the line keeps its number and is told again with
its newest content. What a program prints faster than it can be told is left in the file only.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from controller.domain.runs import LogLines

CHUNK_BYTES = 256 * 1024
BATCH_LINES = 2000
MAX_LINE_BYTES = 64 * 1024
CUT_MARK = " … [cut]"
MAX_BEHIND_BYTES = 8 * 1024 * 1024
"""Further behind than this, the reader jumps; the file keeps everything."""
KEEP_BYTES = 1024 * 1024
"""How much before the end it jumps to."""


@dataclass(frozen=True, slots=True)
class ConsolePosition:
    """So far the output has been told."""

    offset: int = 0
    """Where the newest content of line `number` begins."""
    number: int = 0
    told: bytes = b""
    """What was told of this unfinished line."""
    cut: bool = False
    """The line was too long; the rest of it is passed over."""


@dataclass(frozen=True, slots=True)
class ConsoleBatch:
    """Lines to tell, and where the reader stands once they are told."""

    lines: tuple[LogLines, ...]
    after: ConsolePosition


class ConsoleReader:
    """A cursor over one output file."""

    def __init__(self, path: Path, *, jump: bool = True) -> None:
        self._path = path
        self._jump = jump
        self.position = ConsolePosition()

    def next_batch(self) -> ConsoleBatch | None:
        """Return what is new, or None."""
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            start = _catch_up(handle, self.position) if self._jump else self.position
            data = os.pread(handle, CHUNK_BYTES, start.offset)
        finally:
            os.close(handle)
        while start.cut and data:
            start, data = _pass_over(start, data)
        batch = _lines(start, data)
        if batch.after == self.position:
            return None
        return batch


def _catch_up(handle: int, position: ConsolePosition) -> ConsolePosition:
    size = os.fstat(handle).st_size
    if size - position.offset <= MAX_BEHIND_BYTES:
        return position
    offset, number = position.offset, position.number
    while offset < size - KEEP_BYTES:
        data = os.pread(handle, min(CHUNK_BYTES, size - KEEP_BYTES - offset), offset)
        number += data.count(b"\n")
        offset += len(data)
    return ConsolePosition(offset, number, cut=True)


def _pass_over(position: ConsolePosition, data: bytes) -> tuple[ConsolePosition, bytes]:
    """Go to the end of a line that was cut, or to where carriage returns give it new content."""
    ends = [i for i in (data.find(b"\n"), data.find(b"\r")) if i >= 0]
    if not ends:
        return replace(position, offset=position.offset + len(data)), b""
    rest = data[min(ends) :].lstrip(b"\r")
    if not rest:
        return replace(position, offset=position.offset + len(data) - 1), b""
    n_newlines = int(rest.startswith(b"\n"))
    rest = rest[n_newlines:]
    offset = position.offset + len(data) - len(rest)
    return ConsolePosition(offset, position.number + n_newlines), rest


def _lines(start: ConsolePosition, data: bytes) -> ConsoleBatch:
    pieces = data.split(b"\n", BATCH_LINES)
    whole, rest = pieces[:-1], pieces[-1]
    texts = [_text(_newest(line)) for line in whole]
    number = start.number + len(whole)
    offset = start.offset + sum(len(line) + 1 for line in whole)
    told = start.told if not whole else b""
    after = ConsolePosition(offset, number, told, start.cut)
    if len(whole) < BATCH_LINES and rest:
        after, text = _unfinished(after, rest)
        if text is not None:
            texts.append(text)
    lines = (LogLines(first=start.number, lines=tuple(texts)),) if texts else ()
    return ConsoleBatch(lines, after)


def _unfinished(position: ConsolePosition, rest: bytes) -> tuple[ConsolePosition, str | None]:
    newest = _newest(rest)
    skipped = len(rest.rstrip(b"\r")) - len(newest)
    after = replace(position, offset=position.offset + skipped)
    if len(newest) > MAX_LINE_BYTES:
        after = replace(after, offset=position.offset + len(rest), cut=True, told=b"")
    elif len(rest) >= CHUNK_BYTES and not skipped:
        # Nothing but carriage returns follows, more than fits: wait behind them for what comes.
        after = replace(after, offset=position.offset + len(rest) - 1, cut=True, told=b"")
    elif newest == position.told:
        return after, None
    else:
        after = replace(after, told=newest)
    return after, _text(newest)


def _newest(line: bytes) -> bytes:
    """Return what a terminal would show of a line that carriage returns rewrote."""
    line = line.rstrip(b"\r")
    return line[line.rfind(b"\r") + 1 :]


def _text(line: bytes) -> str:
    if len(line) > MAX_LINE_BYTES:
        return line[:MAX_LINE_BYTES].decode(errors="replace") + CUT_MARK
    return line.decode(errors="replace")
