"""Where the file lies: local disk or network file system.

Write-ahead logging shares memory between processes, which network file systems do not; locks there
are unreliable, too. So the store asks the mount table first and is more careful on such a place.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")

NETWORK_TYPES = re.compile(
    r"9p|afs|beegfs(_nodev)?|ceph|cifs|coda|fuse.*|gfs2|glusterfs|gpfs|lustre|ncpfs|nfs4?|ocfs2|orangefs"
    r"|panfs|pvfs2|smb[23fs]+|vboxsf|virtiofs|wekafs"
)


def is_network(path: Path) -> bool:
    """Say whether the path lies on a network file system; False where there is no mount table."""
    try:
        mounts = MOUNTS.read_text(errors="surrogateescape")
    except OSError:
        return False
    return NETWORK_TYPES.fullmatch(file_system(Path(os.path.realpath(path)), mounts)) is not None


def file_system(path: Path, mounts: str) -> str:
    """Return the file system type of a resolved path by a mountinfo text; empty: unknown.

    Source: proc(5), /proc/pid/mountinfo: the mount point is the fifth field, the type the first after
    the single hyphen; later lines cover earlier ones.
    """
    best, kind = -1, ""
    for line in mounts.splitlines():
        left, found, right = line.partition(" - ")
        fields = left.split(" ")
        if not found or len(fields) < 5 or not right:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[4]))
        if path.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), right.split(" ")[0]
    return kind


def make_private(directory: Path) -> None:
    """Make a directory and what is missing above it, open to the owner alone whatever the umask."""
    if not directory.is_dir():
        if directory.parent != directory:
            make_private(directory.parent)
        directory.mkdir(mode=0o700, exist_ok=True)
