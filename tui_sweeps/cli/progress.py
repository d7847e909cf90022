"""A sweep's progress on one line, for logs, scripts and dumb terminals."""

from __future__ import annotations

import sys

from controller.domain.states import RUN_ACTIVE, RUN_ENDED, RunState
from controller.domain.world import World
from tui_sweeps import format as form

BAR_CELLS = 20


def milestone(world: World, sweep_id: str) -> tuple[object, ...]:
    """Return what is worth a line of its own in a log: another state, another run ended."""
    counts = world.counts_of[sweep_id]
    return (world.sweeps[sweep_id].state, *(counts[state] for state in RUN_ENDED))


def progress_line(world: World, sweep_id: str) -> str:
    """Return name, bar, counts, best and state of a sweep; ASCII only but for the name."""
    sweep = world.sweeps[sweep_id]
    counts = world.counts_of[sweep_id]
    n_done = sum(counts[state] for state in RUN_ENDED)
    n_running = sum(counts[state] for state in RUN_ACTIVE)
    n_bad = counts[RunState.FAILED] + counts[RunState.CRASHED]
    parts = [f"{sweep.name} ({sweep.id})"]
    if sweep.n_expected:
        filled = round(BAR_CELLS * min(1.0, n_done / sweep.n_expected))
        parts.append(f"[{'#' * filled}{'.' * (BAR_CELLS - filled)}] {n_done}/{sweep.n_expected}")
    else:
        parts.append(f"{n_done} done")
    parts.append(f"{n_running} running")
    if n_bad:
        parts.append(f"{n_bad} failed")
    best = world.best_of[sweep_id]
    if best is not None and sweep.config.metric is not None:
        parts.append(f"best {sweep.config.metric.name} {form.number(world.runs[best].best)}")
    parts.append(str(sweep.state))
    return "  ".join(parts)


class ProgressPrinter:
    """Rewrites its line on a terminal; elsewhere prints a new one when something has changed."""

    def __init__(self) -> None:
        self._last = ""
        self._milestone: object = None
        self._rewrites = sys.stderr.isatty()

    def show(self, line: str, *, milestone: object) -> None:
        """Show the present line; where lines cannot be rewritten, only when `milestone` is another."""
        line = form.sanitise(line)
        if line == self._last or (not self._rewrites and milestone == self._milestone):
            return
        self._last = line
        self._milestone = milestone
        if self._rewrites:
            # Erase to the end of the line: the one before may have been longer.
            sys.stderr.write(f"\r{line}\x1b[K")
        else:
            sys.stderr.write(line + "\n")
        sys.stderr.flush()

    def end(self) -> None:
        """Leave the line as it is and go to the next."""
        if self._rewrites and self._last:
            sys.stderr.write("\n")
