"""What it costs to look at a sweep of 10,000 runs of which 100 change every second, view by view.

The real application without a terminal, a controller of a few lines; changes come in ten batches a second.
Shown are the CPU share of the whole process and the time from a key to its picture (median and worst).

    python benchmarks/plots_live.py [--seconds 6] [--runs 10000] [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from msgspec.structs import replace
from textual.pilot import Pilot

from controller.domain.changes import HistoryGrew
from controller.domain.world import Snapshot
from tests import scenes
from tests.fake_client import FakeClient
from tui_sweeps.app import ExitReason, SweepsApp

VIEWS = (("runs", "1", "down"), ("parallel", "2", "down"), ("slices", "4", "down"), ("history", "5", "down"))
"""Name, key that shows it, key that is timed."""

BATCHES_PER_S, CHANGES_PER_BATCH = 10, 10


def busy(n_runs: int) -> Snapshot:
    """Return the big scene with attempts for a thousand runs, so that they can report."""
    snapshot = scenes.big(n_runs)
    like = snapshot.facts.attempts[0]
    attempts = tuple(
        replace(like, token=run.token, run_id=run.id, ask=run.number) for run in snapshot.facts.runs[-1000:]
    )
    return replace(snapshot, facts=replace(snapshot.facts, attempts=attempts))


async def feed(client: FakeClient, seconds: float) -> int:
    """Push changes; return how many."""
    dice = random.Random(5)
    ids = [attempt.run_id for attempt in client.world.attempts.values()]
    n_pushed, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        changes = []
        for run_id in dice.sample(ids, CHANGES_PER_BATCH):
            run = client.world.runs[run_id]
            value = (run.best or 0.5) * dice.uniform(0.97, 1.0)
            changes.append(
                HistoryGrew(
                    run_id=run_id,
                    token=run.token or 0,
                    last_seq=0,
                    n_points=1,
                    last_step=(run.last_step or 0) + 1,
                    best=value,
                    latest=value,
                    n_metric_values=1,
                    summary={"loss": value},
                    at=scenes.NOW,
                )
            )
        client.push(*changes)
        n_pushed += len(changes)
        await asyncio.sleep(1 / BATCHES_PER_S)
    return n_pushed


async def keys(pilot: Pilot[ExitReason], key: str, seconds: float) -> list[float]:
    """Press a key now and then; return the milliseconds until the loop had answered it."""
    took, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        started = time.perf_counter()
        await pilot.press(key)
        took.append(1000 * (time.perf_counter() - started))
        await asyncio.sleep(0.4)
    return took


async def measure(n_runs: int, seconds: float) -> list[dict[str, float | str]]:
    """Return the figures of every view."""
    client = FakeClient(busy(n_runs))
    app = SweepsApp(client, clock=lambda: scenes.NOW)
    rows: list[dict[str, float | str]] = []
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(1.0)
        await pilot.press("enter")
        for name, shows, key in VIEWS:
            await pilot.press(shows)
            await pilot.pause(1.0)
            quiet = statistics.median(await keys(pilot, key, 2.0))
            wall, cpu = time.monotonic(), time.process_time()
            n_pushed = await feed(client, seconds)
            share = (time.process_time() - cpu) / (time.monotonic() - wall)
            _, took = await asyncio.gather(feed(client, seconds), keys(pilot, key, seconds))
            rows.append(
                {
                    "view": name,
                    "changes_per_s": n_pushed / seconds,
                    "cpu_fraction": share,
                    "key_quiet_ms": quiet,
                    "key_ms": statistics.median(took),
                    "key_worst_ms": max(took),
                }
            )
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = asyncio.run(measure(options.runs, options.seconds))
    print(f"{options.runs:,} runs; a key costs Textual's pilot about 60 ms by itself")
    for row in rows:
        cpu = 100 * float(row["cpu_fraction"])
        quiet, live, worst = (float(row[key]) for key in ("key_quiet_ms", "key_ms", "key_worst_ms"))
        print(
            f"{row['view']:<10} {row['changes_per_s']:5.0f} changes/s   CPU {cpu:4.0f} %"
            f"   key {quiet:5.0f} ms quiet, {live:5.0f} ms live, worst {worst:5.0f} ms"
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
