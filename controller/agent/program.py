"""One training program as a child process: started, watched through a pidfd, its end put into words.

Not asyncio's subprocess: an end is the exit of the process, never the closing of its output, and the
agent collects adopted orphans itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from controller.agent.tree import die_with_parent
from controller.domain.states import AttemptState


class ProgramError(Exception):
    """The program could not be started; the message is the run's cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a program ended."""

    state: AttemptState
    cause: str
    exit_code: int | None = None
    signal: int | None = None
    comes_back: bool = False
    """SLURM starts the agent's task again."""
    out_of_time: bool = False
    """The job's time limit ended it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What is needed to start a program."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    directory: str
    output: Path
    """Standard output and error are appended here: a file never makes the program wait."""


class Program:
    """A running child in its own session; `on_exit` is called in the loop when it has gone."""

    def __init__(self, launch: Launch, on_exit: Callable[[], None]) -> None:
        self._on_exit = on_exit
        self.ending: Ending | None = None
        self.pid = _spawn(launch)
        self._handle = os.pidfd_open(self.pid)
        asyncio.get_running_loop().add_reader(self._handle, self._exited)

    def _exited(self) -> None:
        asyncio.get_running_loop().remove_reader(self._handle)
        status = os.waitid(os.P_PIDFD, self._handle, os.WEXITED)
        os.close(self._handle)
        if status is None:
            raise AssertionError("a readable pidfd has a status")
        if status.si_code == os.CLD_EXITED:
            self.ending = _exited_with(status.si_status)
        else:
            self.ending = _ended_by(status.si_status, dumped=status.si_code == os.CLD_DUMPED)
        self._on_exit()


def _spawn(launch: Launch) -> int:
    try:
        output = os.open(launch.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ProgramError(f"its output cannot be written: {error}") from error
    try:
        child = subprocess.Popen(
            launch.argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=launch.directory,
            env=launch.environment,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise ProgramError(_why_not(launch, error)) from error
    finally:
        os.close(output)
    child.returncode = 0  # the exit is collected through the pidfd, not by this object
    return child.pid


def _why_not(launch: Launch, error: Exception) -> str:
    name = launch.argv[0] if launch.argv else ""
    if not name:
        return "the command is empty"
    if not Path(launch.directory).is_dir():
        return f"working directory not found: {launch.directory}"
    if isinstance(error, FileNotFoundError):
        found = shutil.which(name, path=launch.environment.get("PATH"))
        return f"interpreter of {found} not found" if found else f"program not found: {name}"
    if isinstance(error, PermissionError):
        if not os.access(launch.directory, os.X_OK):
            return f"working directory not accessible: {launch.directory}"
        return f"program not executable: {name}"
    if isinstance(error, OSError) and error.errno == errno.ENOEXEC:
        return f"program is neither a binary nor a script with a #! line: {name}"
    if isinstance(error, OSError) and error.errno == errno.E2BIG:
        return "the command with its environment is too long for the system"
    if isinstance(error, ValueError):
        return f"the command cannot be passed on: {error}"
    return f"program could not be started: {error}"


def _exited_with(code: int) -> Ending:
    if code == 0:
        return Ending(state=AttemptState.FINISHED, cause="", exit_code=0)
    meaning = {126: " (command not executable)", 127: " (command not found)"}.get(code, "")
    return Ending(state=AttemptState.FAILED, cause=f"exit code {code}{meaning}", exit_code=code)


def _ended_by(signum: int, *, dumped: bool) -> Ending:
    name = ""
    with contextlib.suppress(ValueError):
        name = f" ({signal.Signals(signum).name})"
    core = ", core dumped" if dumped else ""
    return Ending(state=AttemptState.FAILED, cause=f"signal {signum}{name}{core}", signal=signum)
