r"""Metrics out of printed lines, for programs in any language.

Each pattern of the sweep's `capture:` is a regular expression. Its named groups are metrics:
`loss=(?P<loss>\S+)`. A group called `step` is the step. What is found is appended to the run's report
file like anything the program reports itself, so it is numbered and delivered exactly once.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from typing import Any

from controller.agent.console_reader import ConsoleReader
from controller.agent.place import RunPlace
from controller.agent.records import write_line


class Capture:
    """Reads complete lines of the output and appends what the patterns find."""

    def __init__(self, patterns: tuple[str, ...], place: RunPlace) -> None:
        self._patterns = [re.compile(pattern) for pattern in patterns]
        self._reader = ConsoleReader(place.output, jump=False)
        self._report = place.report
        self._n_steps = 0
        self._pending = b""
        self._unfinished = ""

    def step(self, *, last: bool = False) -> None:
        """Look at what was printed since; `last` also looks at a line without an end."""
        found: list[bytes] = [self._pending]
        while (batch := self._reader.next_batch()) is not None:
            self._reader.position = batch.after
            lines = [line for part in batch.lines for line in part.lines]
            n_whole = len(lines)
            if lines and batch.after.told:
                n_whole, self._unfinished = n_whole - 1, lines[-1]
            elif lines:
                self._unfinished = ""
            for line in lines[:n_whole]:
                found += self._match(line)
        if last and self._unfinished:
            found += self._match(self._unfinished)
            self._unfinished = ""
        self._pending = b"".join(found)
        if self._pending:
            with contextlib.suppress(OSError):  # the disk is full: tried again at the next look
                self._append(self._pending)
                self._pending = b""

    def _match(self, line: str) -> list[bytes]:
        values: dict[str, Any] = {}
        for pattern in self._patterns:
            for match in pattern.finditer(line):
                values |= {
                    name: _number(text) for name, text in match.groupdict().items() if text is not None
                }
        step = values.pop("step", None)
        if not values:
            return []
        if not isinstance(step, int):
            step = self._n_steps
        self._n_steps = step + 1
        return [write_line({"kind": "log", "step": step, "t": time.time(), "values": values})]

    def _append(self, data: bytes) -> None:
        handle = os.open(self._report, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, data)
        finally:
            os.close(handle)


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
