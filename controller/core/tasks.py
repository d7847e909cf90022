"""Array tasks: which agent came up in which, and what SLURM's word means when an agent is silent.

Rule zero: an agent's own report and its lease decide. SLURM's word is taken down, and buries an agent
only when that agent has been silent for some heartbeats.
"""

from __future__ import annotations

from msgspec.structs import replace

from controller.core.arrays import accept, close_if_over, quick_failures
from controller.core.closing import is_missing
from controller.core.draft import Draft
from controller.core.leases import bury
from controller.core.requeues import cut_short
from controller.domain.agents import AGENT_LIVE, Agent, AgentState, Job, JobKind, JobState
from controller.domain.arrays import TASK_OVER, TASK_WAITS, Array, Cancel, Fate, Task, TaskState
from controller.domain.batch import log_path
from controller.domain.changes import AgentSet, JobAdded, JobSet, TasksSet
from controller.domain.effects import CancelTasks, HoldTasks
from controller.domain.events import TaskSeen, TasksSeen
from controller.domain.runs import Attempt, Run
from controller.domain.states import SWEEP_OPEN, AttemptState

MAX_QUICK = 3
"""So many tasks that fail at once are no accident: the rest is held."""


def joined(draft: Draft, agent: Agent) -> None:
    """Tell which task an agent came up in; a job that somebody submitted without us is taken in."""
    slurm_id, number = agent.array_job or agent.slurm_job, agent.array_task
    if not slurm_id:
        return
    job = _job_of(draft, agent, slurm_id) or _take_in(draft, agent, slurm_id, is_array=bool(number))
    index = int(number) if number.isdecimal() else 0
    job = accept(draft, job, slurm_id, agent.cluster, None)
    if job.state in (JobState.ENDED, JobState.FAILED):
        job = replace(job, state=JobState.RUNNING, cause="", ended_at=None)
        draft.add(JobSet(job=job))
    if agent.job_id != job.id:
        draft.add(AgentSet(agent=replace(agent, job_id=job.id)))
    task = draft.world.tasks_of[job.id].get(index) or Task(job_id=job.id, index=index)
    if agent.restart < task.restart:
        return
    task = replace(
        task,
        state=TaskState.RUNNING,
        raw="",
        agent_id=agent.id,
        slurm_job=agent.slurm_job,
        node=agent.node or task.node,
        restart=agent.restart,
        reason="",
        exit="",
        cause="",
        started_at=draft.at,
        ends_at=agent.end_at,
        ended_at=None,
        ran_s=None,
        seen_at=draft.at,
    )
    draft.add(TasksSet(job_id=job.id, tasks=(task,)))


def _job_of(draft: Draft, agent: Agent, slurm_id: str) -> Job | None:
    known = None if agent.job_id is None else draft.world.jobs.get(agent.job_id)
    if known is not None and known.array is not None and known.array.slurm_id in ("", slurm_id):
        return known
    # The newest first: after a loss of SLURM's state ids come back.
    for job in reversed(tuple(draft.world.jobs.values())):
        array = job.array
        if array is None or array.slurm_id != slurm_id or job.sweep_id != agent.sweep_id:
            continue
        if not (array.cluster and agent.cluster) or array.cluster == agent.cluster:
            return job
    return None


def _take_in(draft: Draft, agent: Agent, slurm_id: str, *, is_array: bool) -> Job:
    """Return a new record of a job that was submitted without us."""
    array = Array(
        name="",
        spec="*" if is_array else "",
        n_tasks=0,
        slurm_id=slurm_id,
        cluster=agent.cluster,
        submitted_at=draft.at,
    )
    job = Job(
        id=draft.moment.new_id(),
        kind=JobKind.SLURM,
        sweep_id=agent.sweep_id,
        state=JobState.RUNNING,
        created_at=draft.at,
        array=array,
    )
    draft.add(JobAdded(job=job))
    return job


