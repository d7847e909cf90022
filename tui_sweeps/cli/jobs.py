"""`jobs`: what hosts agents, the tasks of an array, and how to steer one."""

from __future__ import annotations

import time
from argparse import Namespace

from msgspec import to_builtins

from controller.domain.agents import JOB_OPEN, Job
from controller.domain.arrays import TASK_OVER, TASK_WAITS, Array, Task, TaskState
from controller.domain.commands import CancelJob, HoldJob, JobCommand, ReleaseJob, SetThrottle
from controller.domain.runs import Run
from controller.domain.world import World
from controller.settings import Home
from tui_sweeps import format as form
from tui_sweeps.cli import shapes
from tui_sweeps.cli.outcomes import CommandError, UsageError
from tui_sweeps.cli.output import document, say, table
from tui_sweeps.cli.reach import actor, controller_of, order, world_of


async def jobs(options: Namespace, home: Home) -> int:
    """List arrays and the tasks of one, or steer one."""
    async with controller_of(home) as client:
        world = await world_of(client)
        command = _steering(options, world)
        if command is not None:
            reply = await order(client, command)
            if options.json:
                document({"job_id": command.job_id, "text": reply.text})
            else:
                say(reply.text)
            return 0
    if options.id is not None and options.id not in world.sweeps:
        _show_tasks(world, find_job(world, options.id), as_json=options.json)
    else:
        _show_jobs(world, options.id, as_json=options.json)
    return 0


def _steering(options: Namespace, world: World) -> JobCommand | None:
    if options.verb is None and options.throttle is None:
        return None
    if options.id is None:
        raise UsageError("which job?", "tui-sweeps jobs --cancel JOB; list them with `tui-sweeps jobs`")
    job_id, who = find_job(world, options.id).id, actor()
    match options.verb:
        case "cancel":
            return CancelJob(job_id=job_id, actor=who)
        case "cancel-waiting":
            return CancelJob(job_id=job_id, waiting_only=True, actor=who)
        case "hold":
            return HoldJob(job_id=job_id, actor=who)
        case "release":
            return ReleaseJob(job_id=job_id, actor=who)
        case _:
            return SetThrottle(job_id=job_id, throttle=options.throttle, actor=who)


def find_job(world: World, text: str) -> Job:
    """Return a job by its id, or by SLURM's id of the array.

    Raises:
        CommandError: there is none.
    """
    if (job := world.jobs.get(text)) is not None:
        return job
    found = [job for job in world.jobs.values() if job.array is not None and job.array.slurm_id == text]
    if not found:
        raise CommandError(f"there is no job {text}", "list them with `tui-sweeps jobs`")
    return max(found, key=lambda job: job.created_at)  # SLURM's ids come back; the newest is meant


def _show_jobs(world: World, sweep_id: str | None, *, as_json: bool) -> None:
    chosen = [job for job in world.jobs.values() if sweep_id in (None, job.sweep_id)]
    chosen.sort(key=lambda job: job.created_at)
    if as_json:
        document([shapes.job_row(job, tuple(world.tasks_of[job.id].values())) for job in chosen])
        return
    if not chosen:
        say("no jobs yet; submit some with `tui-sweeps submit SWEEP_ID --array 1-12%2`")
        return
    titles = ("ID", "SLURM", "SWEEP", "STATE", "WAITING", "RUNNING", "OVER", "THROTTLE", "SUBMITTED", "CAUSE")
    now_at = time.time()
    table(titles, [_job_cells(world, job, now_at) for job in chosen])


def _job_cells(world: World, job: Job, now_at: float) -> tuple[str, ...]:
    tasks = world.tasks_of[job.id].values()
    n_waiting = sum(task.state in TASK_WAITS for task in tasks)
    n_over = sum(task.state in TASK_OVER for task in tasks)
    numbers = (n_waiting, len(tasks) - n_waiting - n_over, n_over)
    array = job.array
    steered = array.steered(*numbers[:2]) if array is not None and job.state in JOB_OPEN else ""
    throttle = str(array.throttle) if array is not None and array.throttle else "-"
    counts = [str(n) if array is not None else "-" for n in numbers]
    return (
        job.id,
        (array.slurm_id or "-") if array is not None else "local",
        job.sweep_id,
        steered or str(job.state),
        *counts,
        throttle,
        form.ago(now_at - job.created_at),
        job.cause,
    )


def _show_tasks(world: World, job: Job, *, as_json: bool) -> None:
    tasks = tuple(world.tasks_of[job.id][n] for n in sorted(world.tasks_of[job.id]))
    if as_json:
        document(shapes.job_row(job, tasks) | {"tasks": [to_builtins(task) for task in tasks]})
        return
    array = job.array
    say(f"job {job.id}: {job.state}" + (f": {job.cause}" if job.cause else ""))
    if array is None:
        say(f"a process of this machine, pid {job.pid}; log: {job.log}")
        return
    if job.log:
        say(f"log: {job.log}")
    latest: dict[str, Run] = {}
    for run_id in world.runs_of[job.sweep_id]:
        run = world.runs[run_id]
        if run.job not in latest or (run.token or 0) > (latest[run.job].token or 0):
            latest[run.job] = run
    rows = [_task_cells(world, array, task, latest, time.time()) for task in tasks]
    table(("TASK", "STATE", "NODE", "LEFT", "AGENT", "RUN", "EXIT", "REASON"), rows)


def _task_cells(
    world: World, array: Array, task: Task, latest: dict[str, Run], now_at: float
) -> tuple[str, ...]:
    name = array.task_name(task.index)
    agent = world.agents.get(task.agent_id)
    ends_at = agent.end_at if agent is not None and agent.end_at is not None else task.ends_at
    is_known = ends_at is not None and task.state is TaskState.RUNNING
    left = form.duration(max(0.0, ends_at - now_at)) if is_known and ends_at is not None else "-"
    run = latest[name].name if name in latest else "-"
    why = task.cause or task.reason
    return name, str(task.state), task.node or "-", left, task.agent_id or "-", run, task.exit, why
