"""SLURM arrays: what operators ask of them, and what became of their submission."""

from __future__ import annotations

from msgspec.structs import replace

from controller.core import operators
from controller.core.creation import unknown_sweep
from controller.core.draft import Draft
from controller.domain.agents import AGENT_LIVE, JOB_OPEN, Job, JobKind, JobState
from controller.domain.arrays import (
    TASK_OVER,
    TASK_WAITS,
    Array,
    ArrayError,
    Cancel,
    Task,
    TaskState,
    read_array,
)
from controller.domain.batch import check_options, check_script, job_name
from controller.domain.changes import JobAdded, JobSet, TasksSet
from controller.domain.commands import (
    CancelJob,
    HoldJob,
    JobCommand,
    ReleaseJob,
    SetThrottle,
    StopAgents,
    SubmitArray,
)
from controller.domain.effects import CancelTasks, HoldTasks, LimitTasks, SubmitJob
from controller.domain.events import JobSeen, JobSteered
from controller.domain.replies import Accepted, Refused, Reply
from controller.domain.states import SWEEP_OPEN, SweepState

QUICK_S = 10.0
"""A task that failed within this time did no work: something is wrong with all of them."""

_OVER = frozenset({SweepState.FINISHED, SweepState.STOPPED, SweepState.CANCELLED})
"""States of a sweep that leave waiting tasks nothing to do; one that failed may yet be mended."""


def submit(draft: Draft, command: SubmitArray) -> Reply:
    """Start agents as a SLURM array: written down first, handed to sbatch after."""
    sweep = draft.world.sweeps.get(command.sweep_id)
    if sweep is None:
        return unknown_sweep(command.sweep_id)
    if sweep.state not in SWEEP_OPEN:
        return Refused(
            reason=f"sweep {sweep.id} is {sweep.state}: agents would leave at once", hint="resume it first"
        )
    try:
        numbers = read_array(command.array)
        check_options(command.options)
        check_script(command.script)
    except ArrayError as error:
        return Refused(reason=str(error), hint=error.hint)
    if numbers.throttle is not None or (command.throttle is not None and command.throttle < 1):
        return Refused(reason=f"throttle {command.throttle} lets no task run", hint="give 1 or more")
    if not command.directory.startswith("/"):
        return Refused(reason=f"the directory {command.directory!r} is not absolute")
    job_id = draft.moment.new_id()
    array = Array(
        name=job_name(job_id),
        spec=numbers.spec,
        n_tasks=len(numbers.indexes),
        throttle=command.throttle,
        script=command.script,
        options=command.options,
        directory=command.directory,
    )
    job = Job(
        id=job_id,
        kind=JobKind.SLURM,
        sweep_id=sweep.id,
        log=command.log,
        count=command.count,
        created_at=draft.at,
        array=array,
    )
    draft.add(JobAdded(job=job))
    draft.perform(SubmitJob(job=job))
    text = f"submitting {array.n_tasks} task(s) as {array.name}"
    draft.note(text, actor=command.actor, sweep_id=sweep.id)
    return Accepted(ids=(job.id,), text=text)


def steer(draft: Draft, command: JobCommand) -> Reply:
    """Cancel, hold, release or throttle an array."""
    job = draft.world.jobs.get(command.job_id)
    if job is None:
        return Refused(
            reason=f"there is no job {command.job_id}", hint="see `tui-sweeps jobs`", code="unknown"
        )
    if job.array is None:
        return Refused(reason=f"job {job.id} is a process of this machine", hint="stop its agent instead")
    if job.state not in JOB_OPEN:
        return Refused(reason=f"job {job.id} is over: {job.cause or job.state}")
    if isinstance(command, CancelJob):
        return _cancel(draft, job, job.array, command)
    if not job.array.slurm_id:
        return Refused(reason=f"SLURM has not told the id of job {job.id} yet", hint="try again in a minute")
    match command:
        case SetThrottle(throttle=throttle):
            if throttle < 0:
                return Refused(
                    reason=f"throttle {throttle} makes no sense", hint="0: all at once; else 1 or more"
                )
            draft.perform(LimitTasks(job=job, throttle=throttle))
            text = f"throttle {throttle or 'off'} asked for {job.array.slurm_id}"
        case HoldJob():
            draft.perform(HoldTasks(job=job, hold=True))
            text = f"hold asked for {job.array.slurm_id}"
        case ReleaseJob():
            draft.perform(HoldTasks(job=job, hold=False))
            text = f"release asked for {job.array.slurm_id}"
    draft.note(text, actor=command.actor, sweep_id=job.sweep_id)
    return Accepted(ids=(job.id,), text=text)


