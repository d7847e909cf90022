"""Looks into a store that no controller has open, and cannot change it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from controller.domain.facts import Facts
from controller.domain.runs import Attempt
from controller.domain.wire import WireError, decode
from controller.store import reads, schema
from controller.store.errors import StoreError, translate

_POINTS = """
SELECT a.run_id, count(*) FROM points p JOIN attempts a ON a.token = p.token GROUP BY a.run_id
"""


class Contents(Struct, frozen=True, kw_only=True):
    """What a store holds, as far as it can be checked."""

    facts: Facts
    """With every attempt, not only the latest."""
    n_points: dict[str, int]
    """History rows by run id."""


def look(path: Path) -> Contents:
    """Return what the store holds; nothing is written.

    Raises:
        StoreError: it cannot be read as it is.
    """
    logs = [path.with_name(path.name + ending) for ending in ("-wal", "-journal")]
    if _any_filled(logs):
        raise StoreError(
            f"{path} was not closed by its last controller", "the next start completes it; look again then"
        )
    try:
        with contextlib.closing(schema.connect_to_rest(path)) as connection:
            n_ours = len(schema.migrations())
            if schema.check(connection, path, n_ours) < n_ours:
                raise StoreError(
                    f"{path} was written by an older version", "the next start brings it up to date"
                )
            bodies = connection.execute("SELECT body FROM attempts ORDER BY token")
            every = tuple(decode(body, Attempt) for (body,) in bodies)
            contents = Contents(
                facts=replace(reads.facts(connection), attempts=every),
                n_points=dict(connection.execute(_POINTS)),
            )
    except sqlite3.Error as error:
        raise translate(error, path) from error
    except WireError as error:
        raise StoreError(f"{path} holds something that is not understood: {error}") from error
    if _any_filled(logs):
        raise StoreError(f"{path} was opened by a controller meanwhile", "look again")
    return contents


def _any_filled(paths: Iterable[Path]) -> bool:
    return any(path.exists() and path.stat().st_size for path in paths)
