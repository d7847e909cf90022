"""SLURM's side of the Agents table: arrays, and their tasks that no agent speaks for.

A task whose agent is known is one row with its agent. The others differ in nothing but their number: waiting
ones, cancelled ones and those that never started are one row per array and state, as `12345_[8-12]`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from controller.domain.agents import JOB_OPEN, Agent, Job, JobKind, JobState
from controller.domain.arrays import TASK_OVER, TASK_WAITS, Task, TaskState
from controller.domain.batch import log_path
from controller.domain.world import World
from tui_sweeps.format import ago, count, counted, duration, fit, sanitise
from tui_sweeps.views.cells import EMPTY, Cell, Column
from tui_sweeps.views.states import BAD, GOOD, LIVE, QUIET, WARN

COLUMNS: tuple[Column, ...] = (
    Column("task", "TASK", 14),
    Column("slurm", "SLURM", 13),
    Column("left", "LEFT", 7, "right"),
    Column("reason", "REASON", 24),
)
"""Between the run and the ages, where a sweep has arrays."""

TASK_LOOK: dict[TaskState, tuple[str, str]] = {
    **dict.fromkeys(TASK_WAITS, ("○", QUIET)),
    TaskState.BLOCKED: ("‖", WARN),
    TaskState.STARTING: ("↑", LIVE),
    TaskState.RUNNING: ("●", LIVE),
    TaskState.STOPPING: ("↓", WARN),
    TaskState.SUSPENDED: ("‖", WARN),
    TaskState.FINISHED: ("✓", GOOD),
    TaskState.CANCELLED: ("⊘", QUIET),
    TaskState.GONE: ("⊘", QUIET),
    TaskState.PREEMPTED: ("↩", WARN),
    TaskState.TIMED_OUT: ("↩", WARN),
    TaskState.FAILED: ("✗", BAD),
    TaskState.NEVER_STARTED: ("✗", BAD),
    TaskState.LOST: ("!", BAD),
    TaskState.UNKNOWN: ("?", WARN),
}


@dataclass(frozen=True, slots=True)
class Group:
    """Tasks of one job in one state without an agent; none at all: the job itself."""

    job: Job
    state: TaskState | None
    tasks: tuple[Task, ...] = ()

    @property
    def id(self) -> str:
        """The row's id."""
        return f"{self.job.id}:{self.state or ''}"

    @property
    def is_open(self) -> bool:
        """Whether something may still come of it."""
        if self.state is None:
            return self.job.state in JOB_OPEN
        return self.state not in TASK_OVER


def jobs_of(world: World, sweep_id: str) -> list[Job]:
    """Return a sweep's jobs, the latest first."""
    found = [job for job in world.jobs.values() if job.sweep_id == sweep_id]
    return sorted(found, key=lambda job: -job.created_at)


def groups_of(world: World, sweep_id: str) -> list[Group]:
    """Return what hosts no agent: tasks without one, and jobs that were not started."""
    found: list[Group] = []
    for job in jobs_of(world, sweep_id):
        tasks = world.tasks_of.get(job.id, {})
        by_state: dict[TaskState, list[Task]] = defaultdict(list)
        for index in sorted(tasks):
            if tasks[index].agent_id not in world.agents:
                by_state[tasks[index].state].append(tasks[index])
        found += [Group(job, state, tuple(by_state[state])) for state in TaskState if state in by_state]
        if not tasks and job.state in (JobState.SUBMITTING, JobState.FAILED):
            found.append(Group(job, None))
    return found


def ranges(indexes: Iterable[int]) -> str:
    """Return task numbers as sbatch writes them: `1-4,8`."""
    parts: list[list[int]] = []
    for index in sorted(indexes):
        if parts and index == parts[-1][-1] + 1:
            parts[-1][1:] = [index]
        else:
            parts.append([index])
    return ",".join("-".join(map(str, part)) for part in parts)


def task_of(world: World, agent: Agent) -> Task | None:
    """Return the array task that an agent came up in."""
    tasks = world.tasks_of.get(agent.job_id or "", {})
    return next((task for task in tasks.values() if task.agent_id == agent.id), None)


