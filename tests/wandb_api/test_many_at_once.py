"""Unmodified agents at once against one controller: what each does must not touch the others.

One controller and one stretch of time, because most of it is the client's own waiting: it looks up every 5 s.
"""

from __future__ import annotations

import subprocess

import pytest

from controller.domain.states import RunState, SweepState
from tests.wandb_api.lab import WandbLab
from tests.wandb_api.test_real_client import one_at_the_gate

LEAVE_S = 200.0
"""Patience with agents on a loaded machine; they need a fifth of it."""

BURST = """
    import wandb
    run = wandb.init()
    for step in range(1500):
        run.log({f"m{i}": step * 0.001 + i for i in range(100)} | {"loss": step})
"""

FUNCTION = """
    import wandb
    def train():
        with wandb.init() as run:
            for step in range(3):
                run.log({"loss": run.config.x + step})
    sweep_id = wandb.sweep({"method": "grid", "parameters": {"x": {"values": [3]}}}, project="p")
    with open("function-sweep", "w") as file:
        file.write(sweep_id)
    wandb.agent(sweep_id, function=train)
"""


def left(agent: subprocess.Popen[bytes]) -> int:
    return agent.wait(LEAVE_S)


@pytest.mark.timeout(300)
def test_three_agents_with_different_lives_do_not_disturb_each_other(lab: WandbLab) -> None:
    lab.open()
    lab.make_gate()
    lab.write("burst.py", BURST)
    function = lab.write("function.py", FUNCTION)

    stopped = lab.sweep(4)
    stopped_agent = lab.wandb("agent", stopped)
    burst = lab.register(1, program="burst.py")
    burst_agent = lab.wandb("agent", burst)
    function_agent = lab.python(str(function))

    lab.until(one_at_the_gate(stopped))
    lab.done("sweep", "--stop", stopped)
    lab.open_gate()
    assert left(stopped_agent) == 0
    world = lab.until(lambda world: not world.agents_of[stopped])
    assert world.sweeps[stopped].state is SweepState.STOPPED
    assert world.counts_of[stopped][RunState.FINISHED] == len(world.runs_of[stopped]) == 1

    assert left(function_agent) == 0
    (run,) = lab.runs((lab.project / "function-sweep").read_text())
    assert (run["state"], run["config"]["x"]) == ("finished", 3)
    assert lab.losses(run["id"]) == [3.0, 4.0, 5.0]

    assert left(burst_agent) == 0
    (run,) = lab.runs(burst)
    assert run["state"] == "finished"
    assert lab.losses(run["id"]) == list(range(1500))
    assert run["summary"]["m99"] == 1499 * 0.001 + 99
