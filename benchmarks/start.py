"""From the call of `tui-sweeps` to the runs table of a big sweep, over the wire, with 1,000 to 100,000 runs.

    python benchmarks/start.py [--runs 1000,10000,100000] [--passes 3]

A process serves so many runs with the controller's own API on a Unix socket; the dashboard attaches to it on
a pseudo-terminal, where it was left at the runs. Medians; "frame" is the first output, "rows" the first rows,
beside the start of a bare interpreter in the same pass; "CPU" is the processor time of the dashboard until
then, which other programs hardly change, "MiB" the resident memory.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from controller.api.server import serve
from controller.client.announced import Connection, this_machine, write
from controller.settings import Home
from tests import extreme_scenes
from tests.fake_client import FakeClient
from tests.system.lab import Lab
from tests.system.terminal import Terminal
from tui_sweeps.model.desk import Desk, write_desk

SWEEP = "big00000"
PATIENCE_S = 120.0


async def be_controller(home: Home, n_runs: int) -> None:
    """Serve that many runs until killed."""
    socket = home.path / "s" / "c.sock"
    await serve(FakeClient(extreme_scenes.big(n_runs)), socket)
    machine = this_machine()
    write(
        home.connection,
        Connection(
            host=machine.host,
            boot_id=machine.boot_id,
            pid=os.getpid(),
            socket=str(socket),
            instance="benchmark",
            started_at=time.time(),
            version="",
        ),
    )
    print("serving", flush=True)
    await asyncio.Event().wait()


def start(lab: Lab, n_runs: int) -> tuple[float, float, float, float]:
    """Return milliseconds to the first output, to the first rows and of the processor, and the memory."""
    lab.home.layout.write_text(write_desk(Desk(screen="sweep", sweep=SWEEP, hinted=True)))
    began = time.perf_counter()
    terminal = Terminal(lab, columns=120, lines=40)
    try:
        frame_ms = 0.0
        while not re.search(rf"\b{n_runs} \w+-\w+", terminal.text):
            assert time.perf_counter() - began < PATIENCE_S, terminal.text
            terminal.read(1.0)
            frame_ms = frame_ms or (time.perf_counter() - began) * 1e3
        rows_ms = (time.perf_counter() - began) * 1e3
        fields = Path(f"/proc/{terminal.pid}/stat").read_text().rsplit(")", 1)[1].split()
        cpu_ms = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") * 1e3
        status = Path(f"/proc/{terminal.pid}/status").read_text()
        return frame_ms, rows_ms, cpu_ms, int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024
    finally:
        terminal.close()


def bare_ms() -> float:
    """Return how long an interpreter takes to start and end."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", ""], check=True)
    return (time.perf_counter() - began) * 1e3


def measure(n_runs: int, n_passes: int) -> tuple[float, float]:
    """Measure one size; return the median time and processor time to the first rows."""
    lab = Lab()
    lab.home.path.mkdir(mode=0o700)
    argv = [sys.executable, __file__, "--serve", str(n_runs), "--home", str(lab.home.path)]
    serving = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=lab.environment)
    try:
        assert serving.stdout is not None
        assert serving.stdout.readline() == "serving\n"
        passes = [(bare_ms(), *start(lab, n_runs)) for _ in range(n_passes)]
    finally:
        serving.send_signal(signal.SIGKILL)
        serving.wait()
        lab.close()
    bare, frame, rows, cpu, mib = (statistics.median(column) for column in zip(*passes, strict=True))
    print(
        f"{n_runs:8,d} {bare:8.0f} {frame:9.0f} {rows:8.0f} {cpu:7.0f} {rows / bare:8.1f} {mib:6.0f}",
        flush=True,
    )
    return rows, cpu


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", default="1000,10000,100000")
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--serve", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--home", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(be_controller(Home(Path(given.home)), given.serve))
        return
    print(f"load {os.getloadavg()[0]:.1f}\n    runs  bare ms  frame ms  rows ms  CPU ms   x bare    MiB")
    found = [measure(int(part), given.passes) for part in given.runs.split(",")]
    ratios = [f"{rows / found[0][0]:.2f}x (CPU {cpu / found[0][1]:.2f}x)" for rows, cpu in found]
    print(f"beside the first: {', '.join(ratios)}")


if __name__ == "__main__":
    main()
