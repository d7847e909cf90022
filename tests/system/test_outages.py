"""What happens when parts die: nothing is lost and nothing happens twice."""

from __future__ import annotations

import os
import signal
from collections import Counter

from controller.domain.states import RunState, SweepState
from tests.system.lab import Lab, alive
from tests.system.test_sweep_life import is_finished, n_waiting


def histories(lab: Lab, sweep_id: str) -> dict[str, int]:
    return {
        run["name"]: len(lab.cli("history", run["id"], "--json").splitlines())
        for run in lab.json("runs", sweep_id)
    }


def test_kill_of_the_controller_loses_and_doubles_nothing(lab: Lab) -> None:
    first = lab.start_controller()
    lab.make_gate()
    sweep_id = lab.register(6)
    agents = [lab.spawn("agent", sweep_id) for _ in range(2)]
    lab.until(lambda world: n_waiting(world, sweep_id) == 2)
    first.kill()
    first.wait()
    lab.open_gate()  # training goes on without the controller
    lab.start_controller()
    assert [agent.wait(60) for agent in agents] == [0, 0]
    world = lab.until(is_finished(sweep_id))
    assert world.counts_of[sweep_id][RunState.FINISHED] == 6
    assert {run.attempt for run in world.runs.values()} == {1}
    assert Counter(line[1] for line in lab.witness() if line[0] == "start") == Counter(map(str, range(6)))
    assert set(histories(lab, sweep_id).values()) == {10}


def test_kill_of_an_agent_kills_its_run_and_hands_the_config_out_again(lab: Lab) -> None:
    lab.make_gate()
    sweep_id = lab.register(2)
    lab.cli("sweep", "--pause", sweep_id)
    lab.cli("sweep", "--resume", sweep_id)
    launched(lab, sweep_id)
    world = lab.until(lambda world: n_waiting(world, sweep_id) == 1)
    (run,) = world.runs.values()
    (agent,) = world.agents.values()
    assert run.pid is not None
    os.kill(agent.pid, signal.SIGKILL)
    world = lab.until(lambda world: world.runs[run.id].state is RunState.CRASHED)
    assert world.runs[run.id].queued
    assert not alive(run.pid)
    lab.open_gate()
    lab.cli("agent", sweep_id)
    world = lab.until(is_finished(sweep_id))
    assert world.runs[run.id].attempt == 2
    assert world.counts_of[sweep_id][RunState.FINISHED] == 2
    assert set(histories(lab, sweep_id).values()) == {10}


def launched(lab: Lab, sweep_id: str) -> None:
    """Have the controller start an agent of its own."""
    import asyncio

    from controller.client.connection import connect
    from controller.domain.commands import LaunchAgents
    from controller.domain.replies import Accepted

    async def launch() -> None:
        client = connect(lab.home)
        try:
            assert isinstance(await client.send(LaunchAgents(sweep_id=sweep_id)), Accepted)
        finally:
            await client.close()

    asyncio.run(launch())


def test_a_second_controller_refuses_and_says_who_owns_the_home(lab: Lab) -> None:
    first = lab.start_controller()
    lab.cli("controller", "run", code=1)
    assert f"pid {first.pid}" in lab.last_err
    assert lab.json("controller", "status")["pid"] == first.pid
    lab.cli("controller", "stop")
    assert first.wait(10) == 0
    lab.cli("controller", "status", code=75)


def test_a_controller_that_is_asked_to_end_leaves_agents_at_work(lab: Lab) -> None:
    lab.start_controller()
    lab.make_gate()
    sweep_id = lab.register(2)
    agent = lab.spawn("agent", sweep_id)
    lab.until(lambda world: n_waiting(world, sweep_id) == 1)
    lab.cli("controller", "stop")
    assert agent.poll() is None
    lab.start_controller()
    lab.open_gate()
    assert agent.wait(60) == 0
    world = lab.until(is_finished(sweep_id))
    assert world.sweeps[sweep_id].state is SweepState.FINISHED
    assert set(histories(lab, sweep_id).values()) == {10}
