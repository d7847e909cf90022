"""The whole dashboard on a pseudo-terminal, over a controller of a few lines in the same process.

    python benchmarks/dashboard.py [--rows 1000,10000] [--seconds 10]

"start" is from the call of the program to the first run's row on a terminal of 120x40, "MiB" the resident
memory afterwards. "idle" is CPU share and bytes per second while nothing changes; "live" the same while 100
runs change per second (half of them in sight of no one). "key" is the time from a key to the first byte of
output while the changes go on: median and 95th percentile of row and page keys.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import os
import pty
import random
import select
import signal
import statistics
import struct
import sys
import termios
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

SIZE = (120, 40)
PATIENCE_S = 60.0
CHANGES_PER_S = 100
TICKS = os.sysconf("SC_CLK_TCK")
N_KEYS = 30


def be_dashboard(n_runs: int) -> None:
    """Be the program that is measured: a dashboard that stands on the runs of one big sweep."""
    from controller.domain.changes import HistoryGrew
    from controller.domain.runs import Attempt
    from tests import extreme_scenes, scenes
    from tests.fake_client import FakeClient
    from tui_sweeps.app import run_dashboard

    client = FakeClient(extreme_scenes.big(n_runs))
    dice = random.Random(1)
    live = [run for run in client.world.runs.values() if run.ended_at is None]
    ended = [run for run in client.world.runs.values() if run.ended_at is not None]
    changing = [*live, *dice.sample(ended, min(len(ended), 200))]
    for run in changing:
        number = run.token or 0
        client.world.attempts.setdefault(
            number,
            Attempt(token=number, run_id=run.id, sweep_id=run.sweep_id, number=1, agent_id="a", ask=number),
        )
    is_live = False

    def switch(_number: int, _frame: object) -> None:
        nonlocal is_live
        is_live = not is_live

    signal.signal(signal.SIGUSR1, switch)

    async def feed() -> None:
        step = 100
        while True:
            await asyncio.sleep(0.1)
            if not is_live:
                continue
            step += 1
            client.push(
                *(
                    HistoryGrew(
                        run_id=run.id,
                        token=run.token or 0,
                        last_seq=step,
                        n_points=1,
                        last_step=step,
                        best=run.best,
                        latest=dice.random(),
                        n_metric_values=1,
                        summary={"loss": dice.random()},
                        at=scenes.NOW,
                    )
                    for run in (*dice.sample(live, 5), *dice.sample(changing, CHANGES_PER_S // 10 - 5))
                )
            )

    feeding: list[asyncio.Task[None]] = []

    async def begin() -> str:
        feeding.append(asyncio.get_running_loop().create_task(feed()))
        return "big00000"

    run_dashboard(client, begin=begin)


@dataclass
class Figures:
    """What the dashboard showed."""

    start_ms: float
    rss_mib: float
    idle_cpu: float
    idle_bytes: float
    live_cpu: float
    live_bytes: float
    key_ms: float
    key_p95_ms: float


class Terminal:
    """The dashboard on a pseudo-terminal of its own."""

    def __init__(self, n_runs: int) -> None:
        self.began = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", LANG="C.UTF-8")
            os.execv(sys.executable, [sys.executable, __file__, "--be", str(n_runs)])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))

    def read(self, wait_s: float) -> bytes:
        """Return what comes within the time."""
        ready, _, _ = select.select([self.fd], [], [], wait_s)
        return os.read(self.fd, 1 << 16) if ready else b""

    def until(self, wanted: bytes) -> float:
        """Read until the text is there; return milliseconds since the start."""
        seen = b""
        while wanted not in seen:
            data = self.read(PATIENCE_S)
            if not data:
                raise SystemExit(f"the dashboard did not show {wanted!r}: {seen[-300:]!r}")
            seen += data
        return (time.perf_counter() - self.began) * 1e3

    def watch(self, seconds: float) -> tuple[float, float]:
        """Return the share of a processor used and the bytes per second."""
        n_bytes, cpu = 0, self.cpu_s()
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            n_bytes += len(self.read(left))
        return (self.cpu_s() - cpu) / seconds, n_bytes / seconds

    def press(self, key: bytes) -> float:
        """Press a key; return milliseconds to the first output."""
        while self.read(0.02):
            pass
        began = time.perf_counter()
        os.write(self.fd, key)
        self.read(5.0)
        return (time.perf_counter() - began) * 1e3

    def cpu_s(self) -> float:
        """Return the processor time used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_mib(self) -> float:
        """Return the resident memory."""
        text = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS")) / 1024

    def close(self) -> None:
        """End the program."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def measure(n_runs: int, seconds: float) -> Figures:
    """Measure one size."""
    terminal = Terminal(n_runs)
    try:
        start_ms = terminal.until(str(n_runs).encode() + b" ")
        terminal.watch(2.0)
        rss = terminal.rss_mib()
        idle = terminal.watch(seconds)
        os.kill(terminal.pid, signal.SIGUSR1)
        live = terminal.watch(seconds)
        times = [terminal.press(key) for key in (b"\x1b[B", b"\x1b[6~") for _ in range(N_KEYS)]
    finally:
        terminal.close()
    p95 = statistics.quantiles(times, n=20)[-1]
    return Figures(start_ms, rss, *idle, *live, statistics.median(times), p95)


def main() -> None:
    """Measure all sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", default="1000,10000")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--be", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.be:
        be_dashboard(given.be)
        return
    print(
        f"python {sys.version.split()[0]}, terminal {SIZE[0]}x{SIZE[1]}, {CHANGES_PER_S} changes per second"
    )
    print("   runs  start ms   MiB   idle CPU  idle B/s   live CPU  live B/s  key ms   p95 ms")
    for part in given.rows.split(","):
        f = measure(int(part), given.seconds)
        print(
            f"{int(part):7,d} {f.start_ms:9.0f} {f.rss_mib:5.0f} {f.idle_cpu:9.1%} {f.idle_bytes:9.0f}"
            f" {f.live_cpu:9.1%} {f.live_bytes:9.0f} {f.key_ms:7.1f} {f.key_p95_ms:8.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
