"""The scheduler double in the hand: its queue, its moods, and what it was asked."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from controller.launch.programs import Programs

PROGRAMS = ("sbatch", "squeue", "scontrol", "sacct", "scancel")


class Double:
    """SLURM's five programs as a double, alone on the PATH."""

    def __init__(self, place: Path, programs: tuple[str, ...] = PROGRAMS) -> None:
        self.place = place
        bin_ = place / "bin"
        bin_.mkdir(parents=True)
        source = Path(__file__).with_name("double_program.py").read_text()
        for name in programs:
            program = bin_ / name
            program.write_text(f"#!{sys.executable} -ISs\n{source}")
            program.chmod(0o755)
        self.environment = {"PATH": str(bin_), "DOUBLE": str(place)}

    def programs(self, limit_s: float = 30.0, **more: str) -> Programs:
        return Programs(self.environment | more, limits_s=dict.fromkeys(PROGRAMS, limit_s))

    def mood(self, program: str, *moods: str) -> None:
        (self.place / f"mood-{program}").write_text("".join(mood + "\n" for mood in moods))

    def calls(self, program: str | None = None) -> list[dict[str, Any]]:
        path = self.place / "calls"
        calls = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [call for call in calls if program in (None, call["program"])]

    @property
    def queue(self) -> list[dict[str, str]]:
        path = self.place / "queue"
        found: list[dict[str, str]] = json.loads(path.read_text()) if path.exists() else []
        return found

    def set_task(self, index: int, **fields: str) -> None:
        queue = self.queue
        for task in queue:
            if task["index"] == str(index):
                task.update(fields)
        self._put(queue)

    def forget(self, *indexes: int) -> None:
        self._put([task for task in self.queue if int(task["index"]) not in indexes])

    def _put(self, queue: list[dict[str, str]]) -> None:
        path = self.place / "queue"
        path.with_suffix(".new").write_text(json.dumps(queue))
        os.replace(path.with_suffix(".new"), path)
