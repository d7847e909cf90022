"""Runs SLURM's programs: each with a time limit, and in an environment that cannot change what they print.

`SQUEUE_FORMAT` or `SBATCH_PARTITION` in somebody's shell silently change or empty what these programs
do and say, so every call is made without them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence

from msgspec import Struct

LIMITS_S = {"sbatch": 60.0, "scancel": 30.0, "scontrol": 20.0, "squeue": 20.0, "sacct": 30.0}
"""slurmctld that is down blocks each client for 9 s; a busy one makes sbatch wait and try again."""

LAST_S = 2.0
"""How long to wait for a killed program to be gone."""

MAX_OUTPUT_BYTES = 64 * 2**20

_CLEARED = ("SQUEUE_", "SACCT_", "SBATCH_", "SCANCEL_", "SLURM_")
_KEPT = frozenset({"SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_JWT", "SLURM_ROOT", "SLURM_HOME"})
"""Where SLURM is. Everything else of it in our environment is about a job that we may be in ourselves."""


class Output(Struct, frozen=True, kw_only=True):
    """What a program said."""

    code: int | None
    """Exit code, negative for a signal; None: it did not answer in time and was ended."""
    text: str = ""
    complaint: str = ""
    """What it wrote to stderr, or why it could not be run."""
    missing: bool = False
    """There is no such program here."""

    @property
    def ok(self) -> bool:
        """Say whether it succeeded."""
        return self.code == 0


class Programs:
    """SLURM's programs on this host."""

    def __init__(self, environment: Mapping[str, str], *, limits_s: Mapping[str, float] = LIMITS_S) -> None:
        self._environment = cleaned(environment)
        self._limits_s = limits_s

    async def run(
        self, program: str, *arguments: str, text: str | None = None, directory: str | None = None
    ) -> Output:
        """Run one program to its end; `text` goes to its standard input."""
        limit_s = self._limits_s.get(program, 30.0)
        try:
            process = await asyncio.create_subprocess_exec(
                program,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL if text is None else asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._environment,
                cwd=directory,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            if directory is not None and error.filename == directory:
                return Output(code=127, complaint=f"the directory {directory} does not exist")
            return Output(code=127, complaint=f"there is no {program} on this host", missing=True)
        except OSError as error:
            return Output(code=126, complaint=f"{program} cannot be run: {error.strerror}")
        try:
            async with asyncio.timeout(limit_s):
                said, complained = await process.communicate(None if text is None else text.encode())
        except TimeoutError:
            return Output(code=None, complaint=f"{program} did not answer within {limit_s:.0f} s")
        finally:
            await _end(process)
        return Output(
            code=process.returncode,
            text=said[:MAX_OUTPUT_BYTES].decode(errors="replace"),
            complaint=complained[:MAX_OUTPUT_BYTES].decode(errors="replace").strip(),
        )


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a program that we do not wait for any longer, with whatever a wrapper script started."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    # Until its pipes are closed; whoever left the group may hold them open.
    with contextlib.suppress(TimeoutError, OSError):
        async with asyncio.timeout(LAST_S):
            await process.communicate()


def cleaned(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without what steers SLURM's programs."""
    return {
        name: value for name, value in environment.items() if name in _KEPT or not name.startswith(_CLEARED)
    }


def short(complaint: Sequence[str] | str) -> str:
    """Return the telling line of what a program complained of, without its own name."""
    lines = complaint.splitlines() if isinstance(complaint, str) else list(complaint)
    told = [line.strip() for line in lines if line.strip()]
    errors = [line for line in told if "error" in line.lower()] or told
    line = errors[-1] if errors else "no reason was given"
    for mark in ("sbatch: ", "squeue: ", "scancel: ", "scontrol: ", "sacct: ", "error: "):
        line = line.removeprefix(mark)
    return line[:300]
