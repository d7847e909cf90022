"""How long a verdict of early termination takes beside 5,000 runs of 100 points, ours and W&B's.

    python benchmarks/hyperband.py [N_RUNS] [N_POINTS] [--wandb PYTHON]

PYTHON is an interpreter that has W&B's engine (`pip install sweeps==0.3.0` in an environment of its own);
both judge the same curves in the same session, turn by turn. Ours takes in one new point and judges; W&B's
is handed all histories at every call, as its service does, and judges everybody.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from controller.domain.sweeps import EarlyTermination
from controller.search.hyperband import Brackets

N_TURNS = 15

THEIRS = """
import json, logging, sys, time
logging.disable(logging.CRITICAL)
import sweeps
config, curves = json.loads(sys.stdin.readline())
runs = [sweeps.SweepRun(name=n, state="running", history=[{"loss": v} for v in c]) for n, c in curves.items()]
for _ in sys.stdin:
    began = time.perf_counter()
    stopped = sweeps.stop_runs(config, runs)
    print(json.dumps([time.perf_counter() - began, sorted(r.name for r in stopped)]), flush=True)
"""


class WandB:
    """W&B's engine in an interpreter of its own."""

    def __init__(self, python: str, early: EarlyTermination, curves: dict[str, list[float]]) -> None:
        config = {
            "method": "random",
            "parameters": {"a": {"values": [1, 2]}},
            "metric": {"name": "loss", "goal": "minimize"},
            "early_terminate": {
                "type": "hyperband", "min_iter": early.min_iter, "eta": early.eta, "strict": early.strict,
            },
        }  # fmt: skip
        self._process = subprocess.Popen(
            [python, "-W", "ignore", "-c", THEIRS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._tell(json.dumps([config, curves]))

    def turn(self) -> tuple[float, list[str]]:
        """Return the seconds of one call and who was stopped."""
        self._tell("go")
        assert self._process.stdout is not None
        took, stopped = json.loads(self._process.stdout.readline())
        return took, stopped

    def close(self) -> None:
        """End the interpreter."""
        self._process.communicate()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("n_runs", nargs="?", type=int, default=5000)
    parser.add_argument("n_points", nargs="?", type=int, default=100)
    parser.add_argument("--wandb", metavar="PYTHON")
    options = parser.parse_args()
    dice = random.Random(0)
    early = EarlyTermination(min_iter=3, eta=3, strict=True)
    curves = {f"r{i}": [dice.gauss(0, 1) for _ in range(options.n_points)] for i in range(options.n_runs)}
    brackets = Brackets(early, minimize=True)
    began = time.perf_counter()
    for name, values in curves.items():
        brackets.add(name, values)
    loaded_s = time.perf_counter() - began
    rival = WandB(options.wandb, early, curves) if options.wandb else None
    ours, theirs = [], []
    for _ in range(N_TURNS):
        if rival is not None:
            theirs.append(rival.turn())
        for name in dice.sample(sorted(curves), min(200, options.n_runs)):
            began = time.perf_counter()
            brackets.add(name, [dice.gauss(0, 1)])
            ours.append(time.perf_counter() - began)
    print(f"{options.n_runs:,} runs x {options.n_points} points; loading all {loaded_s:.2f} s")
    middle, worst = statistics.median(ours), max(ours)
    print(f"ours   median {middle * 1e3:8.4f} ms a verdict, worst of {len(ours)}: {worst * 1e3:.3f} ms")
    if rival is not None:
        rival.close()
        took = statistics.median(seconds for seconds, _ in theirs)
        mine = sorted(name for name in curves if (verdict := brackets.judge(name)) and verdict.stop)
        same = "the same verdicts" if mine == theirs[-1][1] else "OTHER verdicts"
        print(f"W&B    median {took * 1e3:8.1f} ms, {took / middle:,.0f} x ours; {same}")


if __name__ == "__main__":
    main()
