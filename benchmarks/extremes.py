"""What it costs to keep lowest and highest of every metric: 10,000 runs that log 20 metrics each.

Named peer: the same runs with their last values only (the summary), and a mapping of pairs in place of the
packed form. Bytes as the interpreter counts them; they do not depend on how busy the machine is.
"""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Callable

from controller.domain.extremes import Extremes, pairs_of

N_RUNS, N_METRICS, N_POINTS = 10_000, 20, 30
NAMES = [f"metric_number_{n}" for n in range(N_METRICS)]


def history(dice: random.Random) -> list[dict[str, float]]:
    return [{name: dice.random() for name in NAMES} for _ in range(2)]


def packed(dice: random.Random) -> Extremes:
    found = Extremes()
    return found.widened(found.wider(pairs_of(history(dice))))


def mapping(dice: random.Random) -> dict[str, tuple[float, float]]:
    return pairs_of(history(dice))


def summary(dice: random.Random) -> dict[str, float]:
    return history(dice)[-1]


def bytes_per_run(make: Callable[[random.Random], object]) -> float:
    dice = random.Random(1)
    tracemalloc.start()
    kept = [make(dice) for _ in range(N_RUNS)]
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / len(kept)


def us_per_value() -> float:
    dice = random.Random(2)
    rows = [{name: dice.random() for name in NAMES} for _ in range(N_POINTS)]
    best = float("inf")
    for _ in range(20):
        found = Extremes()
        start = time.process_time()
        for row in rows:
            found = found.widened(found.wider(pairs_of([row])))
        best = min(best, time.process_time() - start)
    return best / (N_POINTS * N_METRICS) * 1e6


def main() -> None:
    for make in (summary, packed, mapping):
        size = bytes_per_run(make)
        print(f"{make.__name__:8} {size:8.0f} bytes a run, {size * N_RUNS / 2**20:6.1f} MiB for {N_RUNS:,}")
    print(f"{us_per_value():.2f} µs a value when every row comes alone")


if __name__ == "__main__":
    main()
