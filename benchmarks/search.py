"""Search engines side by side: ours, W&B's, Optuna's TPE and Gaussian process, random.

Prints median regret per problem and the mean regret normalised so that random is 1 and the optimum 0,
writes one row per problem, engine, seed and number of runs to results/search.csv and a picture beside
it, after each problem. What was measured before is kept: an engine is run again, on the problems and
with the agents that are named, only with `--again ENGINE`.

    python benchmarks/search.py [--engines ours,random,wandb,tpe,gp] [--problems NAME,...|synthetic|real]
        [--seeds 10] [--agents 1,8] [--budget 120] [--family train|check|all] [--again ours] [--jobs 2]
"""

from __future__ import annotations

import argparse
import csv
import functools
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # costs are per core, and two jobs share the machine

import numpy as np  # noqa: E402

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import search_problems  # noqa: E402
import search_tables  # noqa: E402
from search_engine import Engine  # noqa: E402
from search_peers import CACHE, RIVALS, Peer, rivals_python  # noqa: E402
from search_problems import Problem  # noqa: E402
from search_report import MARKS, picture, report  # noqa: E402

from controller.domain.sweeps import Method  # noqa: E402

RESULTS = HERE / "results" / "search.csv"
FIELDS = ("problem", "kind", "family", "agents", "engine", "seed", "runs", "regret", "failed", "seconds")


_rivals_peer = functools.cache(Peer)
"""The process of a rival: it stays for the next problem, for loading torch takes seconds."""


class Rival:
    """An engine in another process, at one problem."""

    def __init__(self, name: str, problem: Problem, seed: int) -> None:
        self._say = _rivals_peer(name).say
        self._say(op="init", params=problem.params, cond=problem.cond, seed=seed)

    def ask(self) -> tuple[int, dict[str, Any]]:
        """Return the next config with its number."""
        answer = self._say(op="ask")
        return answer["id"], answer["config"]

    def tell(self, number: int, config: dict[str, Any], value: float | None, state: str) -> None:
        """Take in how a run ended."""
        self._say(op="tell", id=number, value=value)


def run(name: str, problem: Problem, agents: int, seed: int, budget: int) -> list[dict[str, Any]]:
    """Run one engine on one problem with `agents` at once, until `budget` results; return a row per mark."""
    if name in ("ours", "random"):
        method = Method.BAYES if name == "ours" else Method.RANDOM
        engine: Any = Engine(problem.params, problem.cond, seed, method)
    else:
        engine = Rival(name, problem, seed)
    dice = np.random.default_rng([seed, 99])
    open_runs: list[tuple[int, dict[str, Any], float | None]] = []
    best, n_failed, asked, seconds, ended = float("inf"), 0, 0, 0.0, False
    rows, worst = [], None
    for done in range(1, budget + 1):
        while len(open_runs) < agents and not ended:  # also near the end: a sweep's agents go on asking
            start = time.process_time() if name in ("ours", "random") else time.perf_counter()
            answer = engine.ask()
            seconds += (time.process_time() if name in ("ours", "random") else time.perf_counter()) - start
            if answer is None:
                ended = True
                break
            asked += 1
            open_runs.append((*answer, problem.loss(answer[1], dice)))
        if open_runs:
            number, config, value = open_runs.pop(int(dice.integers(len(open_runs))))
            engine.tell(number, config, value, "failed" if value is None else "finished")
            if value is None:
                n_failed += 1
            else:
                regret = problem.truth(config) - problem.best
                worst = regret if worst is None else max(worst, regret)
                best = min(best, regret)
        if done in MARKS or done == budget:
            rows.append(dict(zip(FIELDS, (
                problem.name, problem.kind, problem.family, agents, name, seed, done,
                max(best, 0.0), n_failed / done, seconds / max(asked, 1),
            ), strict=True)))  # fmt: skip
    return rows


def _job(name: str, problem_name: str, agents: int, seed: int, budget: int) -> list[dict[str, Any]]:
    return run(name, _problems()[problem_name], agents, seed, budget)


def _problems() -> dict[str, Problem]:
    CACHE.mkdir(parents=True, exist_ok=True)
    return {p.name: p for p in [*search_problems.synthetic(), *search_tables.real(CACHE)]}


def load() -> dict[tuple[str, ...], dict[str, Any]]:
    """Return earlier results by problem, agents, engine, seed and runs."""
    if not RESULTS.exists():
        return {}
    with RESULTS.open() as file:
        return {_key(row): row for row in csv.DictReader(file)}


def _key(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in ("problem", "agents", "engine", "seed", "runs"))


def save(rows: dict[tuple[str, ...], dict[str, Any]]) -> None:
    """Write all results, in a stable order."""
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        for key in sorted(rows):
            row = dict(rows[key])
            row["regret"] = f"{float(row['regret']):.6g}"
            row["failed"], row["seconds"] = f"{float(row['failed']):.3f}", f"{float(row['seconds']):.4f}"
            writer.writerow(row)


def keep(
    fresh: dict[tuple[str, ...], dict[str, Any]], stale: set[tuple[str, ...]]
) -> dict[tuple[str, ...], dict[str, Any]]:
    """Save `fresh` in place of `stale` beside all else, which another run may have saved; return all."""
    rows = {key: row for key, row in load().items() if key not in stale} | fresh
    save(rows)
    return rows


def _stale(again: set[str], problems: set[str], agents: set[str]) -> set[tuple[str, ...]]:
    """Return the keys of the earlier results that are to be measured anew."""
    rows = load()
    return {
        key
        for key, row in rows.items()
        if row["engine"] in again and row["problem"] in problems and row["agents"] in agents
    }


def _chosen(args: argparse.Namespace) -> Iterator[Problem]:
    words = args.problems.split(",") if args.problems else []
    for problem in _problems().values():
        if args.family != "all" and problem.family != args.family:
            continue
        if not words or problem.name in words or problem.kind in words:
            yield problem


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engines", default="ours,random,wandb,tpe,gp")
    parser.add_argument("--problems", default="")
    parser.add_argument("--family", default="all")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--agents", default="1,8")
    parser.add_argument("--budget", type=int, default=120)
    parser.add_argument("--again", default="")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    engines = args.engines.split(",")
    problems = list(_chosen(args))
    stale = _stale(set(args.again.split(",")), {p.name for p in problems}, set(args.agents.split(",")))
    rows = {key: row for key, row in load().items() if key not in stale}
    fresh: dict[tuple[str, ...], dict[str, Any]] = {}
    for engine in set(engines) & set(RIVALS):
        rivals_python(engine)
    with ProcessPoolExecutor(args.jobs) as pool:
        jobs = {}
        for problem in problems:
            for agents in map(int, args.agents.split(",")):
                for engine in engines:
                    for seed in range(args.seeds):
                        if (problem.name, str(agents), engine, str(seed), str(args.budget)) not in rows:
                            job = pool.submit(_job, engine, problem.name, agents, seed, args.budget)
                            jobs[job] = (problem.name, engine)
        n_open = Counter(name for name, _ in jobs.values())
        for job in as_completed(jobs):
            name, engine = jobs[job]
            try:
                fresh.update({_key(row): row for row in job.result()})
            except Exception as error:
                print(f"{name}, {engine}: {error!r}", file=sys.stderr)
            n_open[name] -= 1
            if not n_open[name]:  # a run that is interrupted has lost the problems under way alone
                keep(fresh, stale)
    rows = keep(fresh, stale)
    for agents in map(int, args.agents.split(",")):
        report(rows, problems, engines, agents)
    (RESULTS.parent / "search.txt").write_text(picture(rows, engines))


if __name__ == "__main__":
    main()
