"""About which arrays and tasks SLURM has something to tell that nobody else has told."""

from __future__ import annotations

from controller.domain.agents import AGENT_LIVE, Job, JobKind, JobState
from controller.domain.arrays import TASK_OVER, Task
from controller.domain.timing import Timing
from controller.domain.world import World
from controller.launch.parsing import QueueRow
from controller.launch.states import meaning


def unexplained(world: World, now_s: float, timing: Timing) -> list[Job]:
    """Return the arrays with a task that waits, or whose agent is overdue."""
    return [
        job
        for job in world.jobs.values()
        if job.kind is JobKind.SLURM
        and job.state is JobState.RUNNING
        and job.array is not None
        and job.array.slurm_id
        and any(
            task.state not in TASK_OVER and not is_heard(task, world, now_s, timing)
            for task in world.tasks_of[job.id].values()
        )
    ]


def is_heard(task: Task, world: World, now_s: float, timing: Timing) -> bool:
    """Say whether the agent that came up in a task gave a sign of life within the last heartbeats."""
    agent = world.agents.get(task.agent_id)
    if agent is None or agent.state not in AGENT_LIVE:
        return False
    heard_s = world.heard_s.get(agent.id)
    return heard_s is not None and now_s - heard_s <= timing.silence_for(len(world.heard_s))


def needs_detail(task: Task, rows: dict[int, QueueRow], world: World, now_s: float, timing: Timing) -> bool:
    """Say whether squeue alone does not tell how a task ended, or whether it was queued again."""
    row = rows.get(task.index)
    if row is None:
        return False
    is_over = meaning(row.state).state in TASK_OVER
    return is_over or (task.agent_id != "" and not is_heard(task, world, now_s, timing))
