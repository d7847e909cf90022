"""The Unix socket: made where nobody else can reach it, and nobody else is let in.

The directory is the first wall (ours, 0700, no symlink), the socket's mode the second (0600), the
peer's uid the third. Each is checked although the one before should do: a shared temporary
directory belongs to everybody.
"""

from __future__ import annotations

import errno
import os
import socket as sockets
import stat
import struct
from pathlib import Path

BACKLOG = 1024
"""A thousand agents may come back in the same second after a restart."""

MAX_PATH_BYTES = 100
"""The kernel takes about 107; a little is left for systems that take less."""

_PEER = struct.Struct("3i")


class ListenError(OSError):
    """The socket or its directory cannot be used.

    The message says why; `hint` says what to do.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def private_directory(path: Path) -> None:
    """Make a directory that only we can enter, or verify that it is one.

    Raises:
        ListenError: it is a symlink, no directory, another user's, open to others, or cannot be made.
    """
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise ListenError(f"cannot make the directory {path}: {error.strerror}") from error
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise ListenError(
            f"{path} is a symlink or no directory ({error.strerror})", f"look at it, then remove {path}"
        ) from error
    try:
        found = os.fstat(handle)
    finally:
        os.close(handle)
    if found.st_uid != os.getuid():
        raise ListenError(
            f"{path} belongs to uid {found.st_uid}", "set XDG_RUNTIME_DIR to a directory of yours"
        )
    if found.st_mode & 0o077:
        raise ListenError(f"{path} is open to other users", f"chmod 700 {path}")


def listen(path: Path) -> sockets.socket:
    """Return a listening Unix socket (0600) in a private directory; a dead owner's socket is replaced.

    Raises:
        ListenError: the directory is not private, or somebody answers at the socket.
    """
    if len(os.fsencode(path)) > MAX_PATH_BYTES:
        raise ListenError(f"the socket's path is longer than {MAX_PATH_BYTES} bytes: {path}")
    private_directory(path.parent)
    _remove_stale(path)
    listening = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
    try:
        listening.setblocking(False)
        listening.bind(os.fspath(path))
        # Nobody can connect before `listen`, so the mode set in between is the mode from the start.
        path.chmod(0o600)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise ListenError(f"cannot listen on {path}: {error.strerror}") from error
    return listening


def _remove_stale(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.getuid():
        raise ListenError(f"{path} is not a socket of ours", f"look at it, then remove {path}")
    with sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM) as probe:
        probe.setblocking(False)
        refused = probe.connect_ex(os.fspath(path))
    if refused not in (errno.ECONNREFUSED, errno.ENOENT):
        raise ListenError(f"a controller answers at {path}", "use it, or stop it first")
    path.unlink(missing_ok=True)


def identity(path: Path) -> tuple[int, int] | None:
    """Return what tells the file apart from another one of the same name; None when it is gone."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def peer_uid(connection: sockets.socket) -> int:
    """Return the uid of the process at the other end, as the kernel knows it."""
    credentials = connection.getsockopt(sockets.SOL_SOCKET, sockets.SO_PEERCRED, _PEER.size)
    _, uid, _ = _PEER.unpack(credentials)
    return int(uid)
