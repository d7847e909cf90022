"""How states look: a mark, a word and a style. Never a colour alone, so that NO_COLOR loses nothing."""

from __future__ import annotations

from controller.domain.agents import AgentState
from controller.domain.runs import Run
from controller.domain.states import RUN_ACTIVE, RUN_ENDED, RunState, SweepState
from controller.domain.sweeps import Sweep
from tui_sweeps.views.cells import Cell

GOOD, BAD, WARN, LIVE, QUIET = "green", "red", "yellow", "cyan", "dim"
"""Styles by meaning; names of the sixteen colours, so that a terminal's own palette decides."""

SWEEP_LOOK: dict[SweepState, tuple[str, str]] = {
    SweepState.PENDING: ("○", QUIET),
    SweepState.RUNNING: ("●", LIVE),
    SweepState.PAUSED: ("‖", WARN),
    SweepState.STOPPED: ("■", QUIET),
    SweepState.CANCELLED: ("⊘", QUIET),
    SweepState.FINISHED: ("✓", GOOD),
    SweepState.FAILED: ("✗", BAD),
    SweepState.CRASHED: ("!", BAD),
}

RUN_LOOK: dict[RunState, tuple[str, str]] = {
    RunState.PENDING: ("○", QUIET),
    RunState.RUNNING: ("●", LIVE),
    RunState.FINISHED: ("✓", GOOD),
    RunState.FAILED: ("✗", BAD),
    RunState.CRASHED: ("!", BAD),
    RunState.KILLED: ("⊘", QUIET),
    RunState.PREEMPTING: ("↩", WARN),
    RunState.PREEMPTED: ("↩", WARN),
}

AGENT_LOOK: dict[AgentState, tuple[str, str]] = {
    AgentState.ACTIVE: ("●", LIVE),
    AgentState.DRAINING: ("↓", WARN),
    AgentState.QUARANTINED: ("✗", BAD),
    AgentState.LOST: ("!", BAD),
    AgentState.SUPERSEDED: ("»", BAD),
    AgentState.LEFT: ("○", QUIET),
}


def sweep_state(sweep: Sweep, waiting: str = "") -> Cell:
    """Return a sweep's state as a cell; what was asked and is not yet true stands in its place."""
    mark, style = SWEEP_LOOK[sweep.state]
    if waiting:
        return Cell(f"{mark} {waiting}…", WARN)
    return Cell(f"{mark} {sweep.state}", style)


def run_state(run: Run, waiting: str = "") -> Cell:
    """Return a run's state as a cell, with how far a stop has come."""
    mark, style = RUN_LOOK[run.state]
    if waiting:
        return Cell(f"{mark} {waiting}…", WARN)
    if run.stop is not None and run.state in RUN_ACTIVE:
        if run.stop_obeyed_at is None:
            return Cell(f"{mark} stop asked", WARN)
        return Cell(f"{mark} {'KILL' if run.stop.kill else 'TERM'} sent", WARN)
    if run.verdict is not None and run.verdict.stop and run.state is RunState.KILLED:
        return Cell("⊖ early-stop", GOOD)
    if run.queued:
        return Cell("↻ queued", WARN)
    if run.ignored and run.state in RUN_ENDED:
        return Cell("∅ ignored", QUIET)
    return Cell(f"{mark} {run.state}", style)
