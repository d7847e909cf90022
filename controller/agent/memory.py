"""Whether the kernel killed something for want of memory: the counters of this process's control groups.

SLURM limits a job's memory by a control group. The kernel then kills the biggest process in it, which is
the training and not its agent, with a SIGKILL that looks like anybody's.

Sources: cgroup v2 memory.events (`oom_kill`), v1 memory.oom_control (the same word), proc(5) /proc/vmstat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Kills:
    """How often the kernel killed for memory so far."""

    near: int
    """In this process's own control groups and those above."""
    anywhere: int
    """On the whole machine."""


def count_kills(groups: str | None = None, root: Path = ROOT) -> Kills:
    """Return the counters now; what cannot be read counts as 0."""
    if groups is None:
        groups = _read(Path("/proc/self/cgroup"))
    near = sum(_counter(_read(file)) for file in _files(groups, root))
    return Kills(near, _counter(_read(Path("/proc/vmstat"))))


class MemoryWatch:
    """Remembers the counters, so that a run's end can be told from what was before it."""

    def __init__(self, count: Callable[[], Kills] = count_kills) -> None:
        self._count = count
        self._seen = count()

    def explain(self, cause: str, signal: int | None) -> str:
        """Return the cause of an end, which says so where memory ran out since the last look."""
        before, self._seen = self._seen, self._count()
        if self._seen.near > before.near:
            return f"out of memory: the kernel killed it or a part of it; {cause}"
        if signal == 9 and self._seen.anywhere > before.anywhere:
            return f"probably out of memory: the kernel killed on this machine for it; {cause}"
        return cause


def _files(groups: str, root: Path) -> list[Path]:
    found: list[Path] = []
    for line in groups.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            top, name = root, "memory.events"
        elif "memory" in controllers.split(","):
            top, name = root / "memory", "memory.oom_control"
        else:
            continue
        here = top / path.lstrip("/")
        found += [place / name for place in (here, *here.parents) if place.is_relative_to(top)]
    return found


def _counter(text: str) -> int:
    for line in text.splitlines():
        name, _, number = line.partition(" ")
        if name == "oom_kill" and number.strip().isdigit():
            return int(number)
    return 0


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
