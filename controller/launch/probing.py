"""Sends a one-minute job to a compute node to see from there how the controller can be reached.

Everything the job needs and leaves lies in one directory of the home (0700), which is removed at the end,
whatever happens; so is the job.
"""

from __future__ import annotations

import asyncio
import getpass
import secrets
import shlex
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from controller.client.probe import Probe
from controller.domain.wire import WireError, decode
from controller.launch.parsing import QUEUE_ARGUMENTS, QueueRow, read_queue, read_submitted
from controller.launch.programs import Programs, short
from controller.settings import Home

LOOK_S = 0.5
"""How often the result is looked for."""
QUEUE_S = 10.0
"""How often squeue is asked meanwhile."""
LATE_S = 10.0
"""How long the result of a job that has ended may take to show on the shared file system."""
N_OUTPUT_BYTES = 2000

_ALIVE = frozenset(
    ["PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "REQUEUED", "STAGE_OUT"]
)


class ProbeError(Exception):
    """The probe told nothing; the message says why, `hint` what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


async def probe_from_node(
    home: Home,
    programs: Programs,
    options: Sequence[str],
    *,
    within_s: float,
    tell: Callable[[str], None],
) -> Probe:
    """Return what a job on a compute node found out; `options` are sbatch's own arguments.

    Raises:
        ProbeError: it could not be submitted, did not start in time, or left no result.
    """
    name = f"tui-sweeps-probe-{secrets.token_hex(4)}"
    place = home.path / name
    try:
        place.mkdir(mode=0o700)
    except OSError as error:
        raise ProbeError(f"{place} cannot be made: {error.strerror}") from error
    try:
        async with _submitted(programs, name, place, _script(home, place), options) as job_id:
            tell(f"job {job_id} submitted; waiting up to {within_s:.0f} s for a node")
            return await _result(programs, name, place, within_s, tell)
    finally:
        await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)


def _script(home: Home, place: Path) -> str:
    command = [sys.executable, "-m", "controller.client.probe", str(home.path), str(place / "result")]
    return f"#!/bin/bash\nexec {shlex.join(command)}\n"


@asynccontextmanager
async def _submitted(
    programs: Programs, name: str, place: Path, script: str, options: Sequence[str]
) -> AsyncIterator[str]:
    arguments = [
        "--parsable", f"--job-name={name}", "--time=1", "--no-requeue", "--nodes=1", "--ntasks=1",
        f"--chdir={place}", f"--output={place}/output", *options,
    ]  # fmt: skip
    by_name = ("--quiet", f"--name={name}", f"--user={getpass.getuser()}")
    try:
        said = await programs.run("sbatch", *arguments, text=script)
        found = read_submitted(said.text)
        if not said.ok or found is None:
            hint = "run it where sbatch is" if said.missing else "sbatch's arguments go behind `--`"
            raise ProbeError(f"sbatch took no job: {short(said.complaint)}", hint)
        yield found[0]
    finally:
        # By its unique name: sbatch may have failed to say the number of a job that SLURM took.
        await asyncio.shield(programs.run("scancel", *by_name))


async def _result(
    programs: Programs, name: str, place: Path, within_s: float, tell: Callable[[str], None]
) -> Probe:
    loop = asyncio.get_running_loop()
    until_s, ask_s, seen = loop.time() + within_s, loop.time() + LOOK_S, ""
    while loop.time() < until_s:
        await asyncio.sleep(LOOK_S)
        if (found := await asyncio.to_thread(_read, place)) is not None:
            return found
        if loop.time() < ask_s:
            continue
        ask_s = loop.time() + QUEUE_S
        row = await _row(programs, name)
        if row is not None and row.state not in _ALIVE:
            until_s, ask_s = min(until_s, loop.time() + LATE_S), until_s
        if row is not None and (now := _words(row)) != seen:
            seen = now
            tell(now)
    if seen.startswith("the job is pending"):
        raise ProbeError(
            f"{seen}, after {within_s:.0f} s", "choose another partition: sbatch's arguments go behind `--`"
        )
    raise ProbeError(
        f"no result after {within_s:.0f} s" + (f": {seen}" if seen else ""),
        _tail(place / "output") or f"does the node see {place.parent}?",
    )


async def _row(programs: Programs, name: str) -> QueueRow | None:
    said = await programs.run("squeue", *QUEUE_ARGUMENTS, f"--name={name}")
    rows = list(read_queue(said.text)) if said.ok else []
    return rows[0] if rows else None


def _words(row: QueueRow) -> str:
    where = f" on {row.node}" if row.node else ""
    reason = f" ({row.reason})" if row.reason and row.reason != "None" else ""
    return f"the job is {row.state.lower()}{where}{reason}"


def _read(place: Path) -> Probe | None:
    try:
        list(place.iterdir())  # a file server's client then looks anew
        return decode((place / "result").read_bytes(), Probe)
    except FileNotFoundError:
        return None
    except (OSError, WireError) as error:
        raise ProbeError(f"the result cannot be read: {error}") from error


def _tail(output: Path) -> str:
    try:
        return output.read_bytes()[-N_OUTPUT_BYTES:].decode("utf-8", "replace").strip()
    except OSError:
        return ""
