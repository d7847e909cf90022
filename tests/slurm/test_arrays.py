"""Agents as array tasks of a real SLURM, on nodes that are other machines than the controller's."""

from __future__ import annotations

from collections import Counter

import pytest

from controller.domain.states import RunState, SweepState
from controller.domain.world import World
from tests.slurm.cluster import Cluster
from tests.slurm.site import Site
from tests.system.lab import alive
from tests.system.test_sweep_life import is_finished

pytestmark = pytest.mark.timeout(400)


def n_running(world: World, sweep_id: str) -> int:
    """Runs whose program has logged its first point."""
    runs = [world.runs[run_id] for run_id in world.runs_of[sweep_id]]
    return sum(run.state is RunState.RUNNING and run.n_points > 0 for run in runs)


def jobs(site: Site, sweep_id: str) -> set[str]:
    """The array tasks that executed the runs, one of them each."""
    return {row["job"] for row in site.json("runs", sweep_id)}


def started_cells(site: Site) -> Counter[str]:
    return Counter(line[1] for line in site.witness() if line[0] == "start")


def test_array_of_single_runs_takes_each_config_once_two_at_a_time(site: Site) -> None:
    sweep_id = site.register(12)
    array = site.submit(sweep_id, "1-12%2", "--count", "1")
    most = [0]

    def watched(world: World) -> bool:
        most[0] = max(most[0], n_running(world, sweep_id))
        return is_finished(sweep_id)(world)

    world = site.until(watched)
    assert world.counts_of[sweep_id][RunState.FINISHED] == 12
    assert started_cells(site) == Counter(map(str, range(12)))
    assert most[0] <= 2
    assert jobs(site, sweep_id) == {f"{array}_{task}" for task in range(1, 13)}
    assert {row["host"] for row in site.json("runs", sweep_id)} <= set(site.cluster.nodes)


def test_array_without_a_count_pulls_runs_until_there_are_none(site: Site) -> None:
    sweep_id = site.register(7)
    array = site.submit(sweep_id, "1-3")
    site.until(is_finished(sweep_id))
    assert started_cells(site) == Counter(map(str, range(7)))
    assert jobs(site, sweep_id) <= {f"{array}_{task}" for task in range(1, 4)}
    site.cluster.until(lambda: set(site.cluster.states(array).values()) == {"COMPLETED"})


def test_users_own_batch_file_works_when_its_last_line_is_an_agent(site: Site) -> None:
    sweep_id = site.register(3)
    array = site.sbatch(sweep_id, "--array=1-3", agent="--count 1")
    site.until(is_finished(sweep_id))
    assert started_cells(site) == Counter(map(str, range(3)))
    assert jobs(site, sweep_id) == {f"{array}_{task}" for task in range(1, 4)}


def test_cancelled_task_ends_its_run_and_no_other(site: Site) -> None:
    site.shut()
    sweep_id = site.register(2)
    array = site.submit(sweep_id, "1-2", "--count", "1")
    site.until(lambda world: n_running(world, sweep_id) == 2)
    site.cluster.run("scancel", f"{array}_2")
    world = site.until(lambda world: world.counts_of[sweep_id][RunState.KILLED] == 1)
    (ended,) = [run for run in site.runs(world, sweep_id) if run.state is not RunState.RUNNING]
    assert "cancelled" in ended.cause
    assert site.json("show", ended.id)["job"] == f"{array}_2"
    assert [line[1] for line in site.witness() if line[0] == "term"] == [str(ended.config["x"])]
    site.open_gate()
    site.until(is_finished(sweep_id))


def test_cancelled_pending_element_is_gone_and_never_taken_for_done(site: Site) -> None:
    site.shut()
    sweep_id = site.register(3)
    array = site.submit(sweep_id, "1-3%1", "--count", "1")
    site.until(lambda world: n_running(world, sweep_id) == 1)
    site.cluster.run("scancel", f"{array}_3")
    site.open_gate()
    world = site.until(lambda world: world.counts_of[sweep_id][RunState.FINISHED] == 2)
    assert world.sweeps[sweep_id].state is SweepState.RUNNING
    assert len(world.runs_of[sweep_id]) == 2
    site.submit(sweep_id, "1")
    world = site.until(is_finished(sweep_id))
    assert started_cells(site) == Counter(map(str, range(3)))


def test_cancelled_array_leaves_no_process_and_hands_nothing_out_twice(site: Site) -> None:
    site.shut()
    sweep_id = site.register(4)
    array = site.submit(sweep_id, "1-4%2", "--count", "1")
    world = site.until(lambda world: n_running(world, sweep_id) == 2)
    pids = [run.pid for run in site.runs(world, sweep_id)]
    site.cluster.run("scancel", array)
    world = site.until(lambda world: not world.agents_of[sweep_id])
    assert world.counts_of[sweep_id][RunState.KILLED] == 2
    assert all("cancelled" in run.cause for run in site.runs(world, sweep_id))
    site.cluster.until(lambda: not site.cluster.processes_of(array))
    assert not any(alive(pid) for pid in pids if pid)
    site.open_gate()
    site.submit(sweep_id, "1-2")
    site.until(is_finished(sweep_id))
    assert started_cells(site) == Counter(map(str, range(4)))


def test_throttle_of_a_running_array_is_changed(site: Site) -> None:
    site.shut()
    sweep_id = site.register(4)
    array = site.submit(sweep_id, "1-4%1", "--count", "1")
    site.until(lambda world: n_running(world, sweep_id) == 1)
    site.cli("jobs", "--throttle", "3", array)
    site.until(lambda world: n_running(world, sweep_id) == 3)
    site.cli("jobs", "--cancel-waiting", array)
    site.cluster.until(lambda: "PENDING" not in site.cluster.states(array).values())
    site.open_gate()
    world = site.until(lambda world: world.counts_of[sweep_id][RunState.FINISHED] == 3)
    assert len(world.runs_of[sweep_id]) == 3


def test_formats_in_the_environment_change_nothing(cluster: Cluster) -> None:
    site = Site(cluster)
    try:
        site.environment |= {"SQUEUE_FORMAT": "%j", "SQUEUE_STATES": "CF", "SACCT_FORMAT": "user"}
        site.environment |= {"SLURM_TIME_FORMAT": "%s", "SBATCH_JOB_NAME": "mine"}
        site.listen()
        site.new_project()
        site.shut()
        sweep_id = site.register(2)
        array = site.submit(sweep_id, "1-2", "--count", "1")
        site.until(lambda world: n_running(world, sweep_id) == 2)
        tasks = site.json("jobs", array)["tasks"]
        assert [(task["index"], task["state"]) for task in tasks] == [(1, "running"), (2, "running")]
        site.open_gate()
        site.until(is_finished(sweep_id))
    finally:
        site.close()


@pytest.mark.torture
def test_two_hundred_tasks_that_start_at_once_take_each_config_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "wait_s", 350.0)
    sweep_id = site.register(200, command=["true"])
    array = site.submit(sweep_id, "1-200", "--count", "1")
    world = site.until(is_finished(sweep_id))
    assert world.counts_of[sweep_id][RunState.FINISHED] == 200
    assert jobs(site, sweep_id) == {f"{array}_{task}" for task in range(1, 201)}