def group_cells(group: Group, waiting: str, now: float) -> dict[str, Cell]:
    """Return the cells of tasks that no agent speaks for."""
    job, array = group.job, group.job.array
    if group.state is None or array is None:
        is_bad = job.state is JobState.FAILED
        kind = "array" if job.kind is JobKind.SLURM else "agent"
        return {
            "state": Cell(f"{'✗' if is_bad else '○'} {kind}", BAD if is_bad else QUIET),
            "slurm": Cell("not taken" if is_bad else "submitting…", BAD if is_bad else WARN),
            "age": Cell(duration(max(0.0, now - job.created_at))),
            "cause": Cell(fit(sanitise(job.cause), 40), BAD if is_bad else QUIET),
            "reason": Cell(fit(sanitise(job.cause), 24), BAD if is_bad else QUIET),
        }
    mark, style = TASK_LOOK[group.state]
    n_tasks = len(group.tasks)
    latest = max(group.tasks, key=lambda task: task.seen_at or 0.0)
    why = latest.cause or latest.reason
    heard = max((task.seen_at for task in group.tasks if task.seen_at is not None), default=None)
    return {
        "state": Cell(f"{mark} {counted(n_tasks, 'task')}", style),
        "task": Cell(fit(array_name(job, [task.index for task in group.tasks]), 14)),
        "slurm": Cell(f"{waiting}…" if waiting else group.state.value, WARN if waiting else style),
        "reason": Cell(fit(sanitise(why), 24), BAD if latest.cause else QUIET) if why else EMPTY,
        "age": Cell(duration(max(0.0, now - job.created_at))),
        "heard": EMPTY if heard is None else Cell(ago(now - heard), QUIET),
        "node": Cell(fit(sanitise(latest.node), 10)) if latest.node and n_tasks == 1 else EMPTY,
        "cause": Cell(fit(sanitise(latest.cause or job.cause), 40), QUIET),
    }


def agent_cells(world: World, agent: Agent, now: float) -> dict[str, Cell]:
    """Return what SLURM says of an agent's task."""
    task = task_of(world, agent)
    ends_at = agent.end_at if agent.end_at is not None or task is None else task.ends_at
    is_over = agent.left_at is not None
    cells = {
        "task": Cell(fit(sanitise(agent.job), 14)) if agent.job else EMPTY,
        "left": EMPTY if ends_at is None or is_over else Cell(duration(max(0.0, ends_at - now))),
    }
    if task is not None:
        _, style = TASK_LOOK[task.state]
        why = task.cause or task.reason
        cells["slurm"] = Cell(task.state.value, style)
        cells["reason"] = Cell(fit(sanitise(why), 24), BAD if task.cause else QUIET) if why else EMPTY
    return cells


def array_name(job: Job, indexes: Sequence[int]) -> str:
    """Return what SLURM calls these tasks: `12345_7`, `12345_[8-12]`."""
    array = job.array
    if array is None or not array.slurm_id:
        return ""
    if len(indexes) == 1:
        return sanitise(array.task_name(indexes[0]))
    return sanitise(f"{array.slurm_id}_[{ranges(indexes)}]") if array.spec else sanitise(array.slurm_id)


def cancel_text(world: World, agent: Agent | None, group: Group | None) -> str:
    """Return the exact command that cancels what is under the cursor; empty outside of SLURM."""
    if agent is not None:
        return f"scancel {agent.job}" if agent.slurm_job and agent.job else ""
    name = "" if group is None else array_name(group.job, [task.index for task in group.tasks])
    return f"scancel {name}" if name else ""


def log_of(world: World, agent: Agent | None, group: Group | None) -> str:
    """Return the path of the output of what is under the cursor; empty where there is none of its own."""
    if agent is not None:
        job, task = world.jobs.get(agent.job_id or ""), task_of(world, agent)
    else:
        job = None if group is None else group.job
        task = group.tasks[0] if group is not None and len(group.tasks) == 1 else None
    if job is None or job.array is None:
        return "" if job is None else job.log
    return log_path(job.log, slurm_id=job.array.slurm_id, index=task.index) if task and job.log else ""


def array_lines(world: World, sweep_id: str) -> list[list[Cell]]:
    """Return one line per open array: its numbers, its throttle, how its tasks stand."""
    return [
        _array_line(world, job) for job in jobs_of(world, sweep_id) if job.array and job.state in JOB_OPEN
    ]


def _array_line(world: World, job: Job) -> list[Cell]:
    array = job.array
    assert array is not None
    tasks = world.tasks_of.get(job.id, {}).values()
    n_waiting = sum(task.state in TASK_WAITS for task in tasks)
    n_over = sum(task.state in TASK_OVER for task in tasks)
    cells = [Cell(f"array {sanitise(array.slurm_id) or '…'}", "bold")]
    if array.spec:
        limit = f", {array.throttle} at a time" if array.throttle else ""
        cells.append(Cell(f"{fit(sanitise(array.spec), 24)}{limit}"))
    cells.append(Cell(f"{count(n_waiting)} waiting", WARN if n_waiting else QUIET))
    n_running = len(tasks) - n_waiting - n_over
    cells.append(Cell(f"{count(n_running)} running", LIVE if n_running else QUIET))
    cells.append(Cell(f"{count(n_over)} over", QUIET))
    if steered := array.steered(n_waiting, n_running):
        cells.append(Cell(steered, WARN))
    if job.cause:
        cells.append(Cell(sanitise(job.cause), WARN))
    return cells