def _cancel(draft: Draft, job: Job, array: Array, command: CancelJob) -> Reply:
    wish = Cancel.WAITING if command.waiting_only else Cancel.ALL
    if array.cancel is not Cancel.ALL:
        job = replace(job, array=replace(array, cancel=wish))
        draft.add(JobSet(job=job))
    if array.slurm_id:
        draft.perform(CancelTasks(job=job, waiting_only=command.waiting_only))
    if not command.waiting_only:
        # First of all their runs are wanted no more: whatever end SLURM's signals give them, nobody failed.
        live = tuple(
            a.id for a in draft.world.agents.values() if a.job_id == job.id and a.state in AGENT_LIVE
        )
        if live:
            operators.stop_agents(draft, StopAgents(agent_ids=live, actor=command.actor))
    what = "waiting tasks" if command.waiting_only else "all tasks"
    text = f"cancel of {what} asked for {array.slurm_id or array.name}"
    draft.note(text, actor=command.actor, sweep_id=job.sweep_id)
    return Accepted(ids=(job.id,), text=text)


def submitted(draft: Draft, job: Job, event: JobSeen) -> None:
    """Take what is known of a submission: accepted, refused, or not yet known.

    One that was given up is taken up again when SLURM or an agent tells of it after all.
    """
    assert job.array is not None
    if event.slurm_id:
        accept(draft, job, event.slurm_id, event.cluster, event.submitted_at)
    elif job.state is JobState.SUBMITTING and (event.state, event.cause) != (job.state, job.cause):
        over = event.state is JobState.FAILED
        draft.add(
            JobSet(
                job=replace(job, state=event.state, cause=event.cause, ended_at=draft.at if over else None)
            )
        )
        if over:
            draft.note(f"{job.array.name} was not submitted: {event.cause}", sweep_id=job.sweep_id)


def accept(draft: Draft, job: Job, slurm_id: str, cluster: str, submitted_at: float | None) -> Job:
    """SLURM took the array; its tasks wait. Return the job as it is now."""
    array = job.array
    assert array is not None
    if array.slurm_id or job.state is JobState.ENDED:
        return job
    array = replace(array, slurm_id=slurm_id, cluster=cluster, submitted_at=submitted_at or draft.at)
    job = replace(job, state=JobState.RUNNING, cause="", ended_at=None, array=array)
    indexes = read_array(array.spec).indexes
    draft.add(
        JobSet(job=job), TasksSet(job_id=job.id, tasks=tuple(Task(job_id=job.id, index=n) for n in indexes))
    )
    draft.note(f"submitted as {slurm_id}: {array.n_tasks} task(s)", sweep_id=job.sweep_id)
    if array.cancel is not Cancel.NOTHING:
        draft.perform(CancelTasks(job=job, waiting_only=array.cancel is Cancel.WAITING))
    draft.settle_later(job.sweep_id)
    return job


def steered(draft: Draft, event: JobSteered) -> None:
    """SLURM obeyed, or refused."""
    job = draft.world.jobs.get(event.job_id)
    if job is None or job.array is None:
        return
    if event.problem:
        draft.note(f"SLURM refused for {job.array.slurm_id}: {event.problem}", sweep_id=job.sweep_id)
        return
    array = job.array
    cause = job.cause
    if event.throttle is not None:
        array = replace(array, throttle=event.throttle or None)
    if event.held is not None:
        n_quick = len(quick_failures(draft, job)) if not event.held else array.n_forgiven
        array = replace(array, held=event.held, n_forgiven=n_quick)
        cause = cause if event.held else ""
    if (array, cause) != (job.array, job.cause):
        draft.add(JobSet(job=replace(job, array=array, cause=cause)))


def quick_failures(draft: Draft, job: Job) -> list[Task]:
    """Return the tasks that failed before they can have done anything."""
    return [
        task
        for task in draft.world.tasks_of[job.id].values()
        if task.state is TaskState.NEVER_STARTED
        or (task.state is TaskState.FAILED and task.ran_s is not None and task.ran_s < QUICK_S)
    ]


def dismiss_waiting(draft: Draft) -> None:
    """Cancel the waiting tasks of our own arrays whose sweep is over: they would only start and leave."""
    world = draft.world
    for job in tuple(world.jobs.values()):
        if job.array is None or job.state is not JobState.RUNNING or job.array.cancel is not Cancel.NOTHING:
            continue
        if job.sweep_id not in draft.touched or world.sweeps[job.sweep_id].state not in _OVER:
            continue
        n_waiting = sum(task.state in TASK_WAITS for task in world.tasks_of[job.id].values())
        if n_waiting and job.array.name:
            array = replace(job.array, cancel=Cancel.WAITING)
            job = replace(job, array=array)
            draft.add(JobSet(job=job))
            draft.perform(CancelTasks(job=job, waiting_only=True))
            text = f"cancelling {n_waiting} waiting task(s) of {array.slurm_id}: the sweep is over"
            draft.note(text, sweep_id=job.sweep_id)


def close_if_over(draft: Draft, job_id: str) -> None:
    """An array whose tasks are all over is over."""
    job, tasks = draft.world.jobs[job_id], draft.world.tasks_of[job_id].values()
    if job.state is JobState.RUNNING and tasks and all(task.state in TASK_OVER for task in tasks):
        draft.add(JobSet(job=replace(job, state=JobState.ENDED, ended_at=draft.at)))