def left(draft: Draft, agent: Agent) -> None:
    """An agent said goodbye: its task is over, unless SLURM ended it and may start it again."""
    job = None if agent.job_id is None else draft.world.jobs.get(agent.job_id)
    if job is None or job.array is None:
        return
    for task in draft.world.tasks_of[job.id].values():
        if task.agent_id == agent.id and task.state not in TASK_OVER:
            if _is_done(draft, agent, job):
                task = replace(task, state=TaskState.FINISHED, ended_at=draft.at)
            else:
                task = replace(task, state=TaskState.STOPPING)
            draft.add(TasksSet(job_id=job.id, tasks=(replace(task, seen_at=draft.at),)))
            break
    close_if_over(draft, job.id)


def _is_done(draft: Draft, agent: Agent, job: Job) -> bool:
    """Say whether an agent left because it had done its share; otherwise SLURM knows why it did."""
    attempts = draft.world.attempts.values()
    if any(a.agent_id == agent.id and a.state is AttemptState.PREEMPTED for a in attempts):
        return False
    sweep = draft.world.sweeps[agent.sweep_id]
    has_count = job.count is not None and agent.n_runs >= job.count
    return has_count or agent.state is AgentState.DRAINING or sweep.state not in SWEEP_OPEN


def seen(draft: Draft, event: TasksSeen) -> None:
    """Take down what SLURM told of an array, and bury the silent agents it says are dead."""
    job = draft.world.jobs.get(event.job_id)
    if job is None or job.array is None:
        return
    known = draft.world.tasks_of[job.id]
    told = {seen.index: seen for seen in event.tasks}
    changed: list[Task] = []
    dead: list[tuple[Agent, TaskSeen]] = []
    for index in sorted(known.keys() | told.keys()):
        task = known.get(index) or Task(job_id=job.id, index=index)
        agent = draft.world.agents.get(task.agent_id)
        found = told.get(index)
        if found is None and event.complete and not _is_heard(draft, agent):
            found = _gone(task, job.array)
        if found is None or _is_older(task, found, event.asked_at):
            continue
        if agent is not None and agent.state is not AgentState.LEFT:
            fate = Fate.PREEMPTED if (found.restart or 0) > task.restart else found.fate
            if fate is not Fate.KEEP:
                dead.append((agent, replace(found, fate=fate)))
        after = _followed(task, found, event.asked_at)
        if after != task:
            changed.append(after)
    if changed:
        draft.add(TasksSet(job_id=job.id, tasks=tuple(changed)))
    for agent, found in dead:
        _bury_if_silent(draft, agent, found)
    _hold_if_hopeless(draft, draft.world.jobs[job.id])
    if job.array.cancel is not Cancel.NOTHING and any(seen.state in TASK_WAITS for seen in event.tasks):
        # Asked before, and SLURM was away. Of the waiting ones only: a second signal kills an agent.
        draft.perform(CancelTasks(job=job, waiting_only=True))
    close_if_over(draft, job.id)
    draft.settle_later(job.sweep_id)


def _gone(task: Task, array: Array) -> TaskSeen | None:
    """SLURM keeps no record: it was cancelled before it began, or it is long over."""
    if task.state in TASK_OVER:
        return None
    if task.state in TASK_WAITS and array.cancel is not Cancel.NOTHING:
        return TaskSeen(index=task.index, state=TaskState.CANCELLED, cause="cancelled while it waited")
    cause = "SLURM has no record of it: cancelled while it waited, or over long ago"
    return TaskSeen(index=task.index, state=TaskState.GONE, cause=cause)


def _is_older(task: Task, found: TaskSeen, asked_at: float) -> bool:
    """Say whether SLURM told of an earlier instance, or of a moment before its agent spoke."""
    if found.restart is not None and found.restart < task.restart:
        return True
    agent_spoke_later = task.agent_id != "" and task.seen_at is not None and task.seen_at > asked_at
    return agent_spoke_later or (task.state is TaskState.FINISHED and found.state in TASK_OVER)


