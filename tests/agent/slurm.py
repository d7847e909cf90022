"""SLURM around an agent: a task's environment, and a double of `scontrol` that says what a test wants."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

TASK = {
    "SLURM_JOB_ID": "9",
    "SLURM_ARRAY_JOB_ID": "8",
    "SLURM_ARRAY_TASK_ID": "3",
    "SLURM_CLUSTER_NAME": "lab",
    "SLURMD_NODENAME": "n1",
}


class Slurm:
    """The task's environment, and what `scontrol` says of it."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._directory = directory
        for name in tuple(os.environ):
            if name.startswith("SLURM"):
                monkeypatch.delenv(name)
        for name, value in TASK.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")
        self.says()

    def says(self, **fields: Any) -> None:
        known = {"JobState": "RUNNING", "Reason": "None", "Requeue": 1, "Restarts": 0, "PreemptTime": "None"}
        known |= {"RunTime": "00:10:00", "TimeLimit": "01:00:00"} | fields
        line = " ".join(f"{key}={value}" for key, value in known.items())
        script = self._directory / "scontrol.new"
        script.write_text(f'#!/bin/sh\n[ "$4" = 8_3 ] && echo "JobId=9 {line}"\n')
        script.chmod(0o755)
        script.rename(self._directory / "scontrol")
