"""SLURM arrays: submitted once, steered, and over when all their tasks are."""

from __future__ import annotations

from typing import Any

import pytest

from controller.domain.agents import AgentState, Job, JobState
from controller.domain.arrays import Array, Cancel, TaskState
from controller.domain.commands import (
    CancelJob,
    HoldJob,
    LaunchAgents,
    ReleaseJob,
    SetThrottle,
    StopSweep,
    SubmitArray,
)
from controller.domain.effects import CancelTasks, Effect, HoldTasks, LimitTasks, SubmitJob
from controller.domain.events import JobSeen, JobSteered, TaskSeen, TasksSeen
from controller.domain.replies import Accepted, Refused, Wish
from controller.domain.states import RunState
from tests.core.shop import Shop

SCRIPT = "#!/bin/sh\nexec tui-sweeps agent s\n"


def submit(shop: Shop, sweep: str, **more: Any) -> str:
    fields: dict[str, Any] = {"array": "1-4", "throttle": 2, "script": SCRIPT, "log": "/l/%A_%a.out"}
    reply = shop.tell(SubmitArray(sweep_id=sweep, actor="eva", **(fields | more)))
    assert isinstance(reply, Accepted), reply
    return reply.ids[0]


def submitted(shop: Shop, sweep: str, slurm_id: str = "77", **more: Any) -> str:
    job_id = submit(shop, sweep, **more)
    shop.tell(JobSeen(job_id=job_id, state=JobState.RUNNING, slurm_id=slurm_id, cluster="c"))
    return job_id


def array_of(shop: Shop, job_id: str) -> tuple[Job, Array]:
    job = shop.world.jobs[job_id]
    assert job.array is not None
    return job, job.array


def tell_all(shop: Shop, job_id: str, state: TaskState, **more: Any) -> None:
    tasks = tuple(TaskSeen(index=n, state=state, **more) for n in range(1, 5))
    shop.tell(TasksSeen(job_id=job_id, tasks=tasks, complete=True, asked_at=shop.at))


def performed(shop: Shop) -> list[Effect]:
    return list(shop.decisions[-1].effects)


def opened() -> tuple[Shop, str]:
    shop = Shop()
    return shop, shop.create()


def test_array_is_written_down_with_its_unique_name_before_it_is_submitted() -> None:
    shop, sweep = opened()
    job_id = submit(shop, sweep)
    job, array = array_of(shop, job_id)
    assert (job.state, array.name, array.n_tasks) == (JobState.SUBMITTING, f"tui-sweeps-{job_id}", 4)
    assert SubmitJob(job=job) in performed(shop)
    assert not shop.world.tasks_of[job_id]


@pytest.mark.parametrize(
    "wrong",
    [
        {"array": "x"},
        {"array": "1-4%2"},
        {"throttle": 0},
        {"script": "echo"},
        {"options": ("--job-name=x",)},
        {"directory": "here"},
    ],
)
def test_array_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    shop, sweep = opened()
    fields: dict[str, Any] = {"array": "1-4", "script": SCRIPT}
    assert isinstance(shop.tell(SubmitArray(sweep_id=sweep, **(fields | wrong))), Refused)
    assert not shop.world.jobs


def test_array_for_a_sweep_that_is_over_or_unknown_is_refused() -> None:
    shop, sweep = opened()
    shop.tell(StopSweep(sweep_id=sweep))
    for sweep_id in (sweep, "nosuch00"):
        assert isinstance(shop.tell(SubmitArray(sweep_id=sweep_id, array="1", script=SCRIPT)), Refused)


def test_accepted_array_has_its_id_and_its_tasks_wait() -> None:
    shop, sweep = opened()
    job_id = submitted(shop, sweep)
    job, array = array_of(shop, job_id)
    assert (job.state, array.slurm_id, array.cluster) == (JobState.RUNNING, "77", "c")
    assert [task.state for task in shop.world.tasks_of[job_id].values()] == [TaskState.QUEUED] * 4
    assert [array.task_name(n) for n in shop.world.tasks_of[job_id]] == ["77_1", "77_2", "77_3", "77_4"]
    shop.tell(JobSeen(job_id=job_id, state=JobState.RUNNING, slurm_id="78"))
    assert array_of(shop, job_id)[1].slurm_id == "77"


