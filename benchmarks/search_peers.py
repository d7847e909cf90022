"""Search engines as processes of their own: ours and the rivals, asked by one JSON object per line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("TUI_SWEEPS_BENCH_CACHE", Path(tempfile.gettempdir()) / "tui-sweeps-search"))
RIVALS = {"wandb": ["sweeps==0.3.0"], "tpe": ["optuna>=5"], "gp": ["optuna>=5", "torch", "scipy"]}


def rivals_python(name: str) -> Path:
    """Return the interpreter of the rivals' own environment, made and filled when missing."""
    home = CACHE / "rivals"
    python = home / "bin" / "python"
    if not python.exists():
        venv.create(home, with_pip=True)
    mark = home / f"has-{name}"
    if not mark.exists():
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *RIVALS[name]], check=True)
        mark.touch()
    return python


class Peer:
    """One engine in its process, which ends when its input does, with ours."""

    def __init__(self, name: str) -> None:
        """Start `ours` or one of the rivals."""
        command = [sys.executable, str(HERE / "search_engine.py")]
        if name != "ours":
            command = [str(rivals_python(name)), str(HERE / "search_rivals.py"), name]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def say(self, **message: Any) -> dict[str, Any]:
        """Send one object, return the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(message), file=self._process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def cpu(self) -> float:
        """Return the seconds of CPU it has used, in hundredths."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def most_memory(self) -> float:
        """Return the most it held, in megabytes."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def end(self) -> None:
        """Let it end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
