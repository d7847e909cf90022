"""A sweep whose agents run in SLURM: an open array with every kind of task, and one that SLURM refused."""

from __future__ import annotations

from msgspec.structs import replace

from controller.domain.agents import Agent, AgentState, Job, JobKind, JobState
from controller.domain.arrays import Array, Task, TaskState
from controller.domain.world import Snapshot
from tests import scenes
from tests.scenes import DIRECTORY, NOW

LOG = f"{DIRECTORY}/sweeps/d1g1ts00/slurm/%A_%a.out"


def array_job() -> Job:
    return Job(
        id="jobarray",
        kind=JobKind.SLURM,
        sweep_id="d1g1ts00",
        state=JobState.RUNNING,
        log=LOG,
        count=1,
        created_at=NOW - 5400,
        array=Array(
            name="tui-sweeps-jobarray",
            spec="1-12",
            n_tasks=12,
            throttle=2,
            script="#!/bin/bash\n",
            directory=DIRECTORY,
            slurm_id="12345",
            submitted_at=NOW - 5400,
        ),
    )


def refused_job() -> Job:
    array = Array(name="tui-sweeps-refused0", spec="1-4", n_tasks=4)
    cause = "sbatch: error: invalid partition specified: gpux"
    return Job(
        id="refused0",
        kind=JobKind.SLURM,
        sweep_id="d1g1ts00",
        state=JobState.FAILED,
        cause=cause,
        created_at=NOW - 5600,
        array=array,
    )


def task(index: int, state: TaskState, **changes: object) -> Task:
    return Task(job_id="jobarray", index=index, state=state, seen_at=NOW - 20, **changes)  # type: ignore[arg-type]


def agent(index: int, **changes: object) -> Agent:
    fields: dict[str, object] = {
        "id": f"agent12345x{index}",
        "sweep_id": "d1g1ts00",
        "host": f"gpu{index:02d}",
        "node": f"gpu{index:02d}",
        "pid": 7000 + index,
        "job_id": "jobarray",
        "job": f"12345_{index}",
        "array_job": "12345",
        "array_task": str(index),
        "slurm_job": str(12350 + index),
        "end_at": NOW + 4000 + 60 * index,
        "n_runs": 3,
        "joined_at": NOW - 3000 + 10 * index,
        "heard_at": NOW - 4,
    }
    return Agent(**(fields | changes))  # type: ignore[arg-type]


def slurm() -> Snapshot:
    """The digits sweep with array 12345 of twelve tasks, two at a time."""
    facts = scenes.digits().facts
    tasks = (
        task(1, TaskState.FINISHED, agent_id="agent12345x1", raw="COMPLETED", exit="0:0"),
        task(2, TaskState.TIMED_OUT, agent_id="agent12345x2", raw="TIMEOUT", cause="its time limit was over"),
        task(3, TaskState.NEVER_STARTED, raw="FAILED", exit="1:0", cause="its output folder is missing"),
        task(4, TaskState.RUNNING, agent_id="agent12345x4", raw="RUNNING"),
        task(5, TaskState.RUNNING, agent_id="agent12345x5", raw="RUNNING"),
        *(task(n, TaskState.QUEUED, raw="PENDING", reason="JobArrayTaskLimit") for n in range(6, 11)),
        task(11, TaskState.CANCELLED, raw="CANCELLED"),
        task(12, TaskState.BLOCKED, raw="PENDING", reason="QOSMaxJobsPerUserLimit"),
    )
    agents = (
        agent(1, state=AgentState.LEFT, left_at=NOW - 900, heard_at=NOW - 900),
        agent(
            2, state=AgentState.LOST, left_at=NOW - 300, heard_at=NOW - 400, cause="its time limit was over"
        ),
        agent(4, token=35, n_runs=9, n_failures=1),
        agent(5, token=36, n_runs=8),
    )
    runs = tuple(
        replace(run, host=f"gpu0{run.number - 31}", job=f"12345_{run.number - 31}")
        if run.sweep_id == "d1g1ts00" and run.number >= 35
        else run
        for run in facts.runs
    )
    return Snapshot(
        seq=1,
        facts=replace(facts, runs=runs, agents=agents, jobs=(array_job(), refused_job()), tasks=tasks),
    )
