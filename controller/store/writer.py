"""The one thread that writes: takes everything that waits and makes it durable in one transaction.

After a failure of the disk nothing is accepted until a probe succeeds or the first refused delta is
given again: a later delta that slipped in before an earlier one's repetition would be overwritten by
older rows.
"""

from __future__ import annotations

import itertools
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controller.domain.delta import Delta
from controller.domain.sweeps import Suggestion
from controller.store.errors import SPACE_CODES, StoreError, code_of, translate
from controller.store.rows import Rows, encode

N_GROUP = 256
"""Most deltas in one transaction, so that the first one's answer is not held back by a flood."""

_PROBE = "INSERT INTO probe (id, n) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET n = n + 1"


def _future() -> Future[Any]:
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()  # what is queued is written; nobody can take it back
    return future


@dataclass(eq=False, slots=True)
class _Commit:
    delta: Delta
    future: Future[None] = field(default_factory=_future)


@dataclass(eq=False, slots=True)
class _Call:
    """Something to do with the connection between two transactions."""

    function: Callable[[sqlite3.Connection], Any]
    future: Future[Any] = field(default_factory=_future)


@dataclass(eq=False, slots=True)
class _Probe:
    future: Future[None] = field(default_factory=_future)


_Job = _Commit | _Call | _Probe


class Writer:
    """Owns the writing connection from its first transaction to its closing."""

    def __init__(self, path: Path, connect: Callable[[], sqlite3.Connection]) -> None:
        self._path = path
        self._connect = connect
        self._connection: sqlite3.Connection | None = connect()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._error: StoreError | None = None
        """Why nothing is accepted now."""
        self._first_refused: Delta | None = None
        self._shelves: dict[str, tuple[Suggestion, ...]] = {}
        """Shelves as they are after the group at hand; most deltas repeat them."""
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self._thread.start()

    def commit(self, delta: Delta) -> Future[None]:
        """Queue a delta; see `Store.commit`."""
        job = _Commit(delta)
        self._put(job)
        return job.future

    def probe(self) -> Future[None]:
        """Queue a tiny durable write; see `Store.probe`."""
        job = _Probe()
        self._put(job)
        return job.future

    def call(self, function: Callable[[sqlite3.Connection], Any]) -> Future[Any]:
        """Queue something to do with the connection between two transactions."""
        job = _Call(function)
        self._put(job)
        return job.future

    def close(self) -> None:
        """Finish what is queued and close the connection."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()

    def _put(self, job: _Job) -> None:
        with self._gate:
            if not self._closed:
                self._jobs.put(job)
                return
        job.future.set_exception(StoreError("the store is closed"))

    def _work(self) -> None:
        closing = False
        while not closing:
            jobs = [self._jobs.get()]
            while jobs[-1] is not None and len(jobs) < N_GROUP:
                try:
                    jobs.append(self._jobs.get_nowait())
                except queue.Empty:
                    break
            if jobs[-1] is None:
                closing = True
                jobs.pop()
            for kind, group in itertools.groupby(jobs, key=type):
                if kind is _Commit:
                    self._commit_all([job for job in group if isinstance(job, _Commit)])
                else:
                    for job in group:
                        self._do(job)
        if self._connection is not None:
            self._connection.close()

    def _do(self, job: _Job | None) -> None:
        try:
            if isinstance(job, _Call):
                job.future.set_result(job.function(self._ready()))
            elif isinstance(job, _Probe):
                self._transact(lambda connection: connection.execute(_PROBE))
                self._error = self._first_refused = None
                job.future.set_result(None)
        except Exception as error:
            assert job is not None
            job.future.set_exception(translate(error, self._path))

    def _commit_all(self, jobs: list[_Commit]) -> None:
        """Write a group in one transaction; a delta that cannot be written is refused alone."""
        if self._error is not None and jobs[0].delta is not self._first_refused:
            for job in jobs:
                job.future.set_exception(self._error)
            return
        group = Rows()
        good: list[_Commit] = []
        for job in jobs:
            try:
                group.take(encode(job.delta, self._shelves))
            except Exception as error:
                job.future.set_exception(translate(error, self._path))
            else:
                self._shelves.update(job.delta.shelves)
                good.append(job)
        if good:
            self._write(group, good)

    def _write(self, group: Rows, jobs: list[_Commit]) -> None:
        try:
            self._transact(group.write)
        except Exception as error:
            found = translate(error, self._path)
            if type(found) is StoreError and len(jobs) > 1:
                for job in jobs:
                    self._commit_all([job])
                return
            if type(found) is not StoreError:
                self._error, self._first_refused = found, jobs[0].delta
            self._shelves.clear()
            for job in jobs:
                job.future.set_exception(found)
            return
        self._error = self._first_refused = None
        for job in jobs:
            job.future.set_result(None)

    def _transact(self, write: Callable[[sqlite3.Connection], Any]) -> None:
        connection = self._ready()
        try:
            connection.execute("BEGIN IMMEDIATE")
            write(connection)
            connection.execute("COMMIT")
        except BaseException as error:
            self._undo(connection, error)
            raise

    def _undo(self, connection: sqlite3.Connection, error: BaseException) -> None:
        """Leave no transaction open; after anything but a lack of space start with a new connection.

        A failed sync may have lost pages the system still shows, so the handle is not to be trusted.
        """
        code = code_of(error)
        trusted = code in SPACE_CODES or code & 0xFF != sqlite3.SQLITE_IOERR
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            trusted = False
        if not trusted:
            self._connection = None
            connection.close()

    def _ready(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection
