"""What SLURM's own word is good for: tasks whose agents never came up, and tasks nobody needs any more."""

from __future__ import annotations

import pytest

from controller.domain.agents import JobState
from controller.domain.arrays import TASK_WAITS, TaskState
from controller.domain.world import World
from tests.slurm.site import Site
from tests.system.test_sweep_life import is_finished

pytestmark = pytest.mark.timeout(400)


def states(world: World, array: str) -> list[TaskState]:
    (job_id,) = [j.id for j in world.jobs.values() if j.array is not None and j.array.slurm_id == array]
    return [task.state for _, task in sorted(world.tasks_of[job_id].items())]


def test_tasks_that_fail_at_once_hold_the_rest_and_show_the_log_until_released(asking: Site) -> None:
    sweep_id = asking.register(2)
    broken = asking.write(
        "broken.sh", "#!/bin/sh\n#SBATCH -o broken-%a.out\nsleep 2\nexec /no/such/program\n"
    )
    array = asking.submit(sweep_id, "1-6%1", "--script", str(broken))
    world = asking.until(lambda world: TaskState.BLOCKED in states(world, array))
    (job,) = world.jobs.values()
    assert "exit code 127" in job.cause
    assert f"look at {asking.project}/broken-" in job.cause
    asking.until(lambda world: all(j.array is not None and j.array.held for j in world.jobs.values()))
    assert "PENDING" in asking.cluster.states(array).values()
    asking.cli("jobs", "--release", array)
    asking.until(lambda world: states(world, array) == [TaskState.FAILED] * 6)
    told = asking.json("jobs", array)
    assert {task["exit"] for task in told["tasks"]} == {"127:0"}


def test_waiting_tasks_are_cancelled_when_the_sweep_is_over(asking: Site) -> None:
    sweep_id = asking.register(2)
    array = asking.submit(sweep_id, "1-20%2", "--count", "1")
    asking.until(is_finished(sweep_id))
    world = asking.until(lambda world: not TASK_WAITS & set(states(world, array)))
    assert states(world, array).count(TaskState.CANCELLED) >= 14
    asking.cluster.until(lambda: not {"PENDING", "RUNNING"} & set(asking.cluster.states(array).values()))
    world = asking.until(lambda world: all(job.state is JobState.ENDED for job in world.jobs.values()))
    assert not world.agents_of[sweep_id]
