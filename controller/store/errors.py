"""What can go wrong with the store, and what to do about it.

::

    StoreError               something could not be stored or read; the rest goes on
    ├── StoreFullError       nothing can be written now: disk full, quota, I/O error, a lock; may pass
    ├── StoreDamagedError    the file is not what we wrote; it was left untouched
    └── StoreNewerError      a newer version of the program made the file

SQLite's texts are never read, only its codes: on Python 3.11 a text may belong to the previous error.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path


class StoreError(Exception):
    """Something could not be stored or read; `hint` says what to do."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.hint = hint


class StoreFullError(StoreError):
    """Nothing can be written now, but it may pass: keep what is not recorded and probe."""


class StoreDamagedError(StoreError):
    """The file is not what we wrote; it was left untouched."""


class StoreNewerError(StoreError):
    """A newer version of the program made the file."""


DAMAGED_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
WRITE_CODES = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
    }
)
"""Primary codes that speak of the file or the disk, not of what was to be written."""

SPACE_CODES = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE})
"""Codes after which the same connection goes on as soon as there is space; a failed sync is not one."""


def code_of(error: BaseException) -> int:
    """Return SQLite's extended code, 0 where there is none."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code if isinstance(code, int) else 0


def translate(error: BaseException, path: Path) -> StoreError:
    """Return what an error of SQLite or of encoding means to the caller."""
    if isinstance(error, StoreError):
        return error
    code = code_of(error)
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    if code & 0xFF in DAMAGED_CODES:
        return damaged(path, name)
    if code in SPACE_CODES:
        return StoreFullError(
            f"the disk of {path} is full ({name})", "Free some space or raise the quota; nothing is lost."
        )
    if code & 0xFF in WRITE_CODES:
        return StoreFullError(
            f"{path} cannot be written now ({name})",
            "Check the disk, its quota and permissions, and that no other program has the file open.",
        )
    if code == 0:
        return StoreError(f"this cannot be stored: {error}", "Other records are not affected.")
    return StoreError(f"{path}: the store refused ({name})", "Please report this as a defect.")


def damaged(path: Path, why: str) -> StoreDamagedError:
    """Return the error for a file that is not what we wrote, with the commands that recover it."""
    return StoreDamagedError(
        f"{path} is damaged ({why}); it was left untouched",
        "Restore the newest copy from the backups directory next to it, or recover what is readable:\n"
        f"  mkdir damaged && cp {path.name}* damaged/\n"
        f"  sqlite3 damaged/{path.name} .recover | sqlite3 recovered.sqlite3\n"
        f"  rm {path.name}* && mv recovered.sqlite3 {path.name}",
    )
