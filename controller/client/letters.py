"""Requests and answers as files on a shared file system: how they are named, written and read.

::

    spool/requests/INSTANCE.NUMBER     written by a client, removed once its answer is there
    spool/answers/INSTANCE/NUMBER      written by the controller, removed by the client

A letter is one line of words, then a body. It appears by a rename, so a reader sees all of it or nothing. All
requests lie in one directory, so that the controller looks at one place however many clients there are.

Directories are opened anew for every look: on NFS that asks the server, while the attributes of a directory
known by name may be a minute old (nfs(5), "Close-to-open cache consistency").
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

REQUESTS, ANSWERS = "requests", "answers"

OK, UNREACHABLE, DENIED, STRANGE = "ok", "unreachable", "denied", "strange"
"""First words of an answer; the last three are the door's errors."""

MOST_REQUEST_BYTES = 4_000_000
"""As over HTTP."""
MOST_ANSWER_BYTES = 1_000_000_000
"""A snapshot of a hundred thousand runs takes about a tenth."""

_NAME = re.compile(r"([0-9a-f]{16})\.([0-9]{1,15})")


class LetterError(Exception):
    """A file in the spool is no letter: too long, not ours, not a file."""


def new_instance() -> str:
    """Return a name for one client in one life."""
    return secrets.token_hex(8)


def request_name(instance: str, number: str) -> str:
    """Return the file name of a request."""
    return f"{instance}.{number}"


def instance_and_number(name: str) -> tuple[str, str] | None:
    """Return whose request a file name tells of, and which; None for anything else."""
    found = _NAME.fullmatch(name)
    return (found[1], found[2]) if found else None


@contextlib.contextmanager
def opened(directory: Path) -> Iterator[int]:
    """Open a directory anew; never through a link.

    Raises:
        OSError: it is not there, or no directory.
    """
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield handle
    finally:
        os.close(handle)


def write(directory: int, name: str, words: str, body: Iterable[bytes]) -> None:
    """Put a letter (0600) into an open directory.

    Raises:
        OSError: it cannot be written; nothing is left behind.
    """
    beside = f".{name}.{secrets.token_hex(4)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(beside, flags, 0o600, dir_fd=directory)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123 (a descriptor)
            file.write(words.encode("ascii") + b"\n")
            file.writelines(body)
        os.rename(beside, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside, dir_fd=directory)
        raise


def read(directory: int, name: str, most_bytes: int) -> tuple[str, bytes] | None:
    """Return a letter's words and body; None when it is not there (any more).

    Raises:
        LetterError: what is there is no letter.
        OSError: the file system does not answer.
    """
    try:
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=directory)
    except FileNotFoundError:
        return None
    with open(handle, "rb") as file:  # noqa: PTH123 (a descriptor)
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid():
            raise LetterError("it is no file of ours")
        if found.st_size > most_bytes:
            raise LetterError(f"it is larger than {most_bytes:,} bytes")
        words, _, body = file.read(most_bytes + 1).partition(b"\n")
    return words.decode("ascii", "replace"), body


def remove(directory: int, name: str) -> None:
    """Take a letter away, if it is still there."""
    with contextlib.suppress(OSError):
        os.unlink(name, dir_fd=directory)
