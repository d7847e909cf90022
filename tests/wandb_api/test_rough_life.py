"""The unmodified client where life is rough: deaf programs, wrappers, preemption, logins, older releases."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from controller.domain.states import RunState
from tests.system.lab import alive
from tests.wandb_api.lab import WandbLab, expected_losses
from tests.wandb_api.test_real_client import one_at_the_gate, state_of

pytestmark = pytest.mark.torture


def test_program_deaf_to_sigterm_is_killed_after_the_delay(lab: WandbLab) -> None:
    lab.open()
    lab.write(
        "program.py",
        """
        import os, signal, time
        import wandb
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        run = wandb.init()
        for step in range(5):
            run.log({"loss": step})
        with open("pids", "a") as pids:
            pids.write(f"{os.getpid()}\\n")
        while True:
            try:
                time.sleep(60)
            except KeyboardInterrupt:
                pass
        """,
    )
    sweep_id = lab.sweep(1)
    lab.wandb("agent", sweep_id, WANDB_AGENT_KILL_DELAY="3")
    world = lab.until(one_at_the_gate(sweep_id))
    (run_id,) = world.runs_of[sweep_id]
    lab.cli("stop", run_id)
    lab.until(lambda world: state_of(world, run_id) is RunState.KILLED)
    (pid,) = map(int, (lab.project / "pids").read_text().split())
    assert not alive(pid)


def test_training_behind_a_shell_wrapper_is_told_to_stop_by_its_own_stream(lab: WandbLab) -> None:
    lab.open()
    lab.make_gate()
    lab.write("wrapper.sh", "#!/bin/bash\npython program.py\ntrue\n").chmod(0o755)
    lab.write(
        "program.py",
        """
        import time
        import wandb
        run = wandb.init()
        try:
            for step in range(5):
                run.log({"loss": step})
            for _ in range(600):
                time.sleep(0.1)
        finally:
            open("ended", "w").close()
        """,
    )
    sweep_id = lab.sweep(1, program="wrapper.sh", command=["${env}", "bash", "${program}"])
    lab.wandb("agent", sweep_id)
    world = lab.until(one_at_the_gate(sweep_id))
    (run_id,) = world.runs_of[sweep_id]
    lab.cli("stop", run_id)
    lab.until(lambda world: state_of(world, run_id) is RunState.KILLED)
    lab.wait_for(lambda: (lab.project / "ended").exists())


def test_preempted_run_comes_back_under_its_own_id_and_resumes(lab: WandbLab) -> None:
    lab.open()
    lab.write(
        "program.py",
        """
        import os, sys
        import wandb
        again = os.path.exists("seen")
        run = wandb.init(resume="allow")
        print("starts at", run.starting_step, flush=True)
        open("seen", "w").close()
        for step in range(5):
            run.log({"loss": run.starting_step + step})
        if not again:
            run.mark_preempting()
            sys.exit(1)
        """,
    )
    sweep_id = lab.sweep(1)
    assert lab.wandb("agent", sweep_id).wait(60) == 0
    (run,) = lab.runs(sweep_id)
    assert (run["state"], run["attempt"]) == ("finished", 2)
    rows = [json.loads(line) for line in lab.cli("history", run["id"], "--json").splitlines()]
    assert [(row["_step"], row["loss"]) for row in rows] == [(step, step) for step in range(10)]
    assert lab.cli("logs", run["id"]) == "starts at 5\n"


def test_login_once_replaces_the_exports(lab: WandbLab) -> None:
    lab.open()
    key = lab.environment.pop("WANDB_API_KEY")
    url = lab.environment.pop("WANDB_BASE_URL")
    lab.done("login", "--host", url, key)
    sweep_id = lab.sweep(1)
    assert lab.wandb("agent", sweep_id).wait(60) == 0
    (run,) = lab.runs(sweep_id)
    assert run["state"] == "finished"
    assert os.stat(lab.place / ".netrc").st_mode & 0o077 == 0


def test_example_is_worked_on_by_both_agents(lab: WandbLab) -> None:
    example = Path(__file__).parents[2] / "examples" / "wandb"
    for path in example.iterdir():
        if path.is_file():
            shutil.copy(path, lab.project)
    lab.open()
    words = lab.done("sweep", "sweep_config.yaml")
    sweep_id = words.split("Creating sweep with ID: ")[1].split()[0]
    assert lab.wandb("agent", "--count", "2", sweep_id).wait(60) == 0
    lab.cli("agent", sweep_id)
    runs = lab.runs(sweep_id)
    assert [run["state"] for run in runs] == ["finished"] * 4
    assert all(run["summary"]["epoch"] == 9 for run in runs)
    (sweep,) = lab.json("ls")
    assert sweep["best"]["value"] > 0.9


@pytest.mark.parametrize("release", ["0.18.7", "0.22.0"])
def test_older_releases_work_through_a_sweep_and_its_verbs(lab: WandbLab, release: str) -> None:
    lab.interpreter = environment_of(release)
    lab.environment["PATH"] = f"{Path(lab.interpreter).parent}{os.pathsep}{lab.environment['PATH']}"
    lab.open()
    lab.make_gate()
    sweep_id = lab.sweep(4)
    agent = lab.wandb("agent", sweep_id)
    world = lab.until(one_at_the_gate(sweep_id))
    (first,) = world.runs_of[sweep_id]
    lab.done("sweep", "--pause", sweep_id)
    lab.cli("stop", first)
    lab.until(lambda world: state_of(world, first) is RunState.KILLED)
    lab.done("sweep", "--resume", sweep_id)
    world = lab.until(one_at_the_gate(sweep_id))
    second = list(world.runs_of[sweep_id])[1]
    lab.done("sweep", "--cancel", sweep_id)
    assert agent.wait(60) == 0
    lab.until(lambda world: state_of(world, second) is RunState.KILLED)
    lab.open_gate()
    finished = lab.sweep(1)
    assert lab.wandb("agent", finished).wait(60) == 0
    (run,) = lab.runs(finished)
    assert lab.losses(run["id"]) == expected_losses(0)
    log = (lab.home.logs / "controller.log").read_text()
    assert "not served" not in log
    assert "refused" not in log


def environment_of(release: str) -> str:
    """An environment of its own for a release of the client, made once."""
    place = Path(__file__).parents[2] / ".stamps" / f"wandb-{release}"
    python = place / "bin" / "python"
    if not (place / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        install = ["-m", "pip", "install", "--quiet", f"wandb=={release}", "setuptools<80"]
        subprocess.run([str(python), *install], check=True)
        (place / "ready").touch()
    return str(python)