def test_uncertain_submission_stays_open_and_is_found_or_given_up() -> None:
    shop, sweep = opened()
    job_id = submit(shop, sweep)
    shop.tell(JobSeen(job_id=job_id, state=JobState.SUBMITTING, cause="timed out; looking"))
    assert shop.world.jobs[job_id].cause == "timed out; looking"
    shop.tell(JobSeen(job_id=job_id, state=JobState.FAILED, cause="no job of that name"))
    assert shop.world.jobs[job_id].state is JobState.FAILED
    # It had been taken all the same, and told so by an agent or by a later look.
    shop.tell(JobSeen(job_id=job_id, state=JobState.RUNNING, slurm_id="77"))
    assert shop.world.jobs[job_id].state is JobState.RUNNING
    assert not any(isinstance(effect, SubmitJob) for effect in performed(shop))


def test_throttle_hold_and_release_are_true_when_slurm_obeyed() -> None:
    shop, sweep = opened()
    job_id = submitted(shop, sweep)
    for command, effect in (
        (SetThrottle(job_id=job_id, throttle=3), LimitTasks),
        (HoldJob(job_id=job_id), HoldTasks),
        (ReleaseJob(job_id=job_id), HoldTasks),
    ):
        assert isinstance(shop.tell(command), Accepted)
        assert [type(one) for one in performed(shop)] == [effect]
    assert array_of(shop, job_id)[1].throttle == 2
    shop.tell(JobSteered(job_id=job_id, throttle=3))
    assert array_of(shop, job_id)[1].throttle == 3
    shop.tell(JobSteered(job_id=job_id, throttle=0))
    assert array_of(shop, job_id)[1].throttle is None
    shop.tell(JobSteered(job_id=job_id, held=True))
    assert array_of(shop, job_id)[1].held
    shop.tell(JobSteered(job_id=job_id, held=False, problem="Access denied"))
    assert array_of(shop, job_id)[1].held


def test_steering_of_what_is_no_open_array_is_refused() -> None:
    shop, sweep = opened()
    local = shop.tell(LaunchAgents(sweep_id=sweep))
    assert isinstance(local, Accepted)
    early = submit(shop, sweep)
    assert isinstance(shop.tell(SetThrottle(job_id=early, throttle=1)), Refused)
    over = submitted(shop, sweep)
    tell_all(shop, over, TaskState.CANCELLED)
    for job_id in (local.ids[0], over, "nosuch00"):
        assert isinstance(shop.tell(CancelJob(job_id=job_id)), Refused)
    assert isinstance(shop.tell(SetThrottle(job_id=submitted(shop, sweep), throttle=-1)), Refused)


def test_cancelled_array_asks_its_agents_to_stop_their_runs_so_that_nobody_failed() -> None:
    shop, sweep = opened()
    job_id = submitted(shop, sweep)
    shop.come_up("a", sweep, "77_1")
    order = shop.run("a", 1)
    shop.tell(CancelJob(job_id=job_id, actor="eva"))
    assert performed(shop) == [CancelTasks(job=shop.world.jobs[job_id], waiting_only=False)]
    assert shop.beat("a", order.token).wish is Wish.STOP_LEAVE
    shop.end("a", order.token, "preempted")
    run = shop.world.runs[order.run_id]
    assert (run.state, run.actor, run.queued) == (RunState.KILLED, "eva", False)


def test_cancel_before_slurm_told_the_id_is_done_when_it_does() -> None:
    shop, sweep = opened()
    job_id = submit(shop, sweep)
    shop.tell(CancelJob(job_id=job_id))
    assert performed(shop) == []
    shop.tell(JobSeen(job_id=job_id, state=JobState.RUNNING, slurm_id="77"))
    assert CancelTasks(job=shop.world.jobs[job_id], waiting_only=False) in performed(shop)


