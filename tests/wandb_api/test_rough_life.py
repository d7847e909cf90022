"""The unmodified client where life is rough: deaf programs, wrappers, preemption, logins."""

from __future__ import annotations

import json
import os

import pytest

from controller.domain.states import RunState
from tests.system.lab import alive
from tests.wandb_api.day import at_once
from tests.wandb_api.lab import Desk, one_at_the_gate, state_of

pytestmark = pytest.mark.torture


@at_once
def test_program_deaf_to_sigterm_is_killed_after_the_delay(desk: Desk) -> None:
    desk.write(
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
    sweep_id = desk.sweep(1)
    desk.wandb("agent", sweep_id, WANDB_AGENT_KILL_DELAY="3")
    world = desk.until(one_at_the_gate(sweep_id))
    (run_id,) = world.runs_of[sweep_id]
    desk.cli("stop", run_id)
    desk.until(lambda world: state_of(world, run_id) is RunState.KILLED)
    (pid,) = map(int, (desk.project / "pids").read_text().split())
    assert not alive(pid)


@at_once
def test_training_behind_a_shell_wrapper_is_told_to_stop_by_its_own_stream(desk: Desk) -> None:
    desk.make_gate()
    desk.write("wrapper.sh", "#!/bin/bash\npython program.py\ntrue\n").chmod(0o755)
    desk.write(
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
    sweep_id = desk.sweep(1, program="wrapper.sh", command=["${env}", "bash", "${program}"])
    desk.wandb("agent", sweep_id)
    world = desk.until(one_at_the_gate(sweep_id))
    (run_id,) = world.runs_of[sweep_id]
    desk.cli("stop", run_id)
    desk.until(lambda world: state_of(world, run_id) is RunState.KILLED)
    desk.wait_for(lambda: (desk.project / "ended").exists())


@at_once
def test_preempted_run_comes_back_under_its_own_id_and_resumes(desk: Desk) -> None:
    desk.write(
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
    sweep_id = desk.sweep(1)
    desk.left(desk.wandb("agent", sweep_id))
    (run,) = desk.runs(sweep_id)
    assert (run["state"], run["attempt"]) == ("finished", 2)
    rows = [json.loads(line) for line in desk.cli("history", run["id"], "--json").splitlines()]
    assert [(row["_step"], row["loss"]) for row in rows] == [(step, step) for step in range(10)]
    assert desk.cli("logs", run["id"]) == "starts at 5\n"


@at_once
def test_login_once_replaces_the_exports(desk: Desk) -> None:
    key = desk.environment.pop("WANDB_API_KEY")
    url = desk.environment.pop("WANDB_BASE_URL")
    desk.done("login", "--host", url, key)
    sweep_id = desk.sweep(1)
    desk.left(desk.wandb("agent", sweep_id))
    (run,) = desk.runs(sweep_id)
    assert run["state"] == "finished"
    assert os.stat(desk.place / ".netrc").st_mode & 0o077 == 0


@at_once
def test_agent_that_left_by_count_blocks_nothing(desk: Desk) -> None:
    sweep_id = desk.sweep(2)
    desk.left(desk.wandb("agent", "--count", "1", sweep_id))
    desk.left(desk.wandb("agent", sweep_id))
    assert [run["state"] for run in desk.runs(sweep_id)] == ["finished", "finished"]
    (sweep,) = [sweep for sweep in desk.json("ls") if sweep["id"] == sweep_id]
    assert sweep["state"] == "finished"
