"""Hands arrays to sbatch, each once.

sbatch can fail with "Socket timed out" after SLURM took the job. So an array has a unique name that was
written down before; whenever the outcome is not certain, the queue is searched for that name, and
sbatch is not called again. What is not found after a while is given up: whether to submit again is the
user's decision. If it shows up later all the same, its agents say so when they join.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from controller.domain.agents import Job, JobState
from controller.domain.arrays import Array
from controller.domain.batch import sbatch_arguments
from controller.domain.events import JobSeen
from controller.launch.parsing import QUEUE_ARGUMENTS, read_queue, read_submitted
from controller.launch.programs import Output, Programs, short

LOOKS_S = (1.0, 10.0, 30.0, 60.0)
"""Pauses before each look for an array whose submission is uncertain; a busy slurmctld answers late."""
MAX_SILENT_LOOKS = 60
"""Looks without an answer before an array is given up: slurmctld may be down for an hour."""

_UNCERTAIN = (
    "timed out",
    "timeout",
    "unable to contact",
    "zero bytes",
    "connection",
    "communication",
    "message receive",
    "transport",
    "try again",
    "temporarily",
    "slurm_receive_msg",
    "unexpected message",
)
"""Words of complaints that leave open whether SLURM took the job."""


class Submitter:
    """Submits arrays and finds out what became of them."""

    def __init__(self, programs: Programs, *, looks_s: tuple[float, ...] = LOOKS_S) -> None:
        self._programs = programs
        self._looks_s = looks_s

    async def submit(self, job: Job, tell: Callable[[JobSeen], None]) -> None:
        """Call sbatch once and tell the outcome."""
        array = _array_of(job)
        if (problem := _make_log_directory(job.log)) is not None:
            tell(_failed(job, problem))
            return
        arguments = sbatch_arguments(
            name=array.name, array=array.spec, throttle=array.throttle, options=array.options
        )
        said = await self._programs.run("sbatch", *arguments, text=array.script, directory=array.directory)
        found = read_submitted(said.text)
        if found is not None and said.ok:
            slurm_id, cluster = found
            tell(JobSeen(job_id=job.id, state=JobState.RUNNING, slurm_id=slurm_id, cluster=cluster))
        elif is_certain(said):
            tell(_failed(job, short(said.complaint)))
        else:
            await self.find(job, tell, why=short(said.complaint))

    async def find(self, job: Job, tell: Callable[[JobSeen], None], *, why: str) -> None:
        """Look for an array by its name until it is found or can be given up."""
        array = _array_of(job)
        tell(_uncertain(job, f"{why}; looking for {array.name} in the queue"))
        n_negative = n_silent = 0
        while n_negative < len(self._looks_s) and n_silent < MAX_SILENT_LOOKS:
            await asyncio.sleep(self._looks_s[min(n_negative + n_silent, len(self._looks_s) - 1)])
            said = await self._programs.run("squeue", *QUEUE_ARGUMENTS, f"--name={array.name}")
            if not said.ok:
                n_silent += 1
                continue
            if (seen := _found(job, array, said.text)) is not None:
                tell(seen)
                return
            n_negative += 1
        tell(_failed(job, f"{why}; no job named {array.name} came up"))


def _found(job: Job, array: Array, queue: str) -> JobSeen | None:
    rows = [row for row in read_queue(queue) if row.name == array.name]
    if not rows:
        return None
    # Should there be two of a name, the first is the one that was submitted.
    first = min(rows, key=lambda row: int(row.array_id))
    return JobSeen(
        job_id=job.id, state=JobState.RUNNING, slurm_id=first.array_id, submitted_at=first.submitted_at
    )


def is_certain(said: Output) -> bool:
    """Say whether sbatch failed in a way that leaves no doubt: SLURM did not take the job."""
    if said.missing:
        return True
    if said.code is None or said.code <= 0:
        return False
    complaint = said.complaint.lower()
    return bool(complaint) and not any(word in complaint for word in _UNCERTAIN)


def _array_of(job: Job) -> Array:
    assert job.array is not None, "only arrays are submitted"
    return job.array


def _failed(job: Job, cause: str) -> JobSeen:
    return JobSeen(job_id=job.id, state=JobState.FAILED, cause=cause)


def _uncertain(job: Job, cause: str) -> JobSeen:
    return JobSeen(job_id=job.id, state=JobState.SUBMITTING, cause=cause)


def _make_log_directory(pattern: str) -> str | None:
    """Make the folder of the tasks' output; a missing one ends a task before any line of ours runs."""
    folder = Path(pattern.replace("%%", "\0")).parent if pattern else None
    if folder is None or "%" in str(folder):
        return None
    try:
        Path(str(folder).replace("\0", "%")).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return f"the folder for the tasks' output cannot be made: {error.filename}: {error.strerror}"
    return None
