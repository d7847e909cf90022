"""How to find the controller of a home: the connection file, and what its absence means.

The file is a pointer and may be stale; only the socket's answer is proof. Whoever can write it could
have our agents execute anything, so a file that is not ours alone is refused.
"""

from __future__ import annotations

import os
import socket as sockets
import stat
from pathlib import Path

from msgspec import Struct

from controller.client.door import DeniedError, ProtocolError, UnreachableError
from controller.client.remote import START_HINT, RemoteClient
from controller.domain.wire import WireError, decode, encode
from controller.settings import Home

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Machine(Struct, frozen=True, kw_only=True):
    """One machine in one life: from its start to its end."""

    host: str
    boot_id: str
    """Empty where the kernel does not tell."""

    def is_same(self, host: str, boot_id: str) -> bool:
        """Say whether processes of the two can see each other."""
        if self.boot_id and boot_id:
            return self.boot_id == boot_id
        return self.host == host


def this_machine() -> Machine:
    """Return the machine this process runs on."""
    try:
        boot_id = _BOOT_ID.read_text("ascii").strip()
    except OSError:
        boot_id = ""
    return Machine(host=sockets.gethostname(), boot_id=boot_id)


class Connection(Struct, frozen=True, kw_only=True):
    """Where a controller is and how to reach it."""

    host: str
    boot_id: str
    pid: int
    socket: str
    """Path of its Unix socket, on its own host."""
    instance: str
    """New for every controller process."""
    started_at: float
    version: str
    addresses: tuple[str, ...] = ()
    """`host:port` where it listens for other hosts; empty: nowhere."""
    wandb_url: str = ""
    """Where it listens for W&B's client (`WANDB_BASE_URL`); empty: nowhere."""


def write(path: Path, connection: Connection) -> None:
    """Write the connection file (0600) so that a reader sees the old one or the new one."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    beside.unlink(missing_ok=True)
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(handle, "w", encoding="ascii") as file:  # noqa: PTH123 (a descriptor)
        file.write(encode(connection) + "\n")
        file.flush()
        os.fsync(handle)
    beside.replace(path)


def read(path: Path) -> Connection | None:
    """Return what the connection file says; None when there is no file.

    Raises:
        DeniedError: the file is a symlink, another user's, or open to others.
        ProtocolError: it is not understood.
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
        text = file.read(65536)
    try:
        return decode(text, Connection)
    except WireError as error:
        raise ProtocolError(
            f"{path} is not understood: {error}", "start the controller again; it writes it anew"
        ) from error


def connect(home: Home, *, timeout_s: float = 10.0) -> RemoteClient:
    """Return a client to the controller of a home; nothing is sent yet.

    Raises:
        UnreachableError: no controller runs for it, or not on this host; the hint says what to do.
        DeniedError: the connection file is not ours alone.
        ProtocolError: the connection file is not understood.
    """
    found = read(home.connection)
    if found is None:
        raise UnreachableError(f"No controller runs for {home.path}.", START_HINT)
    here = this_machine()
    if here.is_same(found.host, found.boot_id):
        socket = Path(found.socket)
        if not socket.exists():
            raise UnreachableError(
                f"No controller runs for {home.path} any more: pid {found.pid} on {found.host} is gone.",
                START_HINT,
            )
        return RemoteClient(socket, timeout_s=timeout_s)
    if here.host == found.host:
        raise UnreachableError(
            f"No controller runs for {home.path}: {found.host} was restarted since.", START_HINT
        )
    raise UnreachableError(
        f"Your controller for {home.path} runs on host {found.host}, this is {here.host}.",
        f"ssh {found.host}, and run the same command there",
    )
