"""The unmodified client against a real controller, over TLS. Nothing here needs more than loopback.

Long stories first: they are told at once, a few at a time.
"""

from __future__ import annotations

import contextlib
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
