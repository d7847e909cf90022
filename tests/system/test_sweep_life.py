"""A real sweep from registering to its end: real controller, real agents, real programs."""

from __future__ import annotations

import signal
from collections import Counter

import pytest

from controller.domain.states import RUN_ACTIVE, RunState, SweepState
from controller.domain.world import World
from tests.system.lab import Lab, alive


def is_finished(sweep_id: str):  # type: ignore[no-untyped-def]
    return lambda world: world.sweeps[sweep_id].state is SweepState.FINISHED and not world.agents_of[sweep_id]


def n_waiting(world: World, sweep_id: str) -> int:
    """Runs that stand at the gate: they logged their first five points and printed their line."""
    runs = [world.runs[run_id] for run_id in world.runs_of[sweep_id]]
    return sum(run.state in RUN_ACTIVE and run.n_points == 5 and run.n_log_lines > 0 for run in runs)


def test_run_executes_every_cell_exactly_once(lab: Lab) -> None:
    out = lab.cli("run", str(lab.sweep_file(7)), "--agents", "2")
    assert "x: 0" in out
    (sweep,) = lab.json("ls")
    assert sweep["state"] == "finished"
    assert lab.cli("ls").splitlines()[1].endswith("  all runs done")
    assert sweep["n_runs"]["finished"] == 7
    runs = lab.json("runs", sweep["id"])
    assert [run["number"] for run in runs] == list(range(1, 8))
    assert sorted(run["config"]["x"] for run in runs) == list(range(7))
    assert {run["state"] for run in runs} == {"finished"}
    assert Counter(line[1] for line in lab.witness() if line[0] == "start") == Counter(map(str, range(7)))
    assert sweep["best"]["config"] == {"x": 0}


def test_what_a_run_logged_and_printed_arrives_whole(lab: Lab) -> None:
    lab.cli("run", str(lab.sweep_file(1)))
    (sweep,) = lab.json("ls")
    (run,) = lab.json("runs", sweep["id"])
    rows = [eval(line) for line in lab.cli("history", run["id"], "--json").splitlines()]
    assert [row["_step"] for row in rows] == list(range(10))
    assert [row["loss"] for row in rows] == [1.0 / (step + 1) for step in range(10)]
    assert lab.cli("logs", run["id"]) == "x is 0\n"
    shown = lab.json("show", run["id"])
    assert shown["argv"][-1] == "--x=0"
    assert shown["attempts"][0]["state"] == "finished"


def test_pause_lets_running_runs_go_on_and_resume_takes_the_rest(lab: Lab) -> None:
    lab.make_gate()
    sweep_id = lab.register(4)
    lab.spawn("agent", sweep_id)
    lab.until(lambda world: n_waiting(world, sweep_id) == 1)
    lab.cli("sweep", "--pause", sweep_id)
    lab.open_gate()
    world = lab.until(lambda world: world.counts_of[sweep_id][RunState.FINISHED] == 1)
    assert world.sweeps[sweep_id].state is SweepState.PAUSED
    assert lab.json("watch", sweep_id, "--once")["n_runs"]["finished"] == 1
    lab.cli("sweep", "--resume", sweep_id)
    world = lab.until(is_finished(sweep_id))
    assert world.counts_of[sweep_id][RunState.FINISHED] == 4


def test_stop_lets_running_runs_finish_and_agents_leave(lab: Lab) -> None:
    lab.make_gate()
    sweep_id = lab.register(4)
    agent = lab.spawn("agent", sweep_id)
    lab.until(lambda world: n_waiting(world, sweep_id) == 1)
    lab.cli("sweep", "--stop", sweep_id)
    lab.open_gate()
    assert agent.wait(30) == 0
    world = lab.until(lambda world: not world.agents_of[sweep_id])
    assert world.sweeps[sweep_id].state is SweepState.STOPPED
    assert dict(world.counts_of[sweep_id])[RunState.FINISHED] == 1
    asked = world.sweeps[sweep_id].asked
    assert asked is not None
    assert asked.obeyed_at is not None
    assert "possible now: resume" in refusal(lab, "sweep", "--pause", sweep_id)


def refusal(lab: Lab, *argv: str) -> str:
    lab.cli(*argv, code=1)
    return lab.last_err


