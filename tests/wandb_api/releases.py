"""Older releases of the client, each in an environment of its own that is made once and kept."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PLACE = Path(__file__).parents[2] / ".venv-wandb"


def python_with(release: str) -> Path:
    """The Python of a release's environment; the test is skipped where pip cannot make it."""
    place = PLACE / release
    python, ready = place / "bin" / "python", place / "ready"
    PLACE.mkdir(exist_ok=True)
    with open(PLACE / f"{release}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if ready.exists():
            return python
        shutil.rmtree(place, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        # Releases before 0.20 import `pkg_resources`.
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        packages = [f"wandb=={release}", "setuptools<80"]
        made = subprocess.run([str(python), *install, *packages], capture_output=True, text=True, check=False)
        if made.returncode:
            reason = made.stderr.strip().splitlines()[-1:] or ["no word"]
            pytest.skip(f"pip cannot install wandb {release} here: {reason[0]}")
        ready.touch()
    return python
