"""The file that says who owns a home: its lock, its content and its age.

What each means is for `controller.runtime.ownership` to say.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
import uuid
from pathlib import Path

from msgspec import Struct

from controller.domain.wire import WireError, decode, encode
from controller.settings import Home

N_BYTES = 1024
"""The content is padded to this, so that one write replaces it and a reader never sees two halves."""

_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})


class Owner(Struct, frozen=True, kw_only=True):
    """Who owns a home."""

    host: str
    boot_id: str
    pid: int
    started_at: float
    instance: str
    """New for every controller process."""


class HomeError(OSError):
    """The home cannot be used; the message says why, `hint` what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def content(owner: Owner) -> bytes:
    """Return what the file holds, `N_BYTES` long."""
    return (encode(owner).encode("ascii") + b"\n").rjust(N_BYTES)


def read(path: Path) -> Owner | None:
    """Return what the file says; None when it is missing, empty or not understood.

    Raises:
        HomeError: it may not be read.
    """
    try:
        return decode(path.read_bytes(), Owner)
    except (FileNotFoundError, NotADirectoryError, WireError):
        return None
    except OSError as error:
        raise HomeError(f"{path} cannot be read: {error.strerror}.") from error


def is_released(path: Path) -> bool:
    """Say whether the last owner gave the home up by itself: it leaves an empty file."""
    try:
        return path.stat().st_size == 0
    except FileNotFoundError:
        return False


def open_mark(path: Path) -> int:
    """Return a handle to the file, which is made (0600) if need be.

    Raises:
        HomeError: it cannot be opened, or is a symlink.
    """
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise HomeError(
            f"{path} cannot be opened: {error.strerror}.", "look at it, then remove it"
        ) from error


def lock(handle: int) -> bool | None:
    """Return whether the lock is ours now; None when the file system has no locks."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return None
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise
    return True


def replace_mark(path: Path, owner: Owner) -> int:
    """Put a new file in the place of one whose lock a dead machine keeps, and return its handle."""
    beside = path.with_name(f"{path.name}.{owner.instance}")
    handle = open_mark(beside)
    try:
        lock(handle)
        os.write(handle, content(owner))
        os.fsync(handle)
        beside.replace(path)
    except BaseException:
        os.close(handle)
        beside.unlink(missing_ok=True)
        raise
    return handle


def is_at(handle: int, path: Path) -> bool:
    """Say whether the open file is still the one at the path."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def age_s(home: Home, handle: int) -> float:
    """Return the time since the last refresh, on the file server's own clock, which alone made both marks."""
    probe = home.path / f".now-{uuid.uuid4().hex}"
    marked_at = os.fstat(handle).st_mtime
    try:
        now = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError:
        return time.time() - marked_at  # the disk may be full
    try:
        return os.fstat(now).st_mtime - marked_at
    finally:
        os.close(now)
        probe.unlink(missing_ok=True)


def is_alive(owner: Owner) -> bool:
    """Say whether the owner's process lives, and is not another one with its number."""
    try:
        text = Path(f"/proc/{owner.pid}/stat").read_text("ascii", errors="replace")
        booted = next(
            float(line.split()[1])
            for line in Path("/proc/stat").read_text().splitlines()
            if line[:5] == "btime"
        )
    except OSError:
        return False
    ticks = int(text.rpartition(")")[2].split()[19])
    return booted + ticks / os.sysconf("SC_CLK_TCK") <= owner.started_at + 2.0
