"""Array tasks: which agent came up in which, and what SLURM's word means when an agent is silent."""

from __future__ import annotations

from typing import Any

import pytest

from controller.domain.agents import AgentState, JobState
from controller.domain.arrays import Fate, TaskState
from controller.domain.events import AgentLeft, TaskSeen, TasksSeen
from controller.domain.states import RunState
from tests.core.shop import Shop
from tests.core.test_arrays import array_of, submit, submitted

SILENT_S = 60.0
"""More than three heartbeats, less than a lease."""


def working(**more: Any) -> tuple[Shop, str, str, str]:
    """Return a shop in which task 1 of an array executes a run: shop, sweep, job, run."""
    shop = Shop()
    sweep = shop.create()
    job_id = submitted(shop, sweep, **more)
    shop.come_up("a", sweep, "77_1")
    return shop, sweep, job_id, shop.run("a", 1).run_id


def say(shop: Shop, job_id: str, state: TaskState, index: int = 1, **more: Any) -> None:
    complete, asked_at = more.pop("complete", False), more.pop("asked_at", shop.at)
    seen = TaskSeen(index=index, state=state, **more)
    shop.tell(TasksSeen(job_id=job_id, tasks=(seen,), complete=complete, asked_at=asked_at))


def test_agent_is_matched_with_its_task() -> None:
    shop, _, job_id, _ = working()
    task = shop.world.tasks_of[job_id][1]
    assert (task.state, task.agent_id, task.node) == (TaskState.RUNNING, "a", "n1")
    assert shop.world.agents["a"].job_id == job_id


def test_agent_tells_the_id_of_an_array_whose_submission_was_uncertain() -> None:
    shop = Shop()
    sweep = shop.create()
    job_id = submit(shop, sweep)
    shop.come_up("a", sweep, "78_3", job_id=job_id)
    job, array = array_of(shop, job_id)
    assert (job.state, array.slurm_id) == (JobState.RUNNING, "78")
    states = [task.state for task in shop.world.tasks_of[job_id].values()]
    assert states == [TaskState.QUEUED, TaskState.QUEUED, TaskState.RUNNING, TaskState.QUEUED]


def test_job_that_was_submitted_without_us_is_taken_in_once() -> None:
    shop = Shop()
    sweep = shop.create()
    for n in (4, 5):
        shop.come_up(f"a{n}", sweep, f"90_{n}")
    shop.come_up("single", sweep, "91")
    first, single = shop.world.jobs.values()
    assert sorted(shop.world.tasks_of[first.id]) == [4, 5]
    assert single.array is not None
    assert single.array.task_name(0) == "91"
    assert shop.world.agents["a4"].job_id == first.id


@pytest.mark.parametrize(
    ("state", "fate", "run_state", "queued"),
    [
        (TaskState.FAILED, Fate.LOST, RunState.CRASHED, True),
        (TaskState.CANCELLED, Fate.LOST, RunState.CRASHED, True),
        (TaskState.TIMED_OUT, Fate.PREEMPTED, RunState.PREEMPTED, True),
        (TaskState.PREEMPTED, Fate.PREEMPTED, RunState.PREEMPTED, True),
        (TaskState.LOST, Fate.LOST, RunState.CRASHED, True),
        (TaskState.RUNNING, Fate.KEEP, RunState.RUNNING, False),
        (TaskState.STOPPING, Fate.KEEP, RunState.RUNNING, False),
        (TaskState.GONE, Fate.KEEP, RunState.RUNNING, False),
    ],
)
def test_slurms_word_explains_a_silent_agent(
    state: TaskState, fate: Fate, run_state: RunState, queued: bool
) -> None:
    shop, _, job_id, run_id = working()
    shop.wait(SILENT_S)
    say(shop, job_id, state, fate=fate, cause="because", raw="RAW", reason="R", exit="1:0")
    run = shop.world.runs[run_id]
    assert (run.state, run.queued) == (run_state, queued)
    assert ("because" in run.cause) is (fate is not Fate.KEEP)
    task = shop.world.tasks_of[job_id][1]
    assert (task.state, task.raw, task.reason) == (state, "RAW", "R")
    gone = fate is not Fate.KEEP
    assert (shop.world.agents["a"].state is AgentState.LOST) is gone


