"""What `import tui_sweeps` and one `log` call cost a training script.

    python benchmarks/reporter.py

Import: medians over fresh interpreters without site-packages' own start-up. Calls: against one bare
`os.write` of the same line to a file opened for appending, which is the least a durable record can cost.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

N_IMPORTS = 31
N_CALLS = 20_000
ROOT = Path(__file__).parents[1]


def import_s(statement: str) -> float:
    """Return the median seconds that a statement takes in a fresh interpreter."""
    code = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
    took = [
        float(
            subprocess.run(
                [sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, check=True
            ).stdout
        )
        for _ in range(N_IMPORTS)
    ]
    return statistics.median(took)


def call_s(values: dict[str, float], directory: Path) -> tuple[float, float]:
    """Return seconds per `log` call and per bare append of a line of the same length."""
    from tui_sweeps.reporter import Run
    from tui_sweeps.run_config import Config

    report = directory / f"report-{len(values)}.jsonl"
    run = Run(Config({}), {"TUI_SWEEPS_REPORT": str(report)})
    run.log(values)
    started = time.perf_counter()
    for _ in range(N_CALLS):
        run.log(values)
    logged = (time.perf_counter() - started) / N_CALLS
    line = report.read_bytes().splitlines(keepends=True)[-1]
    handle = os.open(directory / "bare", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    started = time.perf_counter()
    for _ in range(N_CALLS):
        os.write(handle, line)
    bare = (time.perf_counter() - started) / N_CALLS
    os.close(handle)
    return logged, bare


def main() -> None:
    for statement in ("pass", "import json", "import tui_sweeps"):
        print(f"{statement:20} {import_s(statement) * 1e3:8.2f} ms")
    with tempfile.TemporaryDirectory() as name:
        for n_keys in (1, 5, 50):
            logged, bare = call_s({f"metric_{i}": i / 7 for i in range(n_keys)}, Path(name))
            print(f"log, {n_keys:2} values       {logged * 1e6:8.1f} µs   bare append {bare * 1e6:5.1f} µs")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
