"""Where things live and which numbers may be turned.

One home holds one controller's store, keys, connection file and logs. Nothing here opens or makes
anything: paths are computed, the edge rooms create them.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

VERSION = "0.1.0"

HOME_VARIABLE = "TUI_SWEEPS_HOME"


SLURM_POLL_VARIABLE = "TUI_SWEEPS_SLURM_POLL"
SLURM_POLL_S = 60.0
"""Sites end tools that ask their scheduler more often."""


def slurm_poll_s(environment: Mapping[str, str] = os.environ) -> float | None:
    """Return how far apart SLURM may be asked at the least; None: never (`off`).

    What is no number of seconds counts as not given.
    """
    given = environment.get(SLURM_POLL_VARIABLE, "").strip().lower()
    if given == "off":
        return None
    try:
        seconds = float(given)
    except ValueError:
        return SLURM_POLL_S
    return seconds if 0 < seconds < float("inf") else SLURM_POLL_S


def program() -> tuple[str, ...]:
    """Return what starts this program on a host that has the same files: an absolute path first."""
    beside = Path(sys.executable).with_name("tui-sweeps")
    return (str(beside),) if os.access(beside, os.X_OK) else (sys.executable, "-m", "tui_sweeps")


def home_path(given: str | None = None) -> Path:
    """Return the home: what was given, else the environment's, else the platform's data directory."""
    chosen = (
        given or os.environ.get(HOME_VARIABLE) or platformdirs.user_data_dir("tui-sweeps", appauthor=False)
    )
    return Path(chosen).expanduser().absolute()


@dataclass(frozen=True, slots=True)
class Home:
    """The layout of one home directory (mode 0700; files 0600)."""

    path: Path

    @property
    def store(self) -> Path:
        """The SQLite database; only the controller that owns the home opens it."""
        return self.path / "store.sqlite3"

    @property
    def lock(self) -> Path:
        """Locked by the owner for as long as it lives; says who it is."""
        return self.path / "owner.json"

    @property
    def connection(self) -> Path:
        """How to reach the running controller (0600)."""
        return self.path / "connection.json"

    @property
    def listen(self) -> Path:
        """Where the controller listens for W&B's client; none: nowhere."""
        return self.path / "listen.json"

    @property
    def keys(self) -> Path:
        """Digests of the keys that client may use (0600)."""
        return self.path / "keys.json"

    @property
    def secret(self) -> Path:
        """What the keys of runs are derived from (0600)."""
        return self.path / "run.secret"

    @property
    def tls(self) -> Path:
        """Certificate and key of that listener (0700)."""
        return self.path / "tls"

    @property
    def spool(self) -> Path:
        """Requests and answers as files, for hosts whose network leads nowhere (0700)."""
        return self.path / "spool"

    @property
    def files(self) -> Path:
        """Files that runs uploaded."""
        return self.path / "files"

    @property
    def logs(self) -> Path:
        """Logs of the controller and of agents it started."""
        return self.path / "logs"

    @property
    def backups(self) -> Path:
        """Online copies of the store."""
        return self.path / "backups"

    @property
    def layout(self) -> Path:
        """What the dashboard remembers: columns, filters, cursor."""
        return self.path / "dashboard.json"

    @property
    def keymap(self) -> Path:
        """The user's own keys."""
        return self.path / "keys.toml"

    def socket(self, runtime_dir: Path) -> Path:
        """Return the socket's path in a runtime directory.

        Named by a digest, so that it stays under the kernel's limit of about 100 bytes however deep the
        home lies.
        """
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
        return runtime_dir / f"{digest}.sock"


def runtime_dirs() -> tuple[Path, ...]:
    """Return candidate directories for the socket, best first; local disks, never the (NFS) home."""
    candidates = []
    if given := os.environ.get("XDG_RUNTIME_DIR"):
        candidates.append(Path(given) / "tui-sweeps")
    candidates.append(Path(tempfile.gettempdir()) / f"tui-sweeps-{os.getuid()}")
    return tuple(candidates)