def test_agent_that_was_just_heard_speaks_for_itself() -> None:
    shop, _, job_id, run_id = working()
    shop.wait(SILENT_S)
    shop.beat("a", shop.world.runs[run_id].token)
    shop.wait(1)
    say(shop, job_id, TaskState.FAILED, fate=Fate.LOST)
    assert shop.world.runs[run_id].state is RunState.RUNNING
    shop.wait(SILENT_S)
    say(shop, job_id, TaskState.FAILED, fate=Fate.LOST)
    assert shop.world.runs[run_id].state is RunState.CRASHED


def test_preemptions_do_not_count_as_crashes() -> None:
    shop, _, job_id, run_id = working()
    shop.wait(SILENT_S)
    say(shop, job_id, TaskState.TIMED_OUT, fate=Fate.PREEMPTED, cause="time limit")
    run = shop.world.runs[run_id]
    assert (run.n_crashes, run.n_failures, run.cause) == (0, 0, "time limit")


def test_requeued_task_gives_up_the_silent_agent_of_its_earlier_instance() -> None:
    shop, sweep, job_id, run_id = working()
    shop.wait(SILENT_S)
    say(shop, job_id, TaskState.QUEUED, restart=1, reason="BeginTime")
    task = shop.world.tasks_of[job_id][1]
    assert (task.state, task.restart, task.agent_id) == (TaskState.QUEUED, 1, "")
    assert shop.world.runs[run_id].state is RunState.PREEMPTED
    shop.come_up("b", sweep, "77_1", restart=1)
    assert shop.world.tasks_of[job_id][1].agent_id == "b"
    # An answer that is still about the earlier instance changes nothing.
    say(shop, job_id, TaskState.FAILED, restart=0, fate=Fate.LOST)
    assert shop.world.tasks_of[job_id][1].state is TaskState.RUNNING


def test_word_that_is_older_than_the_agents_changes_nothing() -> None:
    shop, _, job_id, _ = working()
    say(shop, job_id, TaskState.QUEUED, asked_at=shop.at - 1)
    assert shop.world.tasks_of[job_id][1].state is TaskState.RUNNING


def test_task_without_a_record_is_gone_unless_its_agent_lives() -> None:
    shop, _, job_id, run_id = working()
    shop.wait(SILENT_S)
    shop.beat("a", shop.world.runs[run_id].token)
    shop.tell(TasksSeen(job_id=job_id, tasks=(), complete=True, asked_at=shop.at))
    states = [task.state for task in shop.world.tasks_of[job_id].values()]
    assert states == [TaskState.RUNNING, TaskState.GONE, TaskState.GONE, TaskState.GONE]
    assert shop.world.jobs[job_id].state is JobState.RUNNING


def test_nothing_is_concluded_from_an_incomplete_answer() -> None:
    shop, _, job_id, _ = working()
    shop.wait(SILENT_S)
    shop.tell(TasksSeen(job_id=job_id, tasks=(), complete=False, asked_at=shop.at))
    assert shop.decisions[-1].changes == ()


def test_answer_that_brings_nothing_new_writes_nothing() -> None:
    shop, _, job_id, _ = working()
    shop.wait(SILENT_S)
    say(shop, job_id, TaskState.RUNNING, raw="RUNNING", ran_s=60.0, left_s=900.0)
    assert shop.decisions[-1].changes != ()
    shop.wait(120)
    say(shop, job_id, TaskState.RUNNING, raw="RUNNING", ran_s=178.0, left_s=781.0)
    assert shop.decisions[-1].changes == ()


@pytest.mark.parametrize(
    ("count", "state"), [(1, TaskState.FINISHED), (2, TaskState.STOPPING), (None, TaskState.STOPPING)]
)
def test_agent_that_did_its_share_ends_its_task_and_of_others_slurm_is_asked(
    count: int | None, state: TaskState
) -> None:
    shop, _, job_id, run_id = working(count=count)
    token = shop.world.runs[run_id].token
    assert token is not None
    shop.end("a", token)
    shop.tell(AgentLeft(agent_id="a"))
    assert shop.world.tasks_of[job_id][1].state is state


def test_agent_whose_run_was_preempted_leaves_a_task_that_may_come_back() -> None:
    shop, _, job_id, run_id = working(count=1)
    token = shop.world.runs[run_id].token
    assert token is not None
    shop.end("a", token, "preempted")
    shop.tell(AgentLeft(agent_id="a"))
    assert shop.world.tasks_of[job_id][1].state is TaskState.STOPPING
