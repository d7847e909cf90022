"""The unmodified client against a real controller, over TLS. Nothing here needs more than loopback.

Long stories first: they are told at once, a few at a time.
"""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from controller.domain.states import RunState, SweepState
from controller.wandb_api.certificate import server_context
from tests.wandb_api.day import at_once
from tests.wandb_api.lab import Desk, WandbLab, expected_losses, one_at_the_gate, state_of
from tests.wandb_api.releases import python_with

OUTAGE_S = 30.0


def through_an_outage(silent_s: float) -> None:
    """Take the controller away; after a while the program goes on and ends without it."""
    lab = WandbLab()  # its controller is killed: not the one the others work at
    lab.wait_s = 240.0  # the client tries again after up to a minute
    try:
        controller = lab.open()
        lab.make_gate()
        sweep_id = lab.sweep(2)
        agent = lab.wandb("agent", sweep_id)
        lab.until(one_at_the_gate(sweep_id))
        controller.send_signal(signal.SIGKILL)
        controller.wait(10)
        time.sleep(silent_s)
        lab.open_gate()
        time.sleep(OUTAGE_S - silent_s)
        lab.listen()
        lab.left(agent)
        runs = lab.runs(sweep_id)
        assert [(run["state"], run["attempt"]) for run in runs] == [("finished", 1), ("finished", 1)]
        for run in runs:
            x = run["config"]["x"]
            assert lab.losses(run["id"]) == expected_losses(x)
            assert lab.cli("logs", run["id"]) == f"x is {x} epochs 4\n"
    finally:
        lab.close()


@at_once
def test_controller_away_for_half_a_minute_costs_nothing(desk: Desk) -> None:
    # The client waits twice as long after each try, up to a minute: what it tries late, it soon tries again.
    through_an_outage(OUTAGE_S - 5.0)


@pytest.mark.torture
@at_once
def test_program_that_reports_all_through_an_outage_loses_nothing(desk: Desk) -> None:
    through_an_outage(0.0)


@pytest.mark.torture
@at_once
def test_controller_killed_whenever_a_run_is_handed_out_lets_no_agent_hang(desk: Desk) -> None:
    lab = WandbLab()
    lab.wait_s = 300.0
    try:
        controller = lab.open()
        sweep_id = lab.sweep(4)
        agents = [lab.wandb("agent", sweep_id) for _ in range(2)]
        for n in range(1, 4):
            lab.until(lambda world, n=n: any(a.token >= n for a in world.attempts.values()))  # type: ignore[misc]
            controller.send_signal(signal.SIGKILL)  # the answer may be on its way, or may never be
            controller.wait(10)
            controller = lab.listen()
        lab.left(*agents)
        runs = lab.runs(sweep_id)
        assert sorted(run["config"]["x"] for run in runs) == [0, 1, 2, 3]
        for run in runs:
            assert run["state"] == "finished"
            assert lab.losses(run["id"]) == expected_losses(run["config"]["x"])
    finally:
        lab.close()


def through_a_sweep_and_its_verbs(desk: Desk, release: str) -> None:
    desk.use(python_with(release))
    desk.make_gate()
    sweep_id = desk.sweep(4)
    agent = desk.wandb("agent", sweep_id)
    world = desk.until(one_at_the_gate(sweep_id))
    (first,) = world.runs_of[sweep_id]
    desk.done("sweep", "--pause", sweep_id)
    desk.cli("stop", first)
    desk.until(lambda world: state_of(world, first) is RunState.KILLED)
    desk.done("sweep", "--resume", sweep_id)
    world = desk.until(one_at_the_gate(sweep_id))
    second = list(world.runs_of[sweep_id])[1]
    desk.done("sweep", "--cancel", sweep_id)
    desk.left(agent)
    desk.until(lambda world: state_of(world, second) is RunState.KILLED)
    desk.open_gate()
    finished = desk.sweep(1)
    desk.left(desk.wandb("agent", finished))
    (run,) = desk.runs(finished)
    assert desk.losses(run["id"]) == expected_losses(0)


@at_once
def test_release_0_22_0_works_through_a_sweep_and_its_verbs(desk: Desk) -> None:
    through_a_sweep_and_its_verbs(desk, "0.22.0")


@pytest.mark.torture
@at_once
def test_release_0_18_7_works_through_a_sweep_and_its_verbs(desk: Desk) -> None:
    through_a_sweep_and_its_verbs(desk, "0.18.7")


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
def test_pause_resume_stop_of_one_run_and_cancel(desk: Desk) -> None:
    desk.make_gate()
    sweep_id = desk.sweep(4)
    agent = desk.wandb("agent", sweep_id)
    world = desk.until(one_at_the_gate(sweep_id))
    (first,) = world.runs_of[sweep_id]
    desk.done("sweep", "--pause", sweep_id)
    desk.cli("stop", first)
    world = desk.until(lambda world: state_of(world, first) is RunState.KILLED)
    assert world.sweeps[sweep_id].state is SweepState.PAUSED
    assert world.runs[first].cause == "stopped"
    desk.done("sweep", "--resume", sweep_id)
    world = desk.until(one_at_the_gate(sweep_id))
    second = list(world.runs_of[sweep_id])[1]
    desk.done("sweep", "--cancel", sweep_id)
    desk.left(agent)
    world = desk.until(lambda world: state_of(world, second) is RunState.KILLED)
    assert world.sweeps[sweep_id].state is SweepState.CANCELLED
    assert world.runs[second].cause == "cancelled"
    assert len(world.runs_of[sweep_id]) == 2


class Stranger:
    """Somebody who took our port and has a certificate, but not ours."""

    def __init__(self, place: Path) -> None:
        self._tls = server_context(place, "127.0.0.1")
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listening.getsockname()[1]}"
        self.n_callers = 0
        self.heard = b""
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.n_callers += 1
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(5.0)
                    with self._tls.wrap_socket(connection, server_side=True) as secured:
                        self.heard += secured.recv(65536)

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@at_once
def test_stranger_who_took_our_port_hears_no_key(desk: Desk) -> None:
    stranger = Stranger(desk.place / "tls")
    try:
        words = desk.done("sweep", str(desk.sweep_file(1)), code=1, WANDB_BASE_URL=stranger.url)
    finally:
        stranger.close()
    assert stranger.n_callers > 0
    assert stranger.heard == b"", words


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
def test_stop_lets_the_running_run_finish_and_the_agent_leave(desk: Desk) -> None:
    desk.make_gate()
    sweep_id = desk.sweep(4)
    agent = desk.wandb("agent", sweep_id)
    desk.until(one_at_the_gate(sweep_id))
    desk.done("sweep", "--stop", sweep_id)
    desk.open_gate()
    desk.left(agent)
    world = desk.until(lambda world: not world.agents_of[sweep_id])
    assert world.sweeps[sweep_id].state is SweepState.STOPPED
    assert world.counts_of[sweep_id][RunState.FINISHED] == len(world.runs_of[sweep_id]) == 1


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
