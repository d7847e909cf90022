"""Whether a run that the scheduler cuts short again and again gets anywhere.

One that keeps checkpoints gets further each time and may be cut short as often as it takes. One that begins
anew each time, and needs longer than the time limit, would burn allocation after allocation: the step it
reaches tells.
"""

from __future__ import annotations

from controller.core.closing import faults
from controller.core.draft import Draft
from controller.domain.runs import Run

MAX_STUCK = 20
"""Preempted or lost with their node this often in a row without getting further: not again by itself."""
MAX_TIMEOUTS = 3
"""The same for time limits, which each cost all the time there was."""
MARGIN_FRACTION = 0.03
"""By so much a run that begins anew may happen to get further than before."""


def count_preemption(draft: Draft, run_id: str, cause: str, *, out_of_time: bool) -> str:
    """Count one more; return the cause, which says so when it was one too many."""
    run = draft.world.runs[run_id]
    further = _got_further(run)
    n_stuck = (0 if further else run.n_stuck) + (not out_of_time)
    n_timeouts = (0 if further else run.n_timeouts) + out_of_time
    reached = max((step for step in (run.reached_step, run.last_step) if step is not None), default=None)
    draft.add(
        faults(
            run,
            n_preemptions=run.n_preemptions + 1,
            n_stuck=n_stuck,
            n_timeouts=n_timeouts,
            reached_step=reached,
        )
    )
    if not is_stuck(draft.world.runs[run_id]):
        return cause
    times = n_stuck + n_timeouts
    where = "" if reached is None else f" and never got beyond step {reached}"
    return f"cut short {times} times in a row{where}; {cause}"


def is_stuck(run: Run) -> bool:
    """Say whether a run is not to be handed out again by itself."""
    return run.n_stuck > MAX_STUCK or run.n_timeouts >= MAX_TIMEOUTS


def _got_further(run: Run) -> bool:
    if run.last_step is None:
        return False
    if run.reached_step is None:
        return True
    return run.last_step > run.reached_step + MARGIN_FRACTION * abs(run.reached_step)
