"""The dashboard beside LEET, W&B's viewer in the terminal, and beside htop and less.

    python benchmarks/peers.py [--runs 1000,10000] [--keys 20] [--passes 3]

Each on a real pseudo-terminal of 120x40, in turn, in the same session; medians of the passes. The dashboard
is attached to a running controller with so many runs; LEET shows a directory of as many offline runs (one
real run, copied: it lists them by their directories' names), less a file of as many lines. "start" is from
the call to the first rows, "MiB" the resident memory of all its processes after the keys, "row" and "page"
the time from a key to the first change on the screen, and the bytes until it is quiet again, "idle" the bytes
per second after that. Programs that are not installed are left out.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.system.lab import Lab
from tests.system.terminal import Terminal

SIZE = {"columns": 120, "lines": 40}
FEEDER = Path(__file__).parent / "simulated_agents.py"
PATIENCE_S = 60.0
QUIET_S = 0.15
"""Without a byte for so long a repaint is over."""
IDLE_S = 5.0
DOWN, PAGE_DOWN, PAGE_UP = "\x1b[B", "\x1b[6~", "\x1b[5~"

OFFLINE_RUN = """
import random, wandb
wandb.init(mode="offline", project="p", config={"x": 0.1}, settings=wandb.Settings(console="off"))
for step in range(20):
    wandb.log({"loss": random.random()})
