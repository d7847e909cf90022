"""Who an agent is: a new identity for every process."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from controller.agent.gpus import gpus_from
from controller.agent.options import AgentOptions
from controller.agent.slurm import SlurmTask, task_from
from controller.agent.tree import look
from controller.domain.events import AgentJoined

_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One agent process."""

    agent_id: str
    host: str
    pid: int
    ticks: int
    """Start time of the process: tells a reused pid apart."""
    boot_id: str
    """Changes when the host restarts."""
    task: SlurmTask | None = None
    """The SLURM task it is, in SLURM."""
    n_gpus: int = 0
    """GPUs that its runs may use."""

    def as_record(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return asdict(self)


def new_identity() -> Identity:
    """Return the identity of this process, with a new random id."""
    seen = look(os.getpid())
    return Identity(
        agent_id="".join(secrets.choice(_ALPHABET) for _ in range(10)),
        host=socket.gethostname(),
        pid=os.getpid(),
        ticks=seen[0].ticks if seen else 0,
        boot_id=boot_id(),
        task=task_from(os.environ),
        n_gpus=gpus_from(os.environ),
    )


def boot_id() -> str:
    """Return what the kernel chose at boot."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def joining(who: Identity, options: AgentOptions) -> AgentJoined:
    """Return the message by which the agent joins its sweep."""
    event = AgentJoined(
        agent_id=who.agent_id,
        sweep_id=options.sweep_id,
        host=who.host,
        pid=who.pid,
        boot_id=who.boot_id,
        job_id=options.job_id,
        n_gpus=who.n_gpus,
    )
    if (task := who.task) is None:
        return event
    return replace(
        event,
        job=task.name,
        node=task.node,
        cluster=task.cluster,
        array_job=task.array_job,
        array_task=task.array_task,
        slurm_job=task.job,
        restart=task.restart,
        time_left_s=task.time_left_s(),
    )