def test_waiting_tasks_are_cancelled_once_when_the_sweep_is_over() -> None:
    shop, sweep = opened()
    job_id = submitted(shop, sweep)
    shop.tell(StopSweep(sweep_id=sweep))
    job, array = array_of(shop, job_id)
    assert array.cancel is Cancel.WAITING
    assert performed(shop) == [CancelTasks(job=job, waiting_only=True)]
    shop.tell(StopSweep(sweep_id=sweep))
    assert performed(shop) == []


def test_cancel_is_asked_again_while_slurm_shows_waiting_tasks() -> None:
    shop, sweep = opened()
    job_id = submitted(shop, sweep)
    shop.tell(CancelJob(job_id=job_id))
    tell_all(shop, job_id, TaskState.QUEUED)
    assert performed(shop) == [CancelTasks(job=shop.world.jobs[job_id], waiting_only=True)]
    tell_all(shop, job_id, TaskState.CANCELLED)
    assert performed(shop) == []


def test_three_quick_failures_hold_the_rest_and_show_the_log() -> None:
    shop, sweep = opened()
    job_id = submitted(shop, sweep)
    failed = [TaskSeen(index=n, state=TaskState.FAILED, ran_s=1.0, cause="exit code 127") for n in (1, 2, 3)]
    waiting = TaskSeen(index=4, state=TaskState.QUEUED)
    shop.tell(TasksSeen(job_id=job_id, tasks=(*failed[:2], waiting), complete=False, asked_at=shop.at))
    assert performed(shop) == []
    seen = TasksSeen(job_id=job_id, tasks=(*failed, waiting), complete=True, asked_at=shop.at)
    shop.tell(seen)
    job, _ = array_of(shop, job_id)
    assert "/l/77_3.out" in job.cause
    assert [type(effect) for effect in performed(shop)] == [HoldTasks]
    shop.tell(JobSteered(job_id=job_id, held=True))
    shop.tell(seen)
    assert performed(shop) == []
    # Released by the user, who has mended something: the old failures do not count again.
    shop.tell(JobSteered(job_id=job_id, held=False))
    shop.tell(seen)
    assert performed(shop) == []
    assert array_of(shop, job_id)[0].cause == ""


def test_slow_failures_hold_nothing() -> None:
    shop, sweep = opened()
    job_id = submitted(shop, sweep)
    failed = [TaskSeen(index=n, state=TaskState.FAILED, ran_s=11.0) for n in (1, 2, 3)]
    shop.tell(TasksSeen(job_id=job_id, tasks=tuple(failed), complete=False, asked_at=shop.at))
    assert performed(shop) == []


def test_array_ends_with_its_last_task_and_comes_back_with_an_agent() -> None:
    shop, sweep = opened()
    job_id = submitted(shop, sweep)
    tell_all(shop, job_id, TaskState.FINISHED)
    job, _ = array_of(shop, job_id)
    assert (job.state, job.ended_at) == (JobState.ENDED, shop.at)
    shop.come_up("b", sweep, "77_2", restart=1)
    assert shop.world.jobs[job_id].state is JobState.RUNNING
    assert shop.world.tasks_of[job_id][2].state is TaskState.RUNNING
    assert shop.world.agents["b"].state is AgentState.ACTIVE


@pytest.mark.parametrize(
    ("asked", "n_waiting", "n_running", "words"),
    [
        ({}, 3, 2, ""),
        ({"held": True}, 3, 2, "held"),
        ({"held": True, "cancel": Cancel.ALL}, 0, 1, "cancelling"),
        ({"cancel": Cancel.WAITING}, 1, 2, "cancelling"),
        ({"cancel": Cancel.WAITING}, 0, 2, ""),
        ({"cancel": Cancel.ALL}, 0, 0, ""),
    ],
)
def test_array_says_what_was_asked_of_it_until_slurm_shows_it(
    asked: dict[str, Any], n_waiting: int, n_running: int, words: str
) -> None:
    array = Array(name="tui-sweeps-job00001", spec="1-5", n_tasks=5, **asked)
    assert array.steered(n_waiting, n_running) == words
