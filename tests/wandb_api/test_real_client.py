"""The unmodified client against a real controller, over TLS. Nothing here needs more than loopback."""

from __future__ import annotations

import os
import signal
import time

import pytest

from controller.domain.states import RunState, SweepState
from controller.domain.world import World
from tests.wandb_api.lab import WandbLab, expected_losses, is_at_the_gate


def one_at_the_gate(sweep_id: str):  # type: ignore[no-untyped-def]
    return lambda world: any(is_at_the_gate(world.runs[r]) for r in world.runs_of[sweep_id])


def state_of(world: World, run_id: str) -> RunState:
    return world.runs[run_id].state


def test_grid_of_two_runs_from_registering_to_its_end(lab: WandbLab) -> None:
    lab.open()
    sweep_id = lab.sweep(2)
    agent = lab.wandb("agent", sweep_id)
    assert agent.wait(60) == 0
    runs = lab.runs(sweep_id)
    assert [(run["state"], run["config"]) for run in runs] == [("finished", {"x": 0}), ("finished", {"x": 1})]
    for run in runs:
        x = run["config"]["x"]
        assert lab.losses(run["id"]) == expected_losses(x)
        assert lab.cli("logs", run["id"]) == f"x is {x} epochs 4\n"
        assert run["summary"]["nested"] == {"a": 4}
    (sweep,) = lab.json("ls")
    assert sweep["state"] == "finished"
    assert sweep["n_agents"] == 0
    assert "\ncontroller" not in lab.words()
    assert "SSL" not in lab.words()


def test_pause_resume_stop_of_one_run_and_cancel(lab: WandbLab) -> None:
    lab.open()
    lab.make_gate()
    sweep_id = lab.sweep(4)
    agent = lab.wandb("agent", sweep_id)
    world = lab.until(one_at_the_gate(sweep_id))
    (first,) = world.runs_of[sweep_id]
    lab.done("sweep", "--pause", sweep_id)
    lab.cli("stop", first)
    world = lab.until(lambda world: state_of(world, first) is RunState.KILLED)
    assert world.sweeps[sweep_id].state is SweepState.PAUSED
    assert world.runs[first].cause == "stopped"
    lab.done("sweep", "--resume", sweep_id)
    world = lab.until(one_at_the_gate(sweep_id))
    second = list(world.runs_of[sweep_id])[1]
    lab.done("sweep", "--cancel", sweep_id)
    assert agent.wait(60) == 0
    world = lab.until(lambda world: state_of(world, second) is RunState.KILLED)
    assert world.sweeps[sweep_id].state is SweepState.CANCELLED
    assert world.runs[second].cause == "cancelled"
    assert len(world.runs_of[sweep_id]) == 2


@pytest.mark.torture
def test_stop_lets_the_running_run_finish_and_the_agent_leave(lab: WandbLab) -> None:
    lab.open()
    lab.make_gate()
    sweep_id = lab.sweep(4)
    agent = lab.wandb("agent", sweep_id)
    lab.until(one_at_the_gate(sweep_id))
    lab.done("sweep", "--stop", sweep_id)
    lab.open_gate()
    assert agent.wait(60) == 0
    world = lab.until(lambda world: not world.agents_of[sweep_id])
    assert world.sweeps[sweep_id].state is SweepState.STOPPED
    assert world.counts_of[sweep_id][RunState.FINISHED] == 1


@pytest.mark.torture
@pytest.mark.timeout(300)
def test_controller_away_for_half_a_minute_costs_nothing(lab: WandbLab) -> None:
    controller = lab.open()
    lab.make_gate()
    sweep_id = lab.sweep(2)
    agent = lab.wandb("agent", sweep_id)
    lab.until(one_at_the_gate(sweep_id))
    controller.send_signal(signal.SIGKILL)
    controller.wait(10)
    lab.open_gate()
    time.sleep(30)  # the outage
    lab.listen()
    assert agent.wait(200) == 0
    runs = lab.runs(sweep_id)
    assert [run["state"] for run in runs] == ["finished", "finished"]
    assert [run["attempt"] for run in runs] == [1, 1]
    for run in runs:
        assert lab.losses(run["id"]) == expected_losses(run["config"]["x"])


@pytest.mark.torture
def test_function_agent_runs_a_sweep_made_in_the_same_process(lab: WandbLab) -> None:
    lab.open()
    script = lab.write(
        "functions.py",
        """
        import wandb
        def train():
            with wandb.init() as run:
                for step in range(3):
                    run.log({"loss": run.config.x + step})
        sweep_id = wandb.sweep({"method": "grid", "parameters": {"x": {"values": [3, 4]}}}, project="p")
        wandb.agent(sweep_id, function=train)
        print("LEFT", sweep_id)
        """,
    )
    assert lab.python(str(script)).wait(100) == 0
    sweep_id = lab.words().split("LEFT ")[1].split()[0]
    runs = lab.runs(sweep_id)
    assert [(run["state"], run["config"]["x"]) for run in runs] == [("finished", 3), ("finished", 4)]
    assert lab.losses(runs[1]["id"]) == [4.0, 5.0, 6.0]


