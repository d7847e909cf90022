"""Training scripts with the unmodified client in them: what they may say and read, under both agents."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from controller.domain.states import RunState
from tests.wandb_api.day import at_once
from tests.wandb_api.lab import Desk, expected_losses, made_by, one_at_the_gate
from tui_sweeps.views.run import system_line

EXAMPLE = Path(__file__).parents[2] / "examples" / "wandb"


@at_once
def test_example_is_worked_on_by_both_agents(desk: Desk) -> None:
    for path in EXAMPLE.iterdir():
        if path.is_file():
            shutil.copy(path, desk.project)
    sweep_id = made_by(desk.done("sweep", "sweep_config.yaml"))
    desk.write("wandb.env", desk.cli("env", sweep_id))
    bare = {name: value for name, value in desk.environment.items() if name not in desk.json("env")}
    batch = ["/bin/bash", str(desk.project / "sweep_submission.slrm"), sweep_id]
    tasks = [desk.start(batch, {**bare, "SLURM_SUBMIT_DIR": str(desk.project)}) for _ in range(2)]
    desk.left(*tasks)
    desk.cli("agent", sweep_id)
    runs = desk.runs(sweep_id)
    assert [run["state"] for run in runs] == ["finished"] * 4
    assert [run["agent"].startswith("wandb-") for run in runs] == [True, True, False, False]
    assert all(run["summary"]["epoch"] == 9 for run in runs)
    world = desk.until(lambda world: True)
    assert all(world.runs[run["id"]].own_config["batch_size"] == 64 for run in runs)
    (sweep,) = [sweep for sweep in desk.json("ls") if sweep["id"] == sweep_id]
    assert sweep["best"]["value"] > 0.9


@at_once
def test_program_that_logs_with_both_clients_under_our_agent_loses_no_row(desk: Desk) -> None:
    desk.write(
        "program.py",
        """
        import tui_sweeps, wandb
        own = tui_sweeps.init()
        run = wandb.init()
        for step in range(40):
            run.log({"loss": run.config.x + step, "theirs": step})
            tui_sweeps.log({"ours": step})
        print("x is", run.config.x)
        run.finish()
        """,
    )
    sweep_id = desk.sweep(2)
    bare = {name: value for name, value in desk.environment.items() if not name.startswith("WANDB_")}
    desk.environment = {**bare, "WANDB_X_DISABLE_STATS": "true"}
    desk.environment.pop("SSL_CERT_FILE")
    desk.environment.pop("REQUESTS_CA_BUNDLE")
    desk.cli("agent", sweep_id)
    runs = desk.runs(sweep_id)
    assert [run["state"] for run in runs] == ["finished", "finished"]
    for run in runs:
        rows = [json.loads(line) for line in desk.cli("history", run["id"], "--json").splitlines()]
        assert [row["ours"] for row in rows if "ours" in row] == list(range(40))
        assert [row["theirs"] for row in rows if "theirs" in row] == list(range(40))
        assert f"x is {run['config']['x']}\n" in desk.cli("logs", run["id"])


@at_once
def test_script_may_say_all_that_the_client_knows(desk: Desk) -> None:
    desk.write(
        "program.py",
        """
        import wandb
        run = wandb.init(config={"x": -1, "epochs": 4}, tags=["a"], notes="n")
        run.config.update({"late": {"deep": [1, 2]}})
        run.config.update({"x": 99}, allow_val_change=True)
        run.define_metric("val", summary="min")
        run.define_metric("epoch")
        run.define_metric("acc", step_metric="epoch")
        for step, val in enumerate([3.0, 1.0, 2.0]):
            run.log({"epoch": step, "acc": step / 2, "val": val, "loss": float("nan")}, commit=False)
            run.log({"nested": {"a": step}, "grown": wandb.Histogram([step, 1, 2])})
        run.log({"table": wandb.Table(columns=["a"], data=[[1], [2]])})
        run.summary["verdict"] = "good"
        with open("weights.bin", "wb") as file:
            file.write(bytes(1000))
        run.save("weights.bin")
        artifact = wandb.Artifact("model", type="model")
        artifact.add_file("weights.bin")
        run.log_artifact(artifact)
        run.alert("over", "all said")
        print("x stays", run.config.x)
        run.finish()
        """,
    )
    sweep_id = desk.sweep(1)
    desk.left(desk.wandb("agent", sweep_id))
    (run,) = desk.runs(sweep_id)
    assert (run["state"], run["exit_code"], run["config"]) == ("finished", 0, {"x": 0})
    told = desk.until(lambda world: True).runs[run["id"]]
    assert told.tags == ("a",)
    assert told.own_config == {"epochs": 4, "late": {"deep": [1, 2]}}
    assert told.summary["val"] == {"min": 1.0}
    assert told.summary["verdict"] == "good"
    assert told.summary["nested"] == {"a": 2}
    rows = [json.loads(line) for line in desk.cli("history", run["id"], "--json").splitlines()]
    assert [row["acc"] for row in rows if "acc" in row] == [0.0, 0.5, 1.0]
    assert "x stays 0" in desk.cli("logs", run["id"])
    kept = sorted(path.name for path in (desk.home.files / run["id"]).iterdir())
    assert "weights.bin" in kept
    assert "wandb-summary.json" in kept


@at_once
def test_public_api_reads_a_sweep_and_stops_a_run(desk: Desk) -> None:
    desk.write(
        "program.py",
        """
        import wandb
        run = wandb.init()
        for step in range(5):
            run.log({"loss": run.config.x + 1.0 / (step + 1), "other": step})
        if run.config.x == 1:
            open("gate").read()
        run.finish()
        """,
    )
    desk.make_gate()
    reader = desk.write(
        "reader.py",
        """
        import json, sys
        import wandb
        api = wandb.Api()
        sweep = api.sweep(sys.argv[1])
        by_x = {run.config["x"]: run for run in sweep.runs}
        best = sweep.best_run()
        path = "/".join(best.path[:2])
        found = {
            "viewer": api.viewer.username,
            "sweep": [sweep.state, sweep.config["method"], sorted(by_x)],
            "best": best.config["x"],
            "states": [by_x[x].state for x in (0, 1)],
            "filtered": [run.config["x"] for run in api.runs(path, filters={"config.x": 1})],
            "named": api.run(f"{path}/{best.id}").name,
            "ordered": [run.config["x"] for run in api.runs(path, {"sweep": sweep.id}, "-created_at")],
            "history": best.history(pandas=False, keys=["loss"]),
            "scanned": [row["loss"] for row in best.scan_history(keys=["loss", "other"])],
            "whole": len(list(best.scan_history())),
            "summary": best.summary["other"],
        }
        by_x[0].delete()  # the agent then gets its cell again
        by_x[1].stop()
        json.dump(found, open("found.json", "w"))
        """,
    )
    sweep_id = desk.sweep(2)
    agent = desk.wandb("agent", sweep_id)
    world = desk.until(
        lambda world: world.counts_of[sweep_id][RunState.FINISHED] and one_at_the_gate(sweep_id)(world)
    )
    first, second = world.runs_of[sweep_id]
    desk.left(desk.python(str(reader), f"local/uncategorized/{sweep_id}"))
    found = json.loads((desk.project / "found.json").read_text())
    assert [row["loss"] for row in found.pop("history")] == expected_losses(0, 5)
    assert found == {
        "viewer": "local",
        "sweep": ["RUNNING", "grid", [0, 1]],
        "best": 0,
        "states": ["finished", "running"],
        "filtered": found["filtered"],
        "named": found["named"],
        "ordered": [1, 0],
        "scanned": expected_losses(0, 5),
        "whole": 5,
        "summary": 4,
    }
    assert set(found["filtered"]) == {1}
    assert found["named"].endswith("-1")
    desk.left(agent)
    world = desk.until(lambda world: True)
    assert (world.runs[second].state, world.runs[second].cause) == (RunState.KILLED, "stopped")
    assert world.runs[first].deleted
    assert [(run["config"], run["state"]) for run in desk.runs(sweep_id) if run["id"] != second] == [
        ({"x": 0}, "finished")
    ]


@at_once
def test_offline_run_lands_here_when_it_is_synced(desk: Desk) -> None:
    sweep_id = desk.sweep(1)
    desk.left(desk.wandb("agent", sweep_id, WANDB_MODE="offline"))
    (run,) = desk.runs(sweep_id)
    assert desk.losses(run["id"]) == []
    (directory,) = (desk.project / "wandb").glob("offline-run-*")
    words = desk.done("sync", str(directory))
    assert desk.losses(run["id"]) == expected_losses(0), words
    assert directory.is_dir()
    assert desk.cli("logs", run["id"]) == "x is 0 epochs 4\n"


@at_once
def test_run_of_a_wandb_agent_is_shown_like_our_own(desk: Desk) -> None:
    desk.make_gate()
    sweep_id = desk.sweep(1)
    agent = desk.wandb(
        "agent", sweep_id, WANDB_X_DISABLE_STATS="false", WANDB_X_STATS_SAMPLING_INTERVAL="0.2"
    )
    desk.until(lambda world: any("cpu" in world.runs[r].system for r in world.runs_of[sweep_id]))
    desk.open_gate()
    desk.left(agent)
    world = desk.until(lambda world: not world.agents_of[sweep_id])
    (run_id,) = world.runs_of[sweep_id]
    shown = desk.json("show", run_id)
    assert shown["host"]
    assert shown["summary"]["loss"] == expected_losses(0)[-1]
    load = " ".join(cell.text for cell in system_line(world.runs[run_id]))
    assert "cpu " in load, shown["system"]
    assert "memory " in load, shown["system"]
    assert desk.losses(run_id) == expected_losses(0)
    assert desk.cli("logs", run_id) == "x is 0 epochs 4\n"
