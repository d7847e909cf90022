"""How busy a run keeps its host: what the dashboard shows of it, in the names and units of W&B's client.

Read from /proc, so a program needs nothing for it. `cpu` is the share of all processors that the run's
processes used since the last look, `memory_percent` the share of the host's memory that is taken, both from 0
to 100; `proc.memory.rssMB` is what the run's processes hold.

Sources: proc(5), stat and meminfo.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from controller.agent.tree import Process

FIRST_S = 5.0
"""A shorter run is not looked at: it would only cost."""
EVERY_S = 15.0
"""As often as W&B's client looks."""
MIB = 2**20
PROC = Path("/proc")


class LoadMeter:
    """Looks at one run's processes now and then."""

    def __init__(
        self, members: Callable[[], list[Process]], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._members = members
        self._now = now
        self._looked_s = now()
        self._due_s = self._looked_s + FIRST_S
        self._ticks: dict[Process, int] = {}
        """Processor time of each process at the last look."""

    def look(self) -> dict[str, float]:
        """Return the load when it is time to look again, else nothing."""
        now_s = self._now()
        if now_s < self._due_s:
            return {}
        elapsed_s, self._looked_s, self._due_s = now_s - self._looked_s, now_s, now_s + EVERY_S
        used = {process: usage for process in self._members() if (usage := _usage(process)) is not None}
        ticks = sum(usage[0] - self._ticks.get(process, 0) for process, usage in used.items())
        self._ticks = {process: usage[0] for process, usage in used.items()}
        room = elapsed_s * os.sysconf("SC_CLK_TCK") * (os.cpu_count() or 1)
        load = {
            "cpu": round(min(100.0, 100.0 * ticks / room), 1),
            "proc.memory.rssMB": round(sum(usage[1] for usage in used.values()) / MIB, 1),
        }
        taken = _memory_percent()
        return load if taken is None else load | {"memory_percent": taken}


def _usage(process: Process) -> tuple[int, int] | None:
    """Return the ticks of processor time a process used and the bytes it holds; None if it is gone."""
    try:
        text = (PROC / str(process.pid) / "stat").read_bytes()
    except OSError:
        return None
    fields = text[text.rindex(b")") + 2 :].split()
    if int(fields[19]) != process.ticks:
        return None
    return int(fields[11]) + int(fields[12]), int(fields[21]) * os.sysconf("SC_PAGE_SIZE")


def _memory_percent() -> float | None:
    try:
        lines = (PROC / "meminfo").read_text().splitlines()
        sizes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
        return round(100.0 * (1.0 - sizes["MemAvailable"] / sizes["MemTotal"]), 1)
    except (OSError, ValueError, KeyError, IndexError):
        return None
