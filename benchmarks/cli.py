"""How long `tui-sweeps --help` and `--version` take, against a Python that does nothing.

    python benchmarks/cli.py

Whole processes as a shell starts them, in turns, so that a busy moment of the machine meets all of them.
The installed program and `python -m tui_sweeps` do the same; the latter is measured here because it also
works in a checkout.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

N_ROUNDS = 25
AIM_MS = 150.0
ROOT = Path(__file__).parents[1]
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "tui-sweeps --version": ["-m", "tui_sweeps", "--version"],
    "tui-sweeps --help": ["-m", "tui_sweeps", "--help"],
    "tui-sweeps run --help": ["-m", "tui_sweeps", "run", "--help"],
}


def took_ms(arguments: list[str]) -> float:
    """Return the wall time of one process in milliseconds."""
    began_s = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return 1000 * (time.perf_counter() - began_s)


def main() -> None:
    for arguments in COMMANDS.values():
        took_ms(arguments)  # bytecode and file cache
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(N_ROUNDS):
        for name, arguments in COMMANDS.items():
            taken[name].append(took_ms(arguments))
    print(f"{'':24}  {'median':>8}  {'p95':>8}   aim {AIM_MS:.0f} ms")
    for name, values in taken.items():
        p95 = statistics.quantiles(values, n=20)[-1]
        print(f"{name:24}  {statistics.median(values):5.0f} ms  {p95:5.0f} ms")


if __name__ == "__main__":
    main()
