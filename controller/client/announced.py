"""What a controller says of itself in its home: the connection file.

The file is a pointer and may be stale; only an answer is proof. Whoever can write it could have our agents
execute anything, so a file that is not ours alone is refused.
"""

from __future__ import annotations

import os
import socket as sockets
from pathlib import Path

from msgspec import Struct

from controller.client.door import ProtocolError
from controller.client.private import read_private
from controller.domain.wire import WireError, decode, encode

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
    """`host:port` where it listens for other hosts, the best first; empty: nowhere."""
    authority: str = ""
    """Certificate (PEM) of who signed the one that answers there."""
    wandb_url: str = ""
    """Where it listens for W&B's client (`WANDB_BASE_URL`); empty: nowhere."""


def write(path: Path, connection: Connection) -> None:
    """Write the connection file (0600) so that a reader sees the old one or the new one."""
    write_whole(path, encode(connection))


def write_whole(path: Path, text: str) -> None:
    """Write one line of ASCII to a file (0600) that appears all at once."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    beside.unlink(missing_ok=True)
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(handle, "w", encoding="ascii") as file:  # noqa: PTH123 (a descriptor)
        file.write(text + "\n")
        file.flush()
        os.fsync(handle)
    beside.replace(path)


def read(path: Path) -> Connection | None:
    """Return what the connection file says; None when there is no file.

    Raises:
        DeniedError: the file is a symlink, another user's, or open to others.
        ProtocolError: it is not understood.
    """
    text = read_private(path)
    if text is None:
        return None
    try:
        return decode(text, Connection)
    except WireError as error:
        raise ProtocolError(
            f"{path} is not understood: {error}", "start the controller again; it writes it anew"
        ) from error


def is_near(found: Connection) -> bool:
    """Say whether the controller's socket can be seen from here."""
    return this_machine().is_same(found.host, found.boot_id) and Path(found.socket).exists()


def fault_for_nodes(found: Connection) -> tuple[str, str] | None:
    """Return why no other host can reach this controller, and what to do; None when there is a chance.

    Whether a compute node's network really leads to one of its addresses is what `doctor --slurm` finds out.
    """
    if found.addresses:
        return None
    where = f"on this machine only ({found.wandb_url})" if found.wandb_url else "on its Unix socket only"
    return (
        f"The controller on {found.host} listens {where}: no compute node can reach it.",
        "tui-sweeps controller start --listen all:0 (the one that runs takes it up)",
    )
