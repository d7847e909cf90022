"""Programs under the unmodified client's agent: how they end, what they are given, how much they log."""

from __future__ import annotations

import json

from controller.domain.states import SweepState
from tests.wandb_api.day import at_once
from tests.wandb_api.lab import Desk


@at_once
def test_early_ends_are_told_apart(desk: Desk) -> None:
    desk.write(
        "program.py",
        """
        import os, signal, sys, time
        x = int(sys.argv[1].split("=")[1])
        if x == 4:
            sys.exit(5)
        import wandb
        run = wandb.init()
        run.log({"loss": x})
        time.sleep(0.5)  # see PROGRAM: the ends here are without a goodbye
        if x == 0:
            raise ValueError("no")
        if x == 1:
            sys.exit(3)
        if x == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        """,
    )
    sweep_id = desk.sweep(5)
    desk.left(desk.wandb("agent", sweep_id, WANDB_AGENT_DISABLE_FLAPPING="true"))
    runs = [(run["state"], run["exit_code"], run["cause"]) for run in desk.runs(sweep_id)]
    assert runs == [
        ("failed", 1, "exit code 1"),
        ("failed", 3, "exit code 3"),
        ("finished", 0, ""),
        ("failed", None, "ended without a word: killed by a signal?"),
        ("failed", None, "ended within seconds and never reached wandb.init"),
    ]
    assert "ValueError: no" in desk.cli("logs", desk.runs(sweep_id)[0]["id"])


@at_once
def test_grid_of_four_with_the_defaults_of_config_yaml_is_shared_by_two_agents(desk: Desk) -> None:
    desk.write("config.yaml", "learning_rate: 0.5\nhidden: 8\nepochs: 3\n")
    desk.write(
        "program.py",
        """
        import wandb, yaml
        run = wandb.init(config=yaml.safe_load(open("config.yaml")))
        for epoch in range(run.config.epochs):
            run.log({"loss": run.config.learning_rate + run.config.hidden - epoch})
        print("hidden", run.config.hidden)
        run.finish()
        """,
    )
    axes = {"learning_rate": {"values": [0.1, 0.2]}, "hidden": {"values": [16, 32]}}
    sweep_id = desk.sweep(0, parameters=axes)
    desk.left(*[desk.wandb("agent", sweep_id) for _ in range(2)])
    runs = desk.runs(sweep_id)
    cells = [{"hidden": h, "learning_rate": lr} for h in (16, 32) for lr in (0.1, 0.2)]
    assert sorted((run["config"] for run in runs), key=json.dumps) == cells
    assert {(run["state"], run["attempt"]) for run in runs} == {("finished", 1)}
    assert len({run["agent"] for run in runs}) == 2
    world = desk.until(lambda world: not world.agents_of[sweep_id])
    assert world.sweeps[sweep_id].state is SweepState.FINISHED
    for run in runs:
        base = run["config"]["learning_rate"] + run["config"]["hidden"]
        assert desk.losses(run["id"]) == [base - epoch for epoch in range(3)]
        assert world.runs[run["id"]].own_config == {"epochs": 3}
        assert desk.cli("logs", run["id"]) == f"hidden {run['config']['hidden']}\n"


@at_once
def test_function_agent_runs_a_sweep_made_in_the_same_process(desk: Desk) -> None:
    script = desk.write(
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
    desk.left(desk.python(str(script)))
    sweep_id = desk.words().split("LEFT ")[1].split()[0]
    runs = desk.runs(sweep_id)
    assert [(run["state"], run["config"]["x"]) for run in runs] == [("finished", 3), ("finished", 4)]
    assert [desk.losses(run["id"]) for run in runs] == [[3.0, 4.0, 5.0], [4.0, 5.0, 6.0]]


@at_once
def test_burst_of_1500_steps_of_100_metrics_arrives_whole(desk: Desk) -> None:
    desk.write(
        "program.py",
        """
        import wandb
        run = wandb.init()
        for step in range(1500):
            run.log({f"m{i}": step * 0.001 + i for i in range(100)} | {"loss": step})
        run.finish()
        """,
    )
    sweep_id = desk.sweep(1)
    desk.left(desk.wandb("agent", sweep_id))
    (run,) = desk.runs(sweep_id)
    assert run["state"] == "finished"
    assert desk.losses(run["id"]) == list(range(1500))
    assert run["summary"]["m99"] == 1499 * 0.001 + 99
