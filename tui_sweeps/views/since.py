"""What happened since the dashboard was last looked at, in one line."""

from __future__ import annotations

from controller.domain.states import RUN_ENDED, RunState
from controller.domain.world import World
from tui_sweeps.format import number, sanitise
from tui_sweeps.model.desk import Desk, Seen


def look(world: World) -> dict[str, Seen]:
    """Return how every sweep stands now, to be remembered."""
    seen = {}
    for sweep_id, sweep in world.sweeps.items():
        counts = world.counts_of[sweep_id]
        best = world.best_of.get(sweep_id)
        seen[sweep_id] = Seen(
            n_ended=sum(counts[state] for state in RUN_ENDED),
            n_failed=counts[RunState.FAILED] + counts[RunState.CRASHED],
            best=None if best is None else world.runs[best].best,
            state=sweep.state.value,
        )
    return seen


def since_line(world: World, desk: Desk, names_at_most: int = 3) -> str:
    """Return the line, or nothing when nothing happened or nobody was here before."""
    if not desk.left_at:
        return ""
    told = []
    for sweep_id, new in look(world).items():
        old = desk.seen.get(sweep_id)
        text = _one(old, new) if old is not None else "new sweep"
        if text:
            told.append(f"{sanitise(world.sweeps[sweep_id].name or sweep_id)}: {text}")
    if not told:
        return ""
    more = f"; and {len(told) - names_at_most} more" if len(told) > names_at_most else ""
    return "Since you left: " + "; ".join(told[:names_at_most]) + more


def _one(old: Seen, new: Seen) -> str:
    parts = []
    if new.n_ended > old.n_ended:
        n_ended = new.n_ended - old.n_ended
        parts.append(f"+{n_ended} {'run' if n_ended == 1 else 'runs'}")
    if new.best is not None and new.best != old.best:
        was = "" if old.best is None else f" (was {number(old.best, 8)})"
        parts.append(f"new best {number(new.best, 8)}{was}")
    if new.n_failed > old.n_failed:
        parts.append(f"{new.n_failed - old.n_failed} failed")
    if new.state != old.state:
        parts.append(new.state)
    return ", ".join(parts)