def _followed(task: Task, found: TaskSeen, asked_at: float) -> Task:
    """Return a task as SLURM's word makes it; an unchanged one stays equal, so that nothing is written."""
    over = found.state in TASK_OVER
    restart = task.restart if found.restart is None else found.restart
    waits = found.state in TASK_WAITS
    ended_at = (task.ended_at or asked_at) if over else None
    after = replace(
        task,
        state=found.state,
        raw=found.raw,
        reason=found.reason,
        exit=found.exit or task.exit if over else "",
        cause="" if found.state is TaskState.FINISHED else found.cause,
        slurm_job=found.slurm_job or task.slurm_job,
        node="" if waits else found.node or task.node,
        restart=restart,
        agent_id="" if waits else task.agent_id,
        ended_at=ended_at,
        ran_s=found.ran_s if over else None,
    )
    if over or waits:
        return replace(after, ends_at=None, started_at=task.started_at if over else None)
    started_at = asked_at - found.ran_s if found.ran_s is not None else task.started_at
    ends_at = asked_at + found.left_s if found.left_s is not None else task.ends_at
    return replace(
        after,
        started_at=_steady(task.started_at, started_at),
        ends_at=_steady(task.ends_at, ends_at),
    )


CLOCK_S = 5.0
"""SLURM tells whole seconds, and answers take a moment: within this a moment is the same one."""


def _steady(old: float | None, new: float | None) -> float | None:
    return old if old is not None and new is not None and abs(old - new) < CLOCK_S else new


def _bury_if_silent(draft: Draft, agent: Agent, found: TaskSeen) -> None:
    """Bury an agent whose task is over, unless it was just heard of: then it is still telling its end."""
    world = draft.world
    if _is_heard(draft, agent):
        return
    cause = found.cause or f"its task is {found.state}"
    if found.fate is Fate.PREEMPTED:
        kept_for = "" if found.state in TASK_OVER else agent.job
        for attempt in tuple(world.attempts.values()):
            if attempt.agent_id == agent.id and _waits_for_word(world.runs[attempt.run_id], attempt):
                out_of_time = found.state is TaskState.TIMED_OUT
                cut_short(draft, attempt, cause, kept_for=kept_for, out_of_time=out_of_time)
    bury(draft, agent, cause)


def _waits_for_word(run: Run, attempt: Attempt) -> bool:
    """Say whether nobody has told yet what became of an attempt."""
    if run.token != attempt.token or run.queued:
        return False
    return attempt.state is AttemptState.RUNNING or is_missing(run)


def _is_heard(draft: Draft, agent: Agent | None) -> bool:
    """Say whether an agent gave a sign of life within the last heartbeats."""
    if agent is None or agent.state not in AGENT_LIVE:
        return False
    silence_s = draft.moment.timing.silence_for(len(draft.world.heard_s))
    heard_s = draft.world.heard_s.get(agent.id)
    return heard_s is not None and draft.moment.mono_s - heard_s <= silence_s


def _hold_if_hopeless(draft: Draft, job: Job) -> None:
    """Hold the waiting tasks when several failed at once: a wrong path should not burn a whole array."""
    assert job.array is not None
    failed = quick_failures(draft, job)
    if len(failed) - job.array.n_forgiven < MAX_QUICK or job.array.held or job.cause:
        return
    last = max(failed, key=lambda task: (task.ended_at or 0.0, task.index))
    log = log_path(job.log, slurm_id=job.array.slurm_id, index=last.index) if job.log else ""
    why = f" ({last.cause})" if last.cause else ""
    cause = f"{len(failed)} tasks failed within seconds{why}" + (f"; look at {log}" if log else "")
    waiting = any(task.state in TASK_WAITS for task in draft.world.tasks_of[job.id].values())
    if waiting:
        cause += "; the waiting ones are held"
        draft.perform(HoldTasks(job=job, hold=True))
    draft.add(JobSet(job=replace(job, cause=cause)))
    draft.note(cause, sweep_id=job.sweep_id)
