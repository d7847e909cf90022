"""Durable metric points per second over the controller's socket, every report acknowledged after its fsync.

    python benchmarks/ingest.py [SECONDS]

Four reporters keep one report of 100 points in flight each. The limit it is compared with, measured
in the same run: one SQLite connection (WAL, synchronous=FULL) that inserts the same rows, 400 a commit.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from controller.client.connection import connect
from controller.domain.events import AgentJoined, RunAsked, RunReported, RunStarted
from controller.domain.replies import Acked, RunOrder
from controller.domain.runs import Point
from tests.system.lab import Lab

N_REPORTERS = 4
N_POINTS = 100
ROUNDS = 3


def values(seq: int) -> dict[str, float]:
    return {"loss": 1.0 / seq, "accuracy": 1.0 - 1.0 / seq, "epoch": float(seq // 10)}


async def report(lab: Lab, sweep_id: str, name: str, seconds: float) -> int:
    """Be an agent that does nothing but report; return how many points were acknowledged."""
    client = connect(lab.home)
    try:
        await client.send(AgentJoined(agent_id=name, sweep_id=sweep_id, host="h", pid=1))
        order = await client.send(RunAsked(agent_id=name, ask=1, wait_s=10.0))
        assert isinstance(order, RunOrder), order
        await client.send(RunStarted(agent_id=name, token=order.token, host="h"))
        seq, until = 0, time.perf_counter() + seconds
        while time.perf_counter() < until:
            points = tuple(Point(s, s, 0.0, values(s)) for s in range(seq + 1, seq + 1 + N_POINTS))
            reply = await client.send(
                RunReported(
                    agent_id=name,
                    token=order.token,
                    first_seq=seq + 1,
                    last_seq=seq + N_POINTS,
                    points=points,
                )
            )
            assert isinstance(reply, Acked), reply
            seq = reply.last_seq
        return seq
    finally:
        await client.close()


def ours(seconds: float) -> float:
    """Return points per second."""
    lab = Lab()
    try:
        lab.start_controller()
        sweep_id = lab.register(N_REPORTERS)

        async def all_of_them() -> list[int]:
            names = [f"agent{n}" for n in range(N_REPORTERS)]
            return await asyncio.gather(*(report(lab, sweep_id, name, seconds) for name in names))

        began = time.perf_counter()
        counts = asyncio.run(all_of_them())
        lasted = time.perf_counter() - began
        runs = lab.json("runs", sweep_id)
        rows = [len(lab.cli("history", run["id"], "--json").splitlines()) for run in runs]
        assert sorted(rows) == sorted(counts), "what was acknowledged is not what is there"
        return sum(counts) / lasted
    finally:
        lab.close()


def limit(seconds: float) -> float:
    """Return rows per second of bare SQLite."""
    with tempfile.TemporaryDirectory() as place:
        database = sqlite3.connect(Path(place) / "bare.sqlite3", isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE points (token, seq, step, at, body, PRIMARY KEY (token, seq))")
        n, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            rows = [(1, s, s, 0.0, json.dumps(values(s + 1))) for s in range(n, n + 4 * N_POINTS)]
            database.execute("BEGIN")
            database.executemany("INSERT INTO points VALUES (?, ?, ?, ?, ?)", rows)
            database.execute("COMMIT")
            n += len(rows)
        lasted = time.perf_counter() - began
        database.close()
        return n / lasted


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    pairs = [(ours(seconds), limit(seconds)) for _ in range(ROUNDS)]
    own = statistics.median(pair[0] for pair in pairs)
    bare = statistics.median(pair[1] for pair in pairs)
    share = statistics.median(pair[0] / pair[1] for pair in pairs)
    print(f"{N_REPORTERS} reporters, {N_POINTS} points of 3 metrics a report, median of {ROUNDS} rounds")
    print(f"tui-sweeps   {own:9.0f} points/s, durable ({3 * own:.0f} values/s)")
    print(f"bare SQLite  {bare:9.0f} rows/s      share {share:.2f}")


if __name__ == "__main__":
    main()
