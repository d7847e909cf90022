"""Where the controller's socket is: on a local disk, in a directory that only we can enter."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from controller.api.listener import MAX_PATH_BYTES, ListenError, private_directory
from controller.settings import Home, runtime_dirs

__all__ = ["ListenError", "prepare_socket"]


def prepare_socket(home: Home, candidates: Iterable[Path] | None = None) -> Path:
    """Return the path for a home's socket in the first runtime directory that can be used.

    The directory is made if need be, and verified; `candidates` default to the platform's.

    Raises:
        ListenError: none can be used; the message says why for each.
    """
    reasons = []
    for directory in runtime_dirs() if candidates is None else candidates:
        socket = home.socket(directory)
        try:
            if len(os.fsencode(socket)) > MAX_PATH_BYTES:
                raise ListenError(f"the path {socket} is longer than {MAX_PATH_BYTES} bytes")
            _check_parent(directory.parent)
            private_directory(directory)
        except ListenError as error:
            reasons.append(f"{error}" + (f" ({error.hint})" if error.hint else ""))
        else:
            return socket
    raise ListenError(
        "There is no place for the controller's socket: " + "; ".join(reasons) + ".",
        "set XDG_RUNTIME_DIR to a directory of yours (mode 0700, short path, local disk)",
    )


def _check_parent(parent: Path) -> None:
    """Refuse a parent in which others could put something else in our directory's place."""
    try:
        found = parent.stat()
    except OSError as error:
        raise ListenError(f"{parent}: {error.strerror}") from error
    if found.st_uid not in (0, os.getuid()):
        raise ListenError(f"{parent} belongs to uid {found.st_uid}")
    if found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX:
        raise ListenError(f"everybody may rename what lies in {parent}")
