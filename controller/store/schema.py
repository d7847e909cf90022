"""Opening the file: made whole or not at all, brought up to our schema, never guessed at.

A new store is built under another name and renamed when complete, so an empty file is never a young
store but always a damaged one. A file is looked through with a connection that cannot write before
the writing one touches it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from controller.store.errors import (
    DAMAGED_CODES,
    StoreError,
    StoreNewerError,
    code_of,
    damaged,
    translate,
)

APPLICATION_ID = 1937203568
"""The letters `swep`: tells our files from anybody else's."""

CHECKED_WHOLE_BYTES = 256 * 2**20
"""A bigger file has only its small tables checked at each start: a restart must take seconds."""

_BULK = frozenset({"points", "lines"})
_PATIENCE_S = 5.0
"""How long to wait for a lock somebody else holds."""


def migrations() -> tuple[str, ...]:
    """Return the scripts in their order; script n leads from schema n-1 to n."""
    files = [f for f in resources.files("controller.store").iterdir() if f.name.endswith(".sql")]
    return tuple(file.read_text() for file in sorted(files, key=lambda file: file.name))


def connect(path: Path, *, network: bool) -> sqlite3.Connection:
    """Return the one connection that writes and checkpoints."""
    connection = _open(path, "rw")
    try:
        if network:
            # Before the first access: then SQLite neither shares memory nor trusts locks again.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("PRAGMA mmap_size = 0")
            connection.execute("PRAGMA journal_mode = TRUNCATE").fetchall()
        else:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
            connection.execute("PRAGMA journal_size_limit = 67108864")
            connection.execute("PRAGMA wal_autocheckpoint = 4000")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")
        connection.execute("PRAGMA checkpoint_fullfsync = ON")
        connection.execute("PRAGMA cache_size = -16384")
        connection.execute("BEGIN IMMEDIATE")  # takes the exclusive lock where it is to be kept
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """Return a connection that can neither write nor checkpoint."""
    connection = _open(path, "ro")
    connection.execute("PRAGMA query_only = ON")
    return connection


def connect_to_rest(path: Path) -> sqlite3.Connection:
    """Return a connection to a store that nobody has open: it leaves no file behind and takes no lock."""
    return _open(path, "ro&immutable=1")


def create(path: Path, scripts: Sequence[str]) -> None:
    """Make a new store, whole, readable and writable by its owner alone."""
    young = path.with_name(path.name + ".new")
    for name in (young, young.with_name(young.name + "-journal")):
        name.unlink(missing_ok=True)
    os.close(os.open(young, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with contextlib.closing(_open(young, "rw")) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        migrate(connection, scripts)
    young.rename(path)
    sync_directory(path.parent)


def migrate(connection: sqlite3.Connection, scripts: Sequence[str]) -> None:
    """Bring the file to the newest schema, each step whole or not at all."""
    for number in range(version_of(connection), len(scripts)):
        try:
            connection.executescript(
                f"BEGIN IMMEDIATE;\n{scripts[number]}\nPRAGMA user_version = {number + 1};\nCOMMIT;"
            )
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def version_of(connection: sqlite3.Connection) -> int:
    """Return the file's schema version."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def inspect(path: Path, n_ours: int, *, network: bool) -> int | None:
    """Look a file through without being able to write; return its schema version.

    None: only the writing connection can read it, because a transaction was cut off and must be rolled
    back first, or because it came from a local disk with its write-ahead log.

    Raises:
        StoreDamagedError, StoreNewerError, StoreError: it cannot be used.
    """
    if path.stat().st_size == 0:
        raise damaged(path, "empty")
    if network and _header(path)[18:20] == b"\2\2":
        return None
    try:
        with contextlib.closing(connect_reader(path)) as connection:
            return check(connection, path, n_ours)
    except sqlite3.Error as error:
        primary = code_of(error) & 0xFF
        if primary in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN} and os.access(path, os.W_OK):
            return None
        raise translate(error, path) from error


def check(connection: sqlite3.Connection, path: Path, n_ours: int) -> int:
    """Return the schema version of a file that is ours and whole.

    Raises:
        StoreDamagedError, StoreNewerError, StoreError: it is not.
    """
    try:
        version = version_of(connection)
        if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID or version < 1:
            raise StoreError(
                f"{path} is an SQLite file, but not a store of this program",
                "Move it away or choose another home.",
            )
        if version > n_ours:
            raise StoreNewerError(
                f"{path} was written by a newer version (schema {version}, this program knows {n_ours})",
                "Update the program, or choose another home.",
            )
        for found in _problems(connection, path):
            if found != "ok":
                raise damaged(path, found)
    except sqlite3.Error as error:
        if code_of(error) & 0xFF in DAMAGED_CODES:
            raise damaged(path, error.sqlite_errorname) from error
        raise
    return version


def _header(path: Path) -> bytes:
    """Return the file's first 100 bytes; only while no connection is open, whose locks this would drop."""
    with path.open("rb") as file:
        return file.read(100)


def _problems(connection: sqlite3.Connection, path: Path) -> list[str]:
    if path.stat().st_size <= CHECKED_WHOLE_BYTES:
        return [row[0] for row in connection.execute("PRAGMA quick_check(1)")]
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return [
        row[0]
        for (table,) in tables
        if table not in _BULK
        for row in connection.execute(f"PRAGMA quick_check({table})")
    ]


def sync_directory(path: Path) -> None:
    """Make a rename in this directory survive a power loss."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _open(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=_PATIENCE_S,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection
