"""What SLURM itself says of the agent's job: one short question, and never anything that depends on it.

`scontrol` may be missing on nodes and in containers, and blocks for seconds while slurmctld is away. What
SLURM writes into the job's output as it signals is read as well: it needs no program.

Sources: scontrol(1), SLURM_TIME_FORMAT and the fields of `show job`; the lines of slurmstepd were measured
on 22.05.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from controller.agent.tree import die_with_parent, look, spare

LIMIT_S = 2.5
"""How long SLURM may take to answer: within any grace period."""
MAX_ANSWER = 60_000
"""What fits into a pipe, so that nobody has to read while scontrol writes."""
TAIL_BYTES = 4096
_MISLEADING = ("SQUEUE_", "SACCT_", "SBATCH_", "SCONTROL_", "SLURM_TIME_FORMAT", "SLURM_CLUSTERS")
"""Variables that change what SLURM's programs print."""
_FIELD = re.compile(r"(?:^|\s)(JobState|Reason|Restarts|Requeue|RunTime|TimeLimit|PreemptTime)=(\S*)")
_MARK = re.compile(
    r"slurmstepd\S*: error: \*\*\* (?:JOB|STEP) \S+ ON \S+ CANCELLED AT \S+(?: DUE TO ([A-Z ]+))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """The part of `scontrol show job` that says what is happening to a job."""

    state: str
    reason: str
    restarts: int
    requeue: bool
    """Whether the job may be requeued."""
    preempted: bool
    time_left_s: float | None
    """None: no limit, or not known."""


async def ask(name: str, environment: Mapping[str, str]) -> JobRecord | None:
    """Return what SLURM says of a job or array task; None if it cannot be asked, or not in time."""
    try:
        answer = await _run(("scontrol", "-o", "show", "job", name), environment)
    except OSError:
        return None
    return parse(answer)


def parse(answer: str) -> JobRecord | None:
    """Return the record of one line of `scontrol -o show job`; None if it is none."""
    line = answer.partition("\n")[0]
    fields = dict(_FIELD.findall(line))
    if "JobState" not in fields:
        return None
    restarts = fields.get("Restarts", "")
    limit_s, run_s = duration_s(fields.get("TimeLimit", "")), duration_s(fields.get("RunTime", ""))
    return JobRecord(
        state=fields["JobState"],
        reason=fields.get("Reason", ""),
        restarts=int(restarts) if restarts.isdigit() else 0,
        requeue=fields.get("Requeue") == "1",
        preempted=fields.get("PreemptTime", "None")[:1].isdigit(),
        time_left_s=None if limit_s is None or run_s is None else max(0.0, limit_s - run_s),
    )


def duration_s(text: str) -> float | None:
    """Return the seconds of `D-HH:MM:SS`, `HH:MM:SS` or `MM:SS`; None for `UNLIMITED` and the like."""
    match = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", text)
    if match is None:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def mark_in_output(descriptor: int, since: int) -> str | None:
    """Return why SLURM says it ends the job, read back from the output that a descriptor writes to.

    `DUE TO` what, empty for a plain cancel; None where nothing is said after `since` or there is no file.
    """
    try:
        handle = os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        size = os.fstat(handle).st_size
        text = os.pread(handle, TAIL_BYTES, max(since, size - TAIL_BYTES)).decode(errors="replace")
    except OSError:
        return None
    finally:
        os.close(handle)
    found = _MARK.findall(text)
    return found[-1].strip() if found else None


def size_of_output(descriptor: int) -> int:
    """Return how much was written to the file behind a descriptor; 0 if it is none."""
    try:
        return os.fstat(descriptor).st_size
    except OSError:
        return 0


async def _run(argv: tuple[str, ...], environment: Mapping[str, str]) -> str:
    clean = {key: value for key, value in environment.items() if not key.startswith(_MISLEADING)}
    process = subprocess.Popen(  # noqa: ASYNC220 - to be told apart from the run before anything else happens
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=clean,
        preexec_fn=die_with_parent,
    )
    seen = look(process.pid)
    with process, contextlib.ExitStack() as stack:
        if seen is not None:
            # Not a part of the run: neither signalled with its tree nor waited for as a leftover.
            stack.enter_context(spare(seen[0]))
        handle = os.pidfd_open(process.pid)
        stack.callback(os.close, handle)
        stack.callback(process.kill)
        if not await _readable(handle):
            return ""
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        data = process.stdout.read(MAX_ANSWER) or b""
    return data.decode(errors="replace")


async def _readable(handle: int) -> bool:
    """Wait until a process ended; False if that took too long."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    loop.add_reader(handle, over.set)
    try:
        async with asyncio.timeout(LIMIT_S):
            await over.wait()
    except TimeoutError:
        return False
    else:
        return True
    finally:
        loop.remove_reader(handle)
