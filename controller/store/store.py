"""The store as the engine sees it: open, load, commit, ask, back up, close."""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar, assert_never

from controller.domain.delta import Delta
from controller.domain.queries import Answer, GetAttempts, GetCurves, GetHistory, GetLog, GetNotes
from controller.domain.wire import WireError
from controller.domain.world import Facts
from controller.store import backup, reads, schema
from controller.store.curves import Thinner
from controller.store.errors import StoreError, damaged, translate
from controller.store.place import is_network, make_private
from controller.store.writer import Writer

Question = GetHistory | GetCurves | GetLog | GetAttempts | GetNotes
T = TypeVar("T")


class Store:
    """One open store; the process that opens it owns it."""

    def __init__(self, path: Path, writer: Writer, *, network: bool) -> None:
        """Use `Store.open`."""
        self.path = path
        self.network = network
        self._writer = writer
        self._readers: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        self._thinner = Thinner()
        self._n_asking = 0
        self._closed = False
        self._quiet = threading.Condition()

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open the store at `path`, making or migrating it where needed, after looking it through.

        Raises:
            StoreDamagedError: it is not what we wrote; the file is untouched.
            StoreNewerError: a newer version wrote it.
            StoreFullError: it cannot be written now.
            StoreError: it is no store.
        """
        scripts = schema.migrations()
        network = is_network(path.parent)
        try:
            _prepare(path, scripts, network=network)
            writer = Writer(path, lambda: schema.connect(path, network=network))
        except (sqlite3.Error, OSError) as error:
            raise _opening_error(error, path) from error
        return cls(path, writer, network=network)

    def load(self) -> Facts:
        """Return what a World is made of: everything, but of attempts only the open and each run's latest.

        Raises:
            StoreError: it cannot be read.
        """
        return self._read(reads.facts)

    def commit(self, delta: Delta) -> Future[None]:
        """Write a delta; the future is done when it is durable, in the order of the calls.

        What waits together becomes one transaction. A delta that cannot be stored is refused alone with
        a plain `StoreError`. After a `StoreFullError` (or damage) every delta is refused with the same
        error until `probe` succeeds or the first refused delta comes again, so that the caller can
        repeat the refused ones in their order. Never blocks; never raises.
        """
        return self._writer.commit(delta)

    def probe(self) -> Future[None]:
        """Try a tiny durable write; when it succeeds commits are accepted again."""
        return self._writer.probe()

    def ask(self, query: Question) -> Answer:
        """Answer from everything committed before; blocks, may be called by many threads.

        Raises:
            StoreError: it cannot be read.
        """
        return self._read(lambda connection: self._answer(connection, query))

    def backup(self, directory: Path, keep: int = 4) -> Path:
        """Copy the live store into `directory`, check the copy, and leave only the newest `keep` copies.

        Raises:
            StoreError: the copy could not be made; older ones are left alone.
        """
        try:
            target, surplus = backup.numbered(directory, keep)
            self._with_connection(lambda connection: backup.copy(connection, target))
            for old in surplus:
                old.unlink(missing_ok=True)
        except (sqlite3.Error, OSError) as error:
            raise _opening_error(error, directory) from error
        return target

    def close(self) -> None:
        """Finish queued commits and running answers, checkpoint, close. Twice is as good as once."""
        with self._quiet:
            self._closed = True
            self._quiet.wait_for(lambda: self._n_asking == 0)
        with contextlib.suppress(queue.Empty):
            while True:
                self._readers.get_nowait().close()
        self._writer.close()

    def _answer(self, connection: sqlite3.Connection, query: Question) -> Answer:
        match query:
            case GetHistory():
                return reads.history(connection, query)
            case GetCurves():
                return self._thinner.curves(connection, query)
            case GetLog():
                return reads.log(connection, query)
            case GetAttempts():
                return reads.attempts(connection, query)
            case GetNotes():
                return reads.notes(connection, query)
            case _:
                assert_never(query)

    def _read(self, read: Callable[[sqlite3.Connection], T]) -> T:
        def consistently(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN")
            try:
                return read(connection)
            finally:
                connection.execute("ROLLBACK")

        try:
            return self._with_connection(consistently)
        except (sqlite3.Error, WireError, OSError) as error:
            if isinstance(error, WireError):
                raise damaged(self.path, str(error)) from error
            raise translate(error, self.path) from error

    def _with_connection(self, use: Callable[[sqlite3.Connection], T]) -> T:
        if self.network:  # a second connection would share memory or locks, which cannot be trusted there
            result: T = self._writer.call(use).result()
            return result
        with self._reader() as connection:
            return use(connection)

    @contextlib.contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        with self._quiet:
            if self._closed:
                raise StoreError("the store is closed")
            self._n_asking += 1
        try:
            try:
                connection = self._readers.get_nowait()
            except queue.Empty:
                connection = schema.connect_reader(self.path)
            try:
                yield connection
            except sqlite3.Error:
                connection.close()
                raise
            except BaseException:
                self._readers.put(connection)
                raise
            self._readers.put(connection)
        finally:
            with self._quiet:
                self._n_asking -= 1
                self._quiet.notify_all()


def _prepare(path: Path, scripts: tuple[str, ...], *, network: bool) -> None:
    """Leave a checked store with our schema at `path`."""
    make_private(path.parent)
    if not path.exists():
        for beside in ("-wal", "-journal"):
            if path.with_name(path.name + beside).exists():
                raise damaged(path, f"there is only {path.name}{beside}")
        schema.create(path, scripts)
    path.chmod(0o600)
    version = schema.inspect(path, len(scripts), network=network)
    if version == len(scripts):
        return
    with contextlib.closing(schema.connect(path, network=network)) as connection:
        version = schema.check(connection, path, len(scripts))
        if version < len(scripts):
            backup.copy(connection, path.parent / "backups" / f"before-schema-{len(scripts)}.sqlite3")
            schema.migrate(connection, scripts)


def _opening_error(error: sqlite3.Error | OSError, path: Path) -> StoreError:
    if isinstance(error, OSError):
        return StoreError(f"{path}: {error.strerror}", "Check that the directory is yours and writable.")
    return translate(error, path)
