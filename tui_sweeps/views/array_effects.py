"""What steering an array will do, in numbers, before it is done."""

from __future__ import annotations

from controller.domain.agents import AGENT_LIVE, JOB_OPEN, Job
from controller.domain.arrays import TASK_OVER, TASK_WAITS
from controller.domain.world import World
from tui_sweeps.format import counted, sanitise
from tui_sweeps.views.effects import Effect, Impossible, kill_line


def open_array(world: World, job_id: str) -> Job | Impossible:
    """Return an array that can still be steered."""
    job = world.jobs.get(job_id)
    if job is None or job.array is None:
        return Impossible("there is no SLURM array here")
    if job.state not in JOB_OPEN:
        return Impossible(f"array {sanitise(job.array.slurm_id)} is over")
    return job


def cancel_effect(world: World, job_id: str, waiting_only: bool, now: float) -> Effect | Impossible:
    """Return what cancelling an array, or its waiting tasks, would do."""
    job = open_array(world, job_id)
    if isinstance(job, Impossible) or job.array is None:
        return job if isinstance(job, Impossible) else Impossible("there is no SLURM array here")
    tasks = world.tasks_of.get(job.id, {}).values()
    n_waiting = sum(task.state in TASK_WAITS for task in tasks)
    n_running = sum(task.state not in TASK_OVER for task in tasks) - n_waiting
    name = sanitise(job.array.slurm_id) or "that is being submitted"
    if waiting_only:
        if not n_waiting and job.array.slurm_id:
            return Impossible(f"no task of array {name} waits")
        return Effect(
            f"Cancel what waits of array {name}?",
            (f"{counted(n_waiting, 'task')} will not start; {counted(n_running, 'task')} go on.",),
            "Cancel them",
            grave=True,
        )
    agents = [one for one in world.agents.values() if one.job_id == job.id and one.state in AGENT_LIVE]
    tokens = [one.token for one in agents if one.token is not None and one.token in world.attempts]
    runs = [world.runs[world.attempts[token].run_id] for token in tokens]
    return Effect(
        f"Cancel array {name}?",
        (
            f"{counted(n_waiting, 'task')} will not start, {counted(n_running, 'task')} end.",
            kill_line(runs, now).replace("Kills", "Ends", 1),
            "SLURM sends SIGTERM, and SIGKILL when its own grace is over.",
        ),
        "Cancel the array",
        grave=True,
    )


def throttle_of(text: str) -> int | str:
    """Return the number of tasks at a time that was typed (0: all), or what is wrong with it."""
    text = text.strip().lower()
    if text in ("", "all", "off"):
        return 0
    if text.isascii() and text.isdecimal() and len(text) < 8:
        return int(text)
    return f"{text} is no number of tasks; 0 or nothing: all at once"