wandb.finish()
"""


@dataclass
class Program:
    """What is measured."""

    name: str
    argv: tuple[str, ...]
    """Empty: the dashboard."""
    ready: str
    """Shown with the first rows."""
    pages: tuple[str, str] = (PAGE_DOWN, PAGE_UP)
    home: str = "\x1b[H"
    """Brings its cursor to the first row."""


@dataclass
class Figures:
    """One pass."""

    start_ms: float
    mib: float
    row_ms: list[float]
    row_bytes: list[int]
    page_ms: list[float]
    page_bytes: list[int]
    idle_bytes: float


def settle(terminal: Terminal, until_s: float = 3.0) -> None:
    """Read until nothing comes any more."""
    end = time.perf_counter() + until_s
    while time.perf_counter() < end:
        n_bytes = terminal.n_bytes
        terminal.read(QUIET_S)
        if terminal.n_bytes == n_bytes:
            return


def press(terminal: Terminal, key: str) -> tuple[float, int]:
    """Press a key; return milliseconds to the first change and the bytes of all changes."""
    settle(terminal)
    n_bytes = terminal.n_bytes
    terminal.screen.dirty.clear()
    began = time.perf_counter()
    terminal.press(key)
    while not terminal.screen.dirty and time.perf_counter() - began < 2.0:
        terminal.read(0.5)
    took_ms = (time.perf_counter() - began) * 1e3
    settle(terminal)
    return took_ms, terminal.n_bytes - n_bytes


def tree_mib(pid: int) -> float:
    """Return the resident memory of a process and its descendants."""
    children: dict[int, list[int]] = {}
    rss: dict[int, float] = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(re.findall(r"^(\w+):\s+(\d+)", status.read_text(), re.MULTILINE))
        except OSError:
            continue
        number = int(fields["Pid"])
        children.setdefault(int(fields["PPid"]), []).append(number)
        rss[number] = int(fields.get("VmRSS", 0)) / 1024
    found, queue = 0.0, [pid]
    while queue:
        number = queue.pop()
        found += rss.get(number, 0.0)
        queue += children.get(number, [])
    return found


def measure(lab: Lab, program: Program, n_keys: int) -> Figures:
    """Measure one program once."""
    began = time.perf_counter()
    terminal = Terminal(lab, columns=SIZE["columns"], lines=SIZE["lines"], program=program.argv)
    try:
        while not re.search(program.ready, terminal.text):
            assert time.perf_counter() - began < PATIENCE_S, terminal.text
            terminal.read(0.2)
        start_ms = (time.perf_counter() - began) * 1e3
        press(terminal, program.home)
        rows = [press(terminal, DOWN) for _ in range(n_keys)]
        pages = [press(terminal, program.pages[n % 2]) for n in range(n_keys)]
        n_bytes, end = terminal.n_bytes, time.perf_counter() + IDLE_S
        while (left := end - time.perf_counter()) > 0:
            terminal.read(left)
        idle = (terminal.n_bytes - n_bytes) / IDLE_S
        mib = tree_mib(terminal.pid)
    finally:
        terminal.close()
    row_ms, row_bytes = zip(*rows, strict=True)
    page_ms, page_bytes = zip(*pages, strict=True)
    return Figures(start_ms, mib, [*row_ms], [*row_bytes], [*page_ms], [*page_bytes], idle)


def told(name: str, n_runs: int, passes: list[Figures]) -> None:
    """Print medians over all passes."""

    def spread(values: list[float]) -> str:
        return f"{statistics.median(values):6.1f} /{statistics.quantiles(values, n=20)[-1]:6.1f}"

    def middle(values: list[float]) -> float:
        return statistics.median(values)

    print(
        f"{name:10} {n_runs:7,d} {middle([one.start_ms for one in passes]):8.0f}"
        f" {middle([one.mib for one in passes]):6.0f}"
        f"  {spread([ms for one in passes for ms in one.row_ms])}"
        f" {middle([float(n) for one in passes for n in one.row_bytes]):6.0f}"
        f"  {spread([ms for one in passes for ms in one.page_ms])}"
        f" {middle([float(n) for one in passes for n in one.page_bytes]):6.0f}"
        f" {middle([one.idle_bytes for one in passes]):7.0f}",
        flush=True,
    )


@contextmanager
def offline_runs(n_runs: int) -> Iterator[Path]:
    """Give a directory of so many offline runs of W&B."""
    with tempfile.TemporaryDirectory(prefix="leet-") as place:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WANDB")}
        subprocess.run(
            [sys.executable, "-c", OFFLINE_RUN], cwd=place, check=True, capture_output=True, env=environment
        )
        wandb = Path(place) / "wandb"
        (one,) = wandb.glob("offline-run-*")
        for n in range(1, n_runs):
            name = f"{n:08d}"
            copy = wandb / f"offline-run-20260101_{n % 86400:06d}-{name}"
            copy.mkdir()
            for log in one.glob("*.wandb"):
                shutil.copy(log, copy / f"run-{name}.wandb")
        yield wandb


def programs(lab: Lab, n_runs: int, wandb: Path) -> list[Program]:
    """Return what there is to measure."""
    listing = lab.write("listing", "\n".join(f"line {n} {n % 97}" for n in range(n_runs)))
    leet = Path(sys.executable).with_name("wandb")
    found = [Program("ours", (), r"RUN +STATE.*\n.*\d")]
    if leet.exists():
        found.append(Program("leet", (str(leet), "leet", str(wandb)), r"run-20\d{6}_\d+"))
    if shutil.which("htop"):
        found.append(Program("htop", ("htop", "-d", "100"), r"Load average"))
    return [*found, Program("less", ("less", str(listing)), "line 5", home="g")]


def at_the_runs(lab: Lab) -> None:
    """Leave the dashboard where its next start shows the runs."""
    terminal = Terminal(lab, columns=SIZE["columns"], lines=SIZE["lines"])
    terminal.until("many")
    terminal.press("\r")
    terminal.until(lambda text: re.search(r"RUN +STATE.*\n.*\d", text) is not None)
    terminal.press("d")
    assert terminal.until_gone() == 0


def run(n_runs: int, n_keys: int, n_passes: int) -> None:
    """Measure every program with so many runs."""
    lab = Lab()
    try:
        lab.start_controller()
        axes = {f"x{n}": {"min": 0.0, "max": 1.0} for n in range(4)}
        kind = {"values": ["adam", "sgd", "rmsprop"]}
        sweep_id = lab.register(0, name="many", method="random", parameters={**axes, "kind": kind})
        feeder = [sys.executable, str(FEEDER), str(lab.home.path), sweep_id]
        subprocess.run([*feeder, "fill", str(n_runs)], check=True, env=lab.environment)
        at_the_runs(lab)
        with offline_runs(n_runs) as wandb:
            every = programs(lab, n_runs, wandb)
            passes: dict[str, list[Figures]] = {program.name: [] for program in every}
            for _ in range(n_passes):
                for program in every:
                    passes[program.name].append(measure(lab, program, n_keys))
        for name, figures in passes.items():
            told(name, n_runs, figures)
    finally:
        lab.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", default="1000,10000")
    parser.add_argument("--keys", type=int, default=20)
    parser.add_argument("--passes", type=int, default=3)
    given = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}")
    print("program       runs start ms    MiB    row p50/p95 ms      B   page p50/p95 ms      B  idle B/s")
    for part in given.runs.split(","):
        run(int(part), given.keys, given.passes)
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
