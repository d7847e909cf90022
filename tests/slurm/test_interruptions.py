"""What SLURM does to tasks in the middle of a run: requeue, preemption, time limit, lost nodes, memory."""

from __future__ import annotations

import os

import pytest

from controller.domain.states import AttemptState, RunState
from tests.slurm.configuration import enforces_memory
from tests.slurm.conftest import REQUIRED
from tests.slurm.site import Site
from tests.slurm.test_arrays import jobs, n_running
from tests.system.lab import alive
from tests.system.test_sweep_life import is_finished

pytestmark = pytest.mark.timeout(400)


def held_run(site: Site, *sbatch: str) -> tuple[str, str]:
    """Have one task execute one run that does not end by itself; return sweep and array."""
    site.shut()
    sweep_id = site.register(1)
    array = site.submit(sweep_id, "1", "--count", "1", "--", *sbatch)
    site.until(lambda world: n_running(world, sweep_id) == 1)
    return sweep_id, array


def until_resumed(site: Site, sweep_id: str) -> None:
    """Wait for the second attempt, which knows of the first, then let it end."""

    def is_resumed(world) -> bool:  # type: ignore[no-untyped-def]
        (run,) = site.runs(world, sweep_id)
        return run.attempt == 2 and run.state is RunState.RUNNING

    site.until(is_resumed)
    site.open_gate()
    world = site.until(is_finished(sweep_id))
    (run,) = site.runs(world, sweep_id)
    assert run.state is RunState.FINISHED
    assert [line[0] for line in site.witness()][-2:] == ["resume", "end"]


def causes(site: Site, sweep_id: str) -> list[tuple[str, str]]:
    (row,) = site.json("runs", sweep_id)
    attempts = site.json("show", row["id"])["attempts"]
    return [(attempt["state"], attempt["cause"]) for attempt in attempts]


def test_requeued_task_gets_its_run_back(site: Site) -> None:
    sweep_id, array = held_run(site)
    site.cluster.run("scontrol", "requeue", f"{array}_1")
    until_resumed(site, sweep_id)
    (first, _) = causes(site, sweep_id)
    assert first[0] == AttemptState.PREEMPTED
    assert "requeue" in first[1]
    (row,) = site.json("runs", sweep_id)
    assert row["job"] == f"{array}_1"


def test_preempted_task_resumes_its_run_when_there_is_room_again(site: Site) -> None:
    sweep_id, _ = held_run(site, "--exclusive", "-w", "n1")
    site.cluster.run(
        "sbatch", "-p", "high", "--exclusive", "-w", "n1", "-o", "/dev/null", "--wrap", "sleep 1"
    )
    until_resumed(site, sweep_id)
    (first, _) = causes(site, sweep_id)
    assert first[0] == AttemptState.PREEMPTED
    assert "preempt" in first[1]


def test_run_that_the_time_limit_ends_is_resumed_by_the_next_job(site: Site) -> None:
    sweep_id, _ = held_run(site, "--time=1", "--signal=B:USR1@50")
    world = site.until(lambda world: not world.agents_of[sweep_id])
    (run,) = site.runs(world, sweep_id)
    assert run.state is RunState.PREEMPTED
    assert "time limit" in run.cause
    site.submit(sweep_id, "1", "--count", "1")
    until_resumed(site, sweep_id)


def test_run_on_a_node_that_crashes_goes_on_elsewhere(site: Site) -> None:
    sweep_id, _ = held_run(site)
    (row,) = site.json("runs", sweep_id)
    site.cluster.crash_node(row["host"])
    try:
        until_resumed(site, sweep_id)
        (again,) = site.json("runs", sweep_id)
        assert again["host"] != row["host"]
        assert again["id"] == row["id"]
    finally:
        site.cluster.start_node(row["host"])
        site.cluster.until(lambda: site.cluster.node_state(row["host"]) == "idle")


def test_copy_that_was_cut_off_is_superseded_and_its_data_never_counts(site: Site) -> None:
    sweep_id, _ = held_run(site)
    (row,) = site.json("runs", sweep_id)
    site.cluster.set_cable(row["host"], plugged=False)
    try:
        site.until(
            lambda world: site.runs(world, sweep_id)[0].attempt == 2 and n_running(world, sweep_id) == 1
        )
        pid = row["pid"]
    finally:
        site.cluster.set_cable(row["host"], plugged=True)
    site.cluster.until(lambda: not alive(pid))
    site.open_gate()
    site.until(is_finished(sweep_id))
    points = site.cli("history", row["id"], "--json").splitlines()
    assert len(points) == 2
    site.cluster.until(lambda: site.cluster.node_state(row["host"]) == "idle")


def test_run_that_takes_too_much_memory_fails_alone(site: Site) -> None:
    if not enforces_memory():
        assert REQUIRED not in os.environ
        pytest.skip("the kernel's memory control groups cannot be written here")
    site.write("program.py", HUNGRY)
    sweep_id = site.register(3)
    array = site.submit(sweep_id, "1", "--", "--mem=300M")
    world = site.until(is_finished(sweep_id))
    by_x = {run.config["x"]: run for run in site.runs(world, sweep_id)}
    assert [by_x[x].state for x in range(3)] == [RunState.FINISHED, RunState.FAILED, RunState.FINISHED]
    assert "memory" in by_x[1].cause
    assert jobs(site, sweep_id) == {f"{array}_1"}


HUNGRY = """
    import tui_sweeps
    run = tui_sweeps.init()
    kept = bytearray(2_000_000_000 if run.config.x == 1 else 1000)
    for start in range(0, len(kept), 4096):
        kept[start] = 1
    tui_sweeps.log({"loss": 1.0})
"""
