"""Files of ours that tell where the controller is or prove who we are: read only when they are ours alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from controller.client.door import DeniedError


def read_private(path: Path, limit_bytes: int = 65536) -> bytes | None:
    """Return what a file of ours (0600) holds; None when there is none.

    Raises:
        DeniedError: it is a symlink, another user's, or open to others.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DeniedError(
            f"{path} cannot be opened, or is a symlink: {error.strerror}", f"look at it, then remove {path}"
        ) from error
    with open(handle, "rb") as file:  # noqa: PTH123 (a descriptor)
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid():
            raise DeniedError(f"{path} is no file of yours", f"look at it, then remove {path}")
        if found.st_mode & 0o077:
            raise DeniedError(f"{path} is open to other users", f"chmod 600 {path}")
        return file.read(limit_bytes)
