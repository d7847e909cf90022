"""A full disk ends nothing: what cannot be recorded is said, and recording goes on in place (D2, D3)."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from controller.store import Store, StoreError, StoreFullError, schema
from tests.store.child import transaction
from tests.store.test_crashes import whole_up_to


def fill(path: Path, room_bytes: int, place: str) -> None:
    command = [sys.executable, "-m", "tests.store.full_disk", str(path), str(room_bytes), place]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("place", ["local", "network"])
@pytest.mark.parametrize("room_bytes", [0, 1, 4_096, 20_001, 40_000])
def test_a_store_recovers_in_place_when_there_is_room_again(path: Path, room_bytes: int, place: str) -> None:
    fill(path, room_bytes, place)


@pytest.mark.torture
@pytest.mark.timeout(900)
@pytest.mark.parametrize("place", ["local", "network"])
def test_a_store_recovers_wherever_the_disk_became_full(tmp_path: Path, place: str) -> None:
    for n in range(200):
        fill(tmp_path / str(n) / "store.sqlite3", n * 613, place)


class Failing(sqlite3.Connection):
    """A connection whose next commits fail with a given code."""

    codes: list[tuple[int, str]] = []
    n_opened = 0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        Failing.n_opened += 1

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if sql == "COMMIT" and Failing.codes:
            error = sqlite3.OperationalError("a text that belongs to another error")
            error.sqlite_errorcode, error.sqlite_errorname = Failing.codes.pop()
            raise error
        return super().execute(sql, *parameters)


@pytest.fixture
def failing(path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    real = sqlite3.connect

    def connect(*args: Any, **options: Any) -> sqlite3.Connection:
        return real(*args, factory=Failing, **options)

    monkeypatch.setattr(schema.sqlite3, "connect", connect)
    Failing.codes = []
    return Store.open(path)


@pytest.mark.parametrize(
    ("code", "name", "new_connection"),
    [
        (sqlite3.SQLITE_FULL, "SQLITE_FULL", False),
        (sqlite3.SQLITE_IOERR_WRITE, "SQLITE_IOERR_WRITE", False),
        (sqlite3.SQLITE_IOERR_FSYNC, "SQLITE_IOERR_FSYNC", True),
        (sqlite3.SQLITE_IOERR_READ, "SQLITE_IOERR_READ", True),
        (sqlite3.SQLITE_BUSY, "SQLITE_BUSY", False),
    ],
)
def test_a_failed_commit_is_undone_and_said_by_its_code(
    failing: Store, code: int, name: str, new_connection: bool
) -> None:
    failing.commit(transaction(1)).result()
    assert whole_up_to(failing) == 1
    n_opened = Failing.n_opened
    Failing.codes = [(code, name)]
    refused = failing.commit(transaction(2)).exception()
    assert isinstance(refused, StoreFullError)
    assert name in str(refused)
    assert refused.hint
    assert "another error" not in str(refused)
    assert whole_up_to(failing) == 1
    failing.probe().result()
    failing.commit(transaction(2)).result()
    assert whole_up_to(failing) == 2
    assert (Failing.n_opened > n_opened) is new_connection
    failing.close()


def test_nothing_slips_in_between_a_refusal_and_its_repetition(failing: Store) -> None:
    failing.commit(transaction(1)).result()
    Failing.codes = [(sqlite3.SQLITE_FULL, "SQLITE_FULL")]
    second, third = transaction(2), transaction(3)
    refused = failing.commit(second).exception()
    assert failing.commit(third).exception() is refused
    assert whole_up_to(failing) == 1
    assert failing.commit(second).result() is None
    assert failing.commit(third).result() is None
    assert whole_up_to(failing) == 3
    failing.close()


def test_a_defect_of_ours_refuses_one_delta_and_not_its_neighbours(failing: Store) -> None:
    Failing.codes = [(sqlite3.SQLITE_CONSTRAINT, "SQLITE_CONSTRAINT")]
    assert type(failing.commit(transaction(1)).exception()) is StoreError
    assert failing.commit(transaction(1)).result() is None
    failing.close()
