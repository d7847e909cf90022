"""Acts that wait a few seconds before they are sent: which ones do, and what is said of them meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

from controller.domain.commands import (
    CancelJob,
    CancelSweep,
    Command,
    DeleteRuns,
    StopAgents,
    StopRuns,
    StopSweep,
)
from controller.domain.world import World
from tui_sweeps.format import counted, sanitise


def is_held(command: Command) -> bool:
    """Say whether a command ends something and so can be taken back for a while."""
    return isinstance(command, StopSweep | CancelSweep | StopRuns | DeleteRuns | StopAgents | CancelJob)


def held_words(world: World, command: Command) -> str:
    """Return what is about to happen, such as `cancelling digits-grid`."""
    match command:
        case StopSweep(sweep_id=sweep_id) | CancelSweep(sweep_id=sweep_id):
            sweep = world.sweeps.get(sweep_id)
            name = sanitise(sweep.name or sweep.id, width=40) if sweep is not None else sweep_id
            return f"{'stopping' if isinstance(command, StopSweep) else 'cancelling'} {name}"
        case StopRuns(run_ids=run_ids) | DeleteRuns(run_ids=run_ids):
            does = "stopping" if isinstance(command, StopRuns) else "deleting"
            if len(run_ids) == 1 and run_ids[0] in world.runs:
                return f"{does} run {sanitise(world.runs[run_ids[0]].name, width=40)}"
            return f"{does} {counted(len(run_ids), 'run')}"
        case StopAgents(agent_ids=agent_ids):
            return f"stopping {counted(len(agent_ids), 'agent')}"
        case CancelJob(job_id=job_id):
            job = world.jobs.get(job_id)
            name = sanitise(job.array.slurm_id, width=40) if job is not None and job.array else job_id
            return f"cancelling {'the waiting tasks of ' if command.waiting_only else ''}array {name}"
        case _:
            return "sending"


def held_line(words: Sequence[str], left_s: float, undo: str, now: str) -> str:
    """Return the countdown with the keys that end it."""
    if not words:
        return ""
    what = words[-1] if len(words) == 1 else f"{words[-1]} (and {len(words) - 1} more)"
    seconds = max(1, int(left_s + 0.999))
    return f"{what} in {seconds} s: {undo} undo, {now} now"


def unsent_line(words: Sequence[str]) -> str:
    """Return what the next start says of acts that never went out."""
    return f"Not sent before the dashboard ended: {'; '.join(words)}." if words else ""
