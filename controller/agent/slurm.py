"""What an agent knows of the SLURM task it is, from its environment alone.

No SLURM command is needed for this: they may be missing on nodes and in containers.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ksh93", "mksh", "tcsh", "csh", "fish", "busybox"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SlurmTask:
    """One instance of a SLURM job or array task."""

    job: str
    """The raw job id. The last task of an array carries that of the whole array: never act on it."""
    cluster: str = ""
    array_job: str = ""
    array_task: str = ""
    restart: int = 0
    """How often SLURM has requeued it."""
    node: str = ""
    end_at: float | None = None
    """When the time limit ends it, where SLURM says so in the environment."""

    @property
    def name(self) -> str:
        """`12345_7` for an array task, else the job id: what every SLURM command understands."""
        return f"{self.array_job}_{self.array_task}" if self.array_job and self.array_task else self.job

    @property
    def key(self) -> str:
        """The same for every restart of one task, and for no other task."""
        return f"{self.cluster} {self.name}"

    def time_left_s(self) -> float | None:
        """Return how long until the time limit; None where the environment does not say."""
        return None if self.end_at is None else max(0.0, self.end_at - time.time())


def task_from(environment: Mapping[str, str]) -> SlurmTask | None:
    """Return the SLURM task this environment belongs to; None outside of SLURM."""
    job = environment.get("SLURM_JOB_ID", "")
    if not job:
        return None
    return SlurmTask(
        job=job,
        cluster=environment.get("SLURM_CLUSTER_NAME", ""),
        array_job=environment.get("SLURM_ARRAY_JOB_ID", ""),
        array_task=environment.get("SLURM_ARRAY_TASK_ID", ""),
        restart=int(_number(environment.get("SLURM_RESTART_COUNT", "")) or 0),
        node=environment.get("SLURMD_NODENAME", ""),
        end_at=_number(environment.get("SLURM_JOB_END_TIME", "")),
    )


def shell_above(pid: int) -> str:
    """Return the name of the program in the process `pid` if it is a shell, else nothing.

    An agent that a shell started gets no signal from SLURM: the shell gets it and dies, and the kernel ends
    everything in the same instant. Where somebody sits at a terminal, that is no batch job.
    """
    if os.isatty(0):
        return ""
    try:
        name = Path(f"/proc/{pid}/exe").readlink().name
    except OSError:
        return ""
    return name if name in SHELLS else ""


def _number(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