@pytest.mark.torture
def test_two_agents_share_a_grid_and_no_run_is_handed_out_twice(lab: WandbLab) -> None:
    lab.open()
    sweep_id = lab.sweep(4)
    agents = [lab.wandb("agent", sweep_id) for _ in range(2)]
    assert [agent.wait(100) for agent in agents] == [0, 0]
    runs = lab.runs(sweep_id)
    assert sorted(run["config"]["x"] for run in runs) == [0, 1, 2, 3]
    assert {(run["state"], run["attempt"]) for run in runs} == {("finished", 1)}
    assert len({run["agent"] for run in runs}) == 2


@pytest.mark.torture
def test_burst_of_1500_steps_of_100_metrics_arrives_whole(lab: WandbLab) -> None:
    lab.open()
    lab.write(
        "program.py",
        """
        import wandb
        run = wandb.init()
        for step in range(1500):
            run.log({f"m{i}": step * 0.001 + i for i in range(100)} | {"loss": step})
        """,
    )
    sweep_id = lab.sweep(1)
    assert lab.wandb("agent", sweep_id).wait(110) == 0
    (run,) = lab.runs(sweep_id)
    assert run["state"] == "finished"
    assert lab.losses(run["id"]) == list(range(1500))


@pytest.mark.torture
def test_early_ends_are_told_apart(lab: WandbLab) -> None:
    lab.open()
    lab.write(
        "program.py",
        """
        import os, signal, sys
        x = int(sys.argv[1].split("=")[1])
        if x == 6:
            sys.exit(5)
        import wandb
        run = wandb.init()
        run.log({"loss": x})
        if x == 1:
            raise ValueError("no")
        if x == 3:
            sys.exit(3)
        if x == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        """,
    )
    sweep_id = lab.sweep(7)
    agent = lab.wandb("agent", sweep_id, WANDB_AGENT_DISABLE_FLAPPING="true")
    assert agent.wait(115) == 0
    runs = {run["config"]["x"]: run for run in lab.runs(sweep_id)}
    assert (runs[0]["state"], runs[0]["exit_code"]) == ("finished", 0)
    assert (runs[1]["state"], runs[1]["exit_code"]) == ("failed", 1)
    assert (runs[3]["state"], runs[3]["exit_code"]) == ("failed", 3)
    assert (runs[5]["state"], runs[5]["exit_code"]) == ("failed", None)
    assert "without a word" in runs[5]["cause"]
    assert "never reached wandb.init" in runs[6]["cause"]


@pytest.mark.torture
def test_agent_that_left_by_count_blocks_nothing(lab: WandbLab) -> None:
    lab.open()
    sweep_id = lab.sweep(2)
    assert lab.wandb("agent", "--count", "1", sweep_id).wait(60) == 0
    assert lab.wandb("agent", sweep_id).wait(60) == 0
    assert [run["state"] for run in lab.runs(sweep_id)] == ["finished", "finished"]
    (sweep,) = lab.json("ls")
    assert sweep["state"] == "finished"


@pytest.mark.torture
def test_our_own_agent_runs_a_script_that_uses_the_real_client(lab: WandbLab) -> None:
    lab.open()
    sweep_id = lab.sweep(2)
    bare = {name: value for name, value in lab.environment.items() if not name.startswith("WANDB_")}
    lab.environment = {**bare, "WANDB_X_DISABLE_STATS": "true"}
    lab.environment.pop("SSL_CERT_FILE")
    lab.environment.pop("REQUESTS_CA_BUNDLE")
    lab.cli("agent", sweep_id)
    runs = lab.runs(sweep_id)
    assert [run["state"] for run in runs] == ["finished", "finished"]
    assert lab.losses(runs[1]["id"]) == expected_losses(1)
    assert "x is 1" in lab.cli("logs", runs[1]["id"])


@pytest.mark.torture
def test_offline_run_lands_here_when_it_is_synced(lab: WandbLab) -> None:
    lab.open()
    sweep_id = lab.sweep(1)
    agent = lab.wandb("agent", sweep_id, WANDB_MODE="offline")
    agent.wait(60)
    (run,) = lab.runs(sweep_id)
    (directory,) = (lab.project / "wandb").glob("offline-run-*")
    lab.done("sync", str(directory))
    assert lab.losses(run["id"]) == expected_losses(0)
    assert os.path.isdir(directory)
