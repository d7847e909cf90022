"""The processes of one run: found through the kernel, signalled without ever hitting a stranger.

The agent is a subreaper: a program's double-forked and `setsid` children become the agent's own when
their parents go. So "the tree" is every descendant of the agent that was not there when the run began.
A process is known by pid and start time; signals go through a pidfd that is checked against both, so
a reused pid is never hit.

Sources: prctl(2) PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG; proc(5) task/TID/children, stat;
pidfd_open(2).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

_prctl: Callable[..., int] = ctypes.CDLL(None, use_errno=True).prctl


def adopt_orphans() -> None:
    """Make this process the parent of every descendant whose own parent dies."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent(signum: int = signal.SIGKILL) -> None:
    """Have the kernel signal the calling process when its parent dies; survives exec."""
    _prctl(PR_SET_PDEATHSIG, int(signum), 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Process:
    """One process, told apart from a later one with the same pid."""

    pid: int
    ticks: int
    """Start time in the kernel's clock ticks since boot."""


def look(pid: int) -> tuple[Process, str, int] | None:
    """Return the process, its state letter and its parent's pid; None if there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    fields = text[text.rindex(b")") + 2 :].split()
    return Process(pid, int(fields[19])), fields[0].decode(), int(fields[1])


def is_alive(process: Process) -> bool:
    """Say whether exactly this process still runs (a zombie does not)."""
    seen = look(process.pid)
    return seen is not None and seen[0] == process and seen[1] not in "ZX"


def children(pid: int) -> list[int]:
    """Return the pids of a process's children."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - names, not paths, and often
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_bytes().split())
    except (FileNotFoundError, ProcessLookupError):
        return []
    return found if found or _KERNEL_LISTS_CHILDREN else _children_by_search(pid)


_KERNEL_LISTS_CHILDREN = Path(f"/proc/self/task/{os.getpid()}/children").exists()


def _children_by_search(parent: int) -> list[int]:
    names = (name for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208
    return [int(name) for name in names if (seen := look(int(name))) and seen[2] == parent]


def send_signal(process: Process, signum: int) -> bool:
    """Signal exactly this process; False if it is gone."""
    try:
        handle = os.pidfd_open(process.pid)
    except OSError:
        return False
    try:
        seen = look(process.pid)
        if seen is None or seen[0] != process:
            return False
        signal.pidfd_send_signal(handle, signum)
    except (ProcessLookupError, PermissionError):
        return False
    else:
        return True
    finally:
        os.close(handle)


_spared: set[Process] = set()


@contextlib.contextmanager
def spare(process: Process) -> Iterator[None]:
    """Let no tree count a child of the agent's own, which somebody else collects."""
    _spared.add(process)
    try:
        yield
    finally:
        _spared.discard(process)


def catches(process: Process, signum: int) -> bool:
    """Say whether the process has a handler of its own for a signal.

    Source: proc(5), status, SigCgt.
    """
    try:
        text = Path(f"/proc/{process.pid}/status").read_text(errors="replace")
    except OSError:
        return False
    masks = [line.split()[1] for line in text.splitlines() if line.startswith("SigCgt:")]
    return bool(masks) and bool(int(masks[0], 16) >> (signum - 1) & 1)


class ProcessTree:
    """Everything that descends from this process since the tree was made."""

    def __init__(self) -> None:
        adopt_orphans()
        self._mine = os.getpid()
        self._others = {seen[0] for pid in children(self._mine) if (seen := look(pid))}

    def members(self) -> list[Process]:
        """Return the living descendants, parents before children."""
        found: list[Process] = []
        pids = children(self._mine)
        while pids:
            below: list[int] = []
            for pid in pids:
                seen = look(pid)
                if seen is None or self._is_other(seen[0]):
                    continue
                if seen[1] not in "ZX":
                    found.append(seen[0])
                below += children(pid)
            pids = below
        return found

    def _is_other(self, process: Process) -> bool:
        return process in self._others or process in _spared

    def forward(self, signum: int) -> None:
        """Pass a signal on to those that have a handler for it; the others are terminated."""
        for process in self.members():
            send_signal(process, signum if catches(process, signum) else signal.SIGTERM)

    def signal(self, signum: int) -> int:
        """Signal every living descendant; return how many there were."""
        return sum(send_signal(process, signum) for process in self.members())

    def reap(self, keep: int | None = None) -> None:
        """Collect adopted children that have ended, except the pid whose exit somebody else collects."""
        for pid in children(self._mine):
            if pid == keep:
                continue
            seen = look(pid)
            if seen is not None and seen[1] == "Z" and not self._is_other(seen[0]):
                with contextlib.suppress(ChildProcessError):
                    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG)