def test_cancel_kills_the_whole_tree_at_once(lab: Lab) -> None:
    lab.write(
        "program.py",
        """
        import os, signal, subprocess, sys
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sleeper = [sys.executable, "-S", "-c", "import signal; signal.pause()"]
        child = subprocess.Popen(sleeper, start_new_session=True)
        if os.fork() == 0:
            if os.fork() == 0:
                os.setsid()
                with open("pids", "a") as pids:
                    pids.write(f"{os.getpid()} {child.pid} {os.getppid()}\\n")
                print("ready", flush=True)
                signal.pause()
            os._exit(0)
        signal.pause()
        """,
    )
    sweep_id = lab.register(2)
    agent = lab.spawn("agent", sweep_id)
    world = lab.until(lambda world: any(run.n_log_lines for run in world.runs.values()))
    (run,) = world.runs.values()
    pids = [int(pid) for pid in (lab.project / "pids").read_text().split()[:2]]
    assert run.pid is not None
    assert all(map(alive, [*pids, run.pid]))
    lab.cli("sweep", "--cancel", sweep_id)
    assert agent.wait(30) == 0
    assert not any(map(alive, [*pids, run.pid]))
    world = lab.until(lambda world: not world.agents_of[sweep_id])
    assert world.sweeps[sweep_id].state is SweepState.CANCELLED
    killed = world.runs[run.id]
    assert (killed.state, killed.cause) == (RunState.KILLED, "cancelled")
    assert len(world.runs) == 1


def test_stop_of_one_run_lets_its_agent_take_the_next(lab: Lab) -> None:
    lab.make_gate()
    sweep_id = lab.register(2)
    agent = lab.spawn("agent", sweep_id)
    world = lab.until(lambda world: n_waiting(world, sweep_id) == 1)
    (first,) = world.runs.values()
    lab.cli("stop", first.id)
    world = lab.until(lambda world: n_waiting(world, sweep_id) == 1 and len(world.runs) == 2)
    stopped = world.runs[first.id]
    assert (stopped.state, stopped.cause, stopped.signal) == (RunState.KILLED, "stopped", 15)
    assert stopped.stop_obeyed_at is not None
    lab.open_gate()
    assert agent.wait(30) == 0
    world = lab.until(is_finished(sweep_id))
    lab.cli("retry", first.id)
    lab.cli("agent", sweep_id)
    world = lab.until(is_finished(sweep_id))
    assert world.runs[first.id].state is RunState.FINISHED
    assert world.runs[first.id].attempt == 2
    assert len(world.runs) == 2


def test_count_makes_an_agent_leave_after_so_many_runs(lab: Lab) -> None:
    sweep_id = lab.register(3)
    lab.cli("agent", "--count", "2", f"local/uncategorized/{sweep_id}")
    (sweep,) = lab.json("ls")
    assert sweep["n_runs"]["finished"] == 2
    assert sweep["state"] == "running"
    assert sweep["n_agents"] == 0


def test_failures_open_the_breaker_and_show_the_log(lab: Lab) -> None:
    lab.write("program.py", "print('no such dataset'); raise SystemExit(3)")
    lab.cli("run", str(lab.sweep_file(40)), "--agents", "1", code=1)
    assert "no such dataset" in lab.last_err
    assert "breaker" in lab.last_err
    (sweep,) = lab.json("ls")
    assert sweep["state"] in ("paused", "failed")
    assert sweep["n_runs"]["failed"] <= 5
    assert {run["exit_code"] for run in lab.json("runs", sweep["id"])} == {3}


def test_a_raised_cap_and_resume_give_an_ended_sweep_more_runs(lab: Lab) -> None:
    sweep_id = lab.register(5, run_cap=2)
    lab.cli("agent", sweep_id)
    world = lab.until(is_finished(sweep_id))
    assert len(world.runs) == 2
    assert "run_cap" in refusal(lab, "sweep", "--resume", sweep_id)
    lab.cli("sweep", "--run-cap", "3", sweep_id)
    lab.cli("sweep", "--resume", sweep_id)
    lab.cli("agent", sweep_id)
    world = lab.until(is_finished(sweep_id))
    assert sorted(run.config["x"] for run in world.runs.values()) == [0, 1, 2]


@pytest.mark.parametrize("command", ["run", "agent"])
def test_ctrl_c_ends_the_runs_and_is_told_by_the_exit_code(lab: Lab, command: str) -> None:
    lab.make_gate()
    lab.start_controller()
    argument = str(lab.sweep_file(2)) if command == "run" else lab.register(2)
    process = lab.spawn(command, argument)
    world = lab.until(lambda world: any(n_waiting(world, sweep_id) for sweep_id in world.sweeps))
    (sweep_id,) = world.sweeps
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err.decode()
    assert b"Traceback" not in err
    world = lab.until(lambda world: not world.open_of[sweep_id])
    assert world.counts_of[sweep_id][RunState.KILLED] == 1
