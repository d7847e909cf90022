"""Copies of a live store: complete, checked, private.

The file of a running store is never copied as a file; SQLite's own online backup is.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
from pathlib import Path

from controller.store.errors import damaged
from controller.store.place import make_private
from controller.store.schema import sync_directory

_NUMBERED = re.compile(r"store-(\d{6,})\.sqlite3")


def numbered(directory: Path, keep: int) -> tuple[Path, list[Path]]:
    """Return the next copy's path and the older copies that then are one too many.

    Copies are numbered, for a clock may jump.
    """
    found = sorted(
        (int(match[1]), path)
        for path in directory.glob("store-*")
        if (match := _NUMBERED.fullmatch(path.name))
    )
    number = found[-1][0] + 1 if found else 1
    surplus = [path for _, path in found[: max(0, len(found) + 1 - max(1, keep))]]
    return directory / f"store-{number:06d}.sqlite3", surplus


def copy(source: sqlite3.Connection, target: Path) -> None:
    """Copy a store as it is now; the target appears when it is whole and checked.

    Raises:
        sqlite3.Error, OSError: it could not be written.
        StoreDamagedError: the copy is not whole, so the store is not either.
    """
    make_private(target.parent)
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        with contextlib.closing(sqlite3.connect(partial, isolation_level=None)) as copied:
            source.backup(copied)
            copied.execute("PRAGMA journal_mode = DELETE").fetchall()  # one file, nothing beside it
            problem = copied.execute("PRAGMA quick_check(1)").fetchone()[0]
            if problem != "ok":
                raise damaged(target, problem)
        descriptor = os.open(partial, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        partial.rename(target)
    finally:
        for name in (partial, partial.with_name(partial.name + "-journal")):
            name.unlink(missing_ok=True)
    sync_directory(target.parent)
