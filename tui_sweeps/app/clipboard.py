"""Where copied text goes besides the terminal's own clipboard (OSC 52), which many terminals keep shut.

tmux drops OSC 52 of the programs in it unless it is told otherwise (`set-clipboard external`, its default),
but hands on what it is given itself. A file of the home holds the text for terminals that take none.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

PATIENCE_S = 2.0
"""tmux answers in milliseconds; a server that hangs must not leave threads behind."""

FILE = "copied.txt"


def hand_on(text: str, environ: Mapping[str, str], home: Path | None) -> None:
    """Give the text to tmux if we are in it, and write it into the home; neither may fail aloud."""
    if home is not None:
        with contextlib.suppress(OSError, ValueError):
            descriptor = os.open(home / FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
                file.write(text + "\n")
    if environ.get("TMUX"):
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(
                ["tmux", "load-buffer", "-w", "-"],
                input=text.encode("utf-8", "replace"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=PATIENCE_S,
                check=False,
            )
