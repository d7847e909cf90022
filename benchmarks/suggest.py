"""What a suggestion costs: CPU on one core, and memory, after 50 to 5,000 runs, beside W&B's and Optuna's.

Each engine is a process of its own that is told of the same runs (random configs of the problem `training`,
8 mixed parameters) and asked ten times; CPU is the process's own, from the kernel, so that a busy machine
changes it little. Memory is the most the process ever held, its libraries included. Optuna's Gaussian
process is left out where it would take minutes. Then a grid of 10^12 cells: its size and its next cell.

    python benchmarks/suggest.py [--engines ours,wandb,tpe,gp] [--runs 50,200,1000,5000]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import numpy as np

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from search_engine import Engine  # noqa: E402
from search_peers import Peer  # noqa: E402
from search_problems import Problem, synthetic  # noqa: E402

from controller.domain.sweeps import Method, SweepConfig  # noqa: E402
from controller.search.propose import Request, propose  # noqa: E402
from controller.search.sizes import count  # noqa: E402

N_ASKS = 10
SLOW = {"gp": 1000}
"""Runs up to which an engine is asked at all."""


def history(problem: Problem, n: int) -> list[list[Any]]:
    """Return `n` random configs with their values."""
    draws, dice = Engine(problem.params, problem.cond, 1, Method.RANDOM), np.random.default_rng(1)
    asked = (draws.ask() for _ in range(n))
    return [[config[1], problem.loss(config[1], dice)] for config in asked if config]


def suggestion(name: str, problem: Problem, runs: list[list[Any]]) -> tuple[float, float]:
    """Return milliseconds of CPU a suggestion, and megabytes."""
    peer = Peer(name)
    peer.say(op="init", params=problem.params, cond=problem.cond, seed=0)
    peer.say(op="load", history=runs)
    peer.say(op="ask")  # loads libraries, makes tables
    before = peer.cpu()
    for _ in range(N_ASKS):
        peer.say(op="ask")
    result = (peer.cpu() - before) / N_ASKS * 1000, peer.most_memory()
    peer.end()
    return result


def grid() -> tuple[float, float]:
    """Return milliseconds for the size of a grid of 10^12 cells, and for a cell in its middle."""
    params = {f"p{i:02}": {"values": list(range(10))} for i in range(12)}
    space = Engine(params, {}, 0, Method.GRID).space
    start = time.process_time()
    assert count(space) == 10**12
    sized = time.process_time() - start
    config = SweepConfig(method=Method.GRID, parameters=space)
    start = time.process_time()
    for number in range(100):
        propose(Request(config=config, n=1, first_number=5 * 10**11 + number, observations=(), pending=()))
    return sized * 1000, (time.process_time() - start) * 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engines", default="ours,wandb,tpe,gp")
    parser.add_argument("--runs", default="50,200,1000,5000")
    args = parser.parse_args()
    problem = next(p for p in synthetic() if p.name == "training")
    for n in map(int, args.runs.split(",")):
        runs = history(problem, n)
        for name in args.engines.split(","):
            if n <= SLOW.get(name, n):
                cost, memory = suggestion(name, problem, runs)
                print(f"{n:5d} runs  {name:6s} {cost:8.1f} ms CPU a suggestion  {memory:5.0f} MB", flush=True)
    print("a grid of 10^12 cells: {:.2f} ms for its size, {:.3f} ms a cell".format(*grid()))


if __name__ == "__main__":
    main()
