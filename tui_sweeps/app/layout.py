"""How the dashboard was left, in a file of the home. A file that cannot be read or written is no error."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tui_sweeps.model.desk import Desk, read_desk, write_desk


def load(path: Path | None) -> Desk:
    """Return the desk as it was left; a fresh one when there is none."""
    if path is None:
        return Desk()
    try:
        return read_desk(path.read_text("utf-8"))
    except (OSError, ValueError):
        return Desk()


def save(path: Path | None, desk: Desk) -> None:
    """Write the desk, whole or not at all."""
    if path is None:
        return
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with contextlib.suppress(OSError, ValueError):
        fresh.write_text(write_desk(desk), "utf-8")
        fresh.chmod(0o600)
        fresh.replace(path)
