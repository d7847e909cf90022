"""Local agents: processes of this machine in sessions of their own.

They are not children that die with the controller: each has its own session, ignores the terminal's
hang-up and goes on when the controller is replaced. A process is known by pid *and* start time, so
that a reused pid is never mistaken for it; its end is seen through a pidfd, without polling.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from controller.domain.agents import Job


class LaunchError(OSError):
    """A process could not be started; the message says which and why."""


class Started(Struct, frozen=True, kw_only=True):
    """A process that was started."""

    pid: int
    started_ticks: int
    log: str


def start(argv: Sequence[str], *, log: Path, environment: Mapping[str, str]) -> Started:
    """Start a process in a session of its own, its output appended to `log`.

    Raises:
        LaunchError: the program is missing or may not be executed, or the log cannot be written.
    """
    try:
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(log, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as output:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=dict(environment),
                cwd="/",
            )
    except OSError as error:
        raise LaunchError(f"cannot start {argv[0]}: {error.strerror}") from error
    ticks = started_ticks(process.pid)
    # The pidfd tells of the end and `reap` collects it; Popen must not wait for it on its own.
    process.returncode = 0
    return Started(pid=process.pid, started_ticks=ticks or 0, log=str(log))


def started_ticks(pid: int) -> int | None:
    """Return when the kernel started a process, in ticks since boot; None if there is no such process.

    Source: proc(5), /proc/[pid]/stat, field 22 (starttime).
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    fields = stat.rpartition(b")")[2].split()
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


class LocalLauncher:
    """Starts the agents of jobs on this machine.

    `command` gives a job's argument list; logs go to `logs`, one file a job.
    """

    def __init__(
        self, *, command: Callable[[Job], Sequence[str]], environment: Mapping[str, str], logs: Path
    ) -> None:
        self._command = command
        self._environment = environment
        self._logs = logs
        self._watch = Watch()

    def start(self, job: Job) -> tuple[int, int, str]:
        """Start a job's agent; return pid, start ticks and the path of its log.

        Raises:
            LaunchError: it could not be started.
        """
        log = self._logs / f"agent-{job.id}.log"
        started = start(self._command(job), log=log, environment=self._environment)
        return started.pid, started.started_ticks, started.log

    def watch(self, pid: int, ticks: int, ended: Callable[[str], None]) -> None:
        """Call `ended` with a cause once the process is gone."""
        self._watch.add(pid, ticks, ended)

    def forget(self) -> None:
        """Stop watching; the processes go on."""
        self._watch.close()


class Watch:
    """Says when processes end; belongs to one event loop."""

    def __init__(self) -> None:
        self._fds: dict[int, int] = {}

    def add(self, pid: int, ticks: int, ended: Callable[[str], None]) -> None:
        """Call `ended` with a cause once the process is gone; at once if it is gone already."""
        loop = asyncio.get_running_loop()
        self._forget(pid)
        try:
            fd = os.pidfd_open(pid)
        except OSError:
            loop.call_soon(ended, "its process is gone")
            return
        # Looked at only now: what the handle names cannot become another process any more.
        if started_ticks(pid) != ticks:
            os.close(fd)
            loop.call_soon(ended, reap(pid) or "its process is gone")
            return
        self._fds[pid] = fd
        loop.add_reader(fd, self._gone, pid, ended)

    def _gone(self, pid: int, ended: Callable[[str], None]) -> None:
        self._forget(pid)
        ended(reap(pid) or "its process ended")

    def _forget(self, pid: int) -> None:
        fd = self._fds.pop(pid, None)
        if fd is not None:
            asyncio.get_running_loop().remove_reader(fd)
            os.close(fd)

    def close(self) -> None:
        """Stop watching; the processes go on."""
        for pid in tuple(self._fds):
            self._forget(pid)


def reap(pid: int) -> str:
    """Collect an ended child of ours and return how it ended; empty for anybody else's."""
    with contextlib.suppress(ChildProcessError, OSError):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done == pid:
            code = os.waitstatus_to_exitcode(status)
            return f"exit code {code}" if code >= 0 else f"signal {-code}"
    return ""
