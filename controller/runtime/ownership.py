"""One controller owns one home.

On one machine the kernel's lock on the home's lock file decides: it is free as soon as its holder is
dead. Between machines that share a file system the file's content and age decide too, because locks may
be missing there, or kept by a machine that is gone. The owner refreshes the file every ten seconds, and
learns at the next refresh when somebody took the home over.

The lock is `flock`'s: unlike a record lock it stays when this process reads the file a second time. It
is inherited over `fork`, never over `exec`.
"""

from __future__ import annotations

import os
import time
import uuid
from datetime import datetime
from pathlib import Path
from types import TracebackType

from controller.client.connection import Machine, this_machine
from controller.runtime import lockfile
from controller.runtime.lockfile import HomeError, Owner
from controller.settings import Home

REFRESH_S = 10.0
"""How often the owner refreshes its mark."""

STALE_S = 60.0
"""Without a refresh for so long, another host may take the home over when its user says so."""


class OwnedError(Exception):
    """Another controller owns the home (`owner`, None when it is only just starting)."""

    def __init__(self, message: str, hint: str = "", owner: Owner | None = None) -> None:
        super().__init__(message)
        self.hint = hint
        self.owner = owner


class Ownership:
    """The right to open a home's store, until `release`."""

    def __init__(self, path: Path, handle: int, owner: Owner) -> None:
        self.owner = owner
        self._path = path
        self._handle: int | None = handle

    def refresh(self) -> None:
        """Say that we live; called every `REFRESH_S`.

        Raises:
            OwnedError: another controller took the home over: stop writing and leave.
            OSError: the file system does not answer; try again.
        """
        if self._handle is None:
            return
        found = lockfile.read(self._path)
        if found is None and lockfile.is_released(self._path):
            raise OwnedError(
                "Another controller took this home over, and has ended since.",
                "this one ends too, because it does not know what the other recorded; start it again",
            )
        if found is None:  # somebody removed or spoiled the file: a lost file must not end a controller
            spoiled, self._handle = self._handle, lockfile.replace_mark(self._path, self.owner)
            os.close(spoiled)
        elif found.instance != self.owner.instance:
            raise OwnedError(
                f"Another controller took this home over: {_name(found)}.",
                "this one ends; its agents find the other by themselves",
                found,
            )
        else:
            os.utime(self._handle)

    def release(self) -> None:
        """Give the home up; can be repeated."""
        if self._handle is None:
            return
        handle, self._handle = self._handle, None
        try:
            found = lockfile.read(self._path)
            if found is not None and found.instance == self.owner.instance:
                os.ftruncate(handle, 0)
        finally:
            os.close(handle)

    def __enter__(self) -> Ownership:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def acquire(home: Home, *, takeover: bool = False, machine: Machine | None = None) -> Ownership:
    """Make us the owner of a home, which is made (0700) if need be.

    A dead owner on this machine is replaced silently; one on another machine only with `takeover`, and
    only when it has not refreshed its mark for `STALE_S`.

    Raises:
        OwnedError: somebody else owns it; says who, since when and what to do.
        HomeError: the directory cannot be made, belongs to somebody else, or can be written by others.
    """
    make_home(home)
    here = machine or this_machine()
    owner = Owner(
        host=here.host,
        boot_id=here.boot_id,
        pid=os.getpid(),
        started_at=time.time(),
        instance=uuid.uuid4().hex,
    )
    while (handle := _take(home, owner, here, takeover)) is None:
        pass  # the file was replaced under our hands: by another controller, so this ends soon
    return Ownership(home.lock, handle, owner)


def _take(home: Home, owner: Owner, here: Machine, takeover: bool) -> int | None:
    """Return the lock file's handle once it says that we own the home; None: look again."""
    handle = lockfile.open_mark(home.lock)
    try:
        is_locked = lockfile.lock(handle)
        found = lockfile.read(home.lock)
        is_empty = os.fstat(handle).st_size == 0
        if not lockfile.is_at(handle, home.lock):
            os.close(handle)
            return None
        _check(here, found, is_locked, lockfile.age_s(home, handle), takeover, is_empty=is_empty)
        if is_locked is not False:
            os.pwrite(handle, lockfile.content(owner), 0)
            os.ftruncate(handle, lockfile.N_BYTES)
            os.fsync(handle)
            return handle
    except BaseException:
        os.close(handle)
        raise
    os.close(handle)
    return lockfile.replace_mark(home.lock, owner)


def read_owner(home: Home) -> Owner | None:
    """Return who last said that it owns the home; it may be dead. None: nobody, or not readable."""
    return lockfile.read(home.lock)


def make_home(home: Home) -> None:
    """Make the home's directory (0700), or verify that it is ours.

    Raises:
        HomeError: it cannot be used.
    """
    try:
        home.path.parent.mkdir(parents=True, exist_ok=True)
        home.path.mkdir(mode=0o700, exist_ok=True)
        found = home.path.stat()
    except (FileExistsError, NotADirectoryError) as error:
        raise HomeError(f"The home {home.path} is no directory, or lies under a file.") from error
    except OSError as error:
        raise HomeError(f"The home {home.path} cannot be made: {error.strerror}.") from error
    if found.st_uid != os.getuid():
        raise HomeError(f"The home {home.path} belongs to uid {found.st_uid}.", "choose one of yours")
    if found.st_mode & 0o022:
        raise HomeError(f"Others may write to the home {home.path}.", f"chmod go-w {home.path}")


def _check(
    here: Machine,
    found: Owner | None,
    is_locked: bool | None,
    age_s: float,
    takeover: bool,
    *,
    is_empty: bool,
) -> None:
    """Raise unless we may become the owner; `is_locked` None means that there are no locks here."""
    if found is None:
        if is_locked is False or (not is_empty and age_s < STALE_S):
            raise OwnedError(
                "Another controller is just starting for this home.", "wait a moment, then try again"
            )
        return
    if here.is_same(found.host, found.boot_id):
        if is_locked is False or (is_locked is None and lockfile.is_alive(found)):
            raise OwnedError(
                f"A controller owns this home already: {_name(found)}.",
                "use it, or end it with `tui-sweeps controller stop`",
                found,
            )
        return
    if here.host == found.host and (is_locked or (is_locked is None and age_s >= STALE_S)):
        return  # this host, in an earlier life: it was restarted since
    if age_s < STALE_S:
        raise OwnedError(
            f"A controller on another host owns this home: {_name(found)}.",
            f"ssh {found.host} and use it there, or end it with `tui-sweeps controller stop`",
            found,
        )
    if not takeover:
        raise OwnedError(
            f"A controller on another host owns this home: {_name(found)}; no word for {age_s:.0f} s.",
            f"make sure that it is dead (ssh {found.host}), then start with `--takeover`",
            found,
        )


def _name(owner: Owner) -> str:
    since = datetime.fromtimestamp(owner.started_at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return f"pid {owner.pid} on {owner.host} since {since}"
