"""Runs dispatched per second: a grid of programs that do nothing, two agents, a controller of its own.

    python benchmarks/dispatch.py [N_RUNS] [N_AGENTS]

The limit it is compared with, measured in the same run: a plain loop in as many processes as there are
agents that only starts the same program and waits for it. Figures are medians over rounds.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from multiprocessing import Process
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.system.lab import Lab

ROUNDS = 3
PROGRAM = "/bin/true"


def ours(n_runs: int, n_agents: int) -> float:
    """Return seconds per run from the first start to the last end, as the controller recorded them."""
    lab = Lab()
    try:
        lab.start_controller()
        sweep_id = lab.register(n_runs, command=[PROGRAM])
        agents = [lab.spawn("agent", sweep_id) for _ in range(n_agents)]
        for agent in agents:
            agent.communicate(timeout=600)
        runs = lab.json("runs", sweep_id)
        assert len(runs) == n_runs, len(runs)
        assert {run["state"] for run in runs} == {"finished"}
        return (max(run["ended_at"] for run in runs) - min(run["started_at"] for run in runs)) / n_runs
    finally:
        lab.close()


def _loop(n: int) -> None:
    for _ in range(n):
        subprocess.run([PROGRAM], check=True)


def limit(n_runs: int, n_agents: int) -> float:
    """Return seconds per program of bare loops in parallel."""
    loops = [Process(target=_loop, args=(n_runs // n_agents,)) for _ in range(n_agents)]
    began = time.perf_counter()
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join()
    return (time.perf_counter() - began) / n_runs


def main() -> None:
    n_runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    n_agents = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    pairs = [(ours(n_runs, n_agents), limit(n_runs, n_agents)) for _ in range(ROUNDS)]
    own = statistics.median(pair[0] for pair in pairs)
    bare = statistics.median(pair[1] for pair in pairs)
    ratio = statistics.median(pair[0] / pair[1] for pair in pairs)
    print(f"{n_runs} no-op runs, {n_agents} agents, median of {ROUNDS} rounds")
    print(f"tui-sweeps   {own * 1e3:7.2f} ms a run   {1 / own:7.0f} runs/s")
    print(f"bare loops   {bare * 1e3:7.2f} ms a run   {1 / bare:7.0f} runs/s   ratio {ratio:.1f}")


if __name__ == "__main__":
    main()
