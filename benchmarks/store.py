"""How fast the store makes things durable and comes back, beside raw sqlite3 on the same disk.

Run: `python -m benchmarks.store [directory]`; the directory decides which disk is measured.
"""

from __future__ import annotations

import json
import math
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from controller.domain.changes import PointsRecord
from controller.domain.delta import Delta
from controller.domain.queries import GetCurves
from controller.domain.runs import Attempt, Point, Run
from controller.domain.states import AttemptState, RunState
from controller.domain.sweeps import Method, Sweep, SweepConfig
from controller.store import Store

N_POINTS = 400_000
N_PER_RECORD = 100
N_COMMITS = 3_000
N_CURVE = 1_000_000


def delta(
    runs: tuple[Run, ...] = (),
    attempts: tuple[Attempt, ...] = (),
    records: tuple[PointsRecord, ...] = (),
    sweeps: tuple[Sweep, ...] = (),
) -> Delta:
    return Delta(
        sweeps={sweep.id: sweep for sweep in sweeps},
        runs={run.id: run for run in runs},
        attempts={attempt.token: attempt for attempt in attempts},
        agents={},
        jobs={},
        shelves={},
        notes=(),
        records=records,
        last_token=0,
    )


def run_of(number: int) -> tuple[Run, Attempt]:
    run_id = f"r{number:07d}"
    run = Run(
        id=run_id,
        sweep_id="abcdefgh",
        number=number,
        name=f"bright-sweep-{number}",
        config={"lr": 0.001 * number, "batch": 64, "model": {"width": 128, "depth": 4}},
        suggestion=number,
        state=RunState.FINISHED,
        attempt=1,
        token=number,
        argv=("python", "train.py", f"--lr={0.001 * number}", "--batch=64"),
        directory=f"/scratch/somebody/sweeps/{run_id}",
        summary={"loss": 1 / number, "accuracy": 0.9, "epoch": 100, "_step": 100},
        best=1 / number,
    )
    attempt = Attempt(
        token=number,
        run_id=run_id,
        sweep_id="abcdefgh",
        number=1,
        agent_id=f"agent-{number % 50}",
        ask=number,
        state=AttemptState.FINISHED,
    )
    return run, attempt


def values(n: int) -> dict[str, float]:
    return {"loss": 1 / (n + 1), "accuracy": math.sin(n / 1000), "epoch": n // 100, "_runtime": n * 0.37}


def record(token: int, first: int, n_points: int) -> PointsRecord:
    points = tuple(Point(n, n, 1.7e9 + n, values(n)) for n in range(first, first + n_points))
    return PointsRecord(run_id=f"r{token:07d}", token=token, points=points)


@contextmanager
def timed(what: str, n: int, unit: str) -> Iterator[None]:
    started, cpu = time.perf_counter(), time.process_time()
    yield
    took_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    print(f"{what:<58} {n / took_s:>12,.0f} {unit}/s   {took_s:6.2f} s, {cpu_s:6.2f} s CPU")


def points_per_second(directory: Path) -> None:
    n_records = N_POINTS // N_PER_RECORD
    runs = [run_of(number) for number in range(1, 51)]
    firsts = [(1 + n % 50, 1 + n // 50 * N_PER_RECORD) for n in range(n_records)]
    deltas = [
        delta((runs[token - 1][0],), (runs[token - 1][1],), (record(token, first, N_PER_RECORD),))
        for token, first in firsts
    ]
    store = Store.open(directory / "points.sqlite3")
    with timed("store: points, 100 a report, 50 runs, all queued", N_POINTS, "points"):
        for future in [store.commit(each) for each in deltas]:
            future.result()
    store.close()
    store = Store.open(directory / "groups.sqlite3")
    with timed("store: the same, ten reports waiting at a time", N_POINTS, "points"):
        waiting: list[Future[None]] = []
        for each in deltas:
            waiting.append(store.commit(each))
            if len(waiting) == 10:
                waiting.pop(0).result()
        for future in waiting:
            future.result()
    store.close()
    raw = raw_connection(directory / "raw.sqlite3")
    with timed("sqlite3: the same rows, 1,000 a transaction, with json.dumps", N_POINTS, "points"):
        for start in range(0, n_records, 10):
            raw.execute("BEGIN")
            for each in deltas[start : start + 10]:
                points = each.records[0]
                assert isinstance(points, PointsRecord)
                raw.executemany(
                    "INSERT OR IGNORE INTO points VALUES (?, ?, ?, ?, ?)",
                    [(points.token, p.seq, p.step, p.at, json.dumps(p.values)) for p in points.points],
                )
            raw.execute("COMMIT")
    raw.close()


def commits_per_second(directory: Path) -> None:
    run, attempt = run_of(1)
    store = Store.open(directory / "commits.sqlite3")
    with timed("store: commits of one run and one point, one after another", N_COMMITS, "commits"):
        for n in range(N_COMMITS):
            store.commit(delta((run,), (attempt,), (record(1, n, 1),))).result()
    store.close()
    raw = raw_connection(directory / "raw-commits.sqlite3")
    with timed("sqlite3: commits of one point, one after another", N_COMMITS, "commits"):
        for n in range(N_COMMITS):
            raw.execute("INSERT INTO points VALUES (1, ?, ?, 1.0, '{}')", (n, n))
    raw.close()


def load_time(directory: Path, n_runs: int) -> None:
    path = directory / f"load-{n_runs}.sqlite3"
    store = Store.open(path)
    sweep = Sweep(
        id="abcdefgh",
        config=SweepConfig(method=Method.RANDOM, parameters=()),
        source="",
        directory="/",
        project="",
        entity="",
        name="load",
    )
    made = [run_of(number) for number in range(1, n_runs + 1)]
    store.commit(delta(tuple(r for r, _ in made), tuple(a for _, a in made), sweeps=(sweep,))).result()
    store.close()
    with timed(f"store: open with {n_runs:,} runs", n_runs, "runs"):
        store = Store.open(path)
    with timed(f"store: load {n_runs:,} runs", n_runs, "runs"):
        assert len(store.load().runs) == n_runs
    store.close()


def curve_time(directory: Path) -> None:
    run, attempt = run_of(1)
    store = Store.open(directory / "curve.sqlite3")
    for first in range(0, N_CURVE, 10_000):
        store.commit(delta((run,), (attempt,), (record(1, first, 10_000),))).result()
    with timed("store: one curve of 1,000,000 points in 200 columns", N_CURVE, "points"):
        store.ask(GetCurves(run_ids=(run.id,), key="loss"))
    with timed("store: online backup of that", N_CURVE, "points"):
        store.backup(directory / "backups")
    store.close()


def raw_connection(path: Path) -> sqlite3.Connection:
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("PRAGMA journal_mode = WAL").fetchall()
    raw.execute("PRAGMA synchronous = FULL")
    raw.execute(
        "CREATE TABLE points (token INTEGER, seq INTEGER, step INTEGER, at REAL, body TEXT, "
        "PRIMARY KEY (token, seq)) WITHOUT ROWID"
    )
    return raw


def main() -> None:
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as name:
        directory = Path(name)
        points_per_second(directory)
        commits_per_second(directory)
        load_time(directory, 10_000)
        load_time(directory, 100_000)
        curve_time(directory)


if __name__ == "__main__":
    main()
