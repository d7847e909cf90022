"""The controller's log: a file of ours alone, one line for each thing that happened, whoever caused it."""

from __future__ import annotations

import logging
import os
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from controller.domain.printable import printable

N_CHARS = 2000
"""Of one message; a stranger's must not fill the disk."""

N_BYTES = 10_000_000
"""Of the file, and of the one before it: nor must whoever asks wrongly again and again."""


class OneLine(logging.Formatter):
    """Lets no string from outside drive the terminal of who reads the log, nor look like a record.

    A traceback keeps its lines, indented: a record begins at the margin.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is Python's
        """Return the record's line."""
        return printable(super().formatMessage(record), N_CHARS)

    def formatException(  # noqa: N802
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """Return the traceback's lines."""
        return "\n".join(f"  {printable(line)}" for line in super().formatException(ei).splitlines())


class Bounded(RotatingFileHandler):
    """A file of ours alone; full, it becomes `….1` in place of the one before, and a new one begins."""

    def __init__(self, path: Path, n_bytes: int = N_BYTES) -> None:
        super().__init__(path, maxBytes=n_bytes, backupCount=1, encoding="utf-8")
        self.setFormatter(OneLine())

    def _open(self) -> TextIOWrapper:
        opened = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        return os.fdopen(opened, "a", encoding="utf-8")


def log_to(path: Path) -> None:
    """Have everything that is logged in this process written to a file."""
    make_logs(path.parent)
    handler = Bounded(path)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.raiseExceptions = False  # a record that finds no room is lost; stderr may be a terminal in use


def make_logs(logs: Path) -> None:
    """Make the directory and the home above it, both ours alone (`parents` would leave the home open)."""
    logs.parent.parent.mkdir(parents=True, exist_ok=True)
    for directory in (logs.parent, logs):
        directory.mkdir(exist_ok=True, mode=0o700)
