"""Every view of a sweep of 10,000 runs while 100 of them report every second, on a real pseudo-terminal.

    python benchmarks/views_live.py [--runs 10000] [--seconds 10] [--keys 25] [--json FILE]

A real controller with a real store; simulated agents, in a process of their own, report to it over its
socket and end a run now and then; the dashboard attaches to it. Per view: from the key that opens it to its
first whole picture, from a key to what that key changes on the screen (other changes do not count), CPU share
of the dashboard and bytes per second sent to the terminal while nobody types. `quiet` is the same runs table
before the agents begin, `less` a pager with a file of as many lines in the same session.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.system.lab import Lab
from tests.system.terminal import Terminal

FEEDER = Path(__file__).parent / "simulated_agents.py"
TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE_S = 5.0
"""A key that shows nothing for so long is counted as this."""


# ---------------------------------------------------------------------- what is looked at


def cursor_line(terminal: Terminal) -> object:
    """Return what stands at the start of the line with the cursor: its background is another one."""
    screen = terminal.screen
    grounds = [screen.buffer[y][3].bg for y in range(screen.lines - 1)]
    common = statistics.mode(grounds)
    return [screen.display[y][2:30] for y, ground in enumerate(grounds) if ground != common and y > 1]


def words_of(*patterns: str) -> Callable[[Terminal], object]:
    """Return what is found of the patterns on the screen."""
    return lambda terminal: [re.findall(one, terminal.text) for one in patterns]


def first_lines(terminal: Terminal) -> object:
    """Return the body's first lines."""
    return terminal.screen.display[1:6]


@dataclass(frozen=True)
class View:
    """How a view is opened, when it is there, and which keys change what."""

    name: str
    opens: str
    there: str
    """A pattern that its whole picture shows."""
    keys: tuple[str, str]
    """Pressed in turn."""
    sign: Callable[[Terminal], object]
    """What the keys change and news do not."""


UNDER_CURSOR = words_of(r"▸.{30}")
VIEWS = (
    View("runs", "1", r"RUN +STATE.*\n.*\d", ("j", "k"), cursor_line),
    View("parallel", "2", r"[⠀-⣿]{3}(.*\n)*.*axis 1/", ("j", "k"), UNDER_CURSOR),
    View("importance", "3", r"rank correlation|computing", ("v", "v"), words_of(r"What drives [^,]*")),
    View("slices", "4", r"[⠀-⣿](.*\n)*.*is better", ("j", "k"), UNDER_CURSOR),
    View("history", "5", r"[⠀-⣿](.*\n)*.*times improved", ("j", "k"), UNDER_CURSOR),
    View("agents", "6", r"STATE +HOST(.*\n)*.*node\d", ("j", "k"), cursor_line),
    View("events", "7", r"\d\d:\d\d", ("\x1b[6~", "\x1b[5~"), first_lines),
    View("run", "\r", r"Log(.*\n)*.*step \d+", ("l", "l"), words_of(r"Config")),
)


# ---------------------------------------------------------------------- measuring


@dataclass
class Row:
    """What one view showed."""

    view: str
    open_ms: float
    key_p50_ms: float
    key_p95_ms: float
    key_max_ms: float
    cpu_fraction: float
    bytes_per_s: float


class Watched:
    """The dashboard with a clock beside it."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.n_vain = 0

    def until(self, done: Callable[[], bool]) -> float:
        """Read until that is so; return the milliseconds, at most the patience."""
        began = time.perf_counter()
        while not done():
            left = began + PATIENCE_S - time.perf_counter()
            if left <= 0:
                self.n_vain += 1
                if self.n_vain == 1:
                    print(f"  waited in vain:\n{self.terminal.text}", file=sys.stderr)
                break
            self.terminal.read(left)
        return (time.perf_counter() - began) * 1e3

    def open(self, view: View) -> float:
        """Open a view."""
        self.terminal.press(view.opens)
        return self.until(lambda: re.search(view.there, self.terminal.text) is not None)

    def press(self, key: str, sign: Callable[[Terminal], object]) -> float:
        """Press a key; return milliseconds until its effect is on the screen."""
        self.rest(random.uniform(0.15, 0.35))
        before = sign(self.terminal)
        self.terminal.press(key)
        return self.until(lambda: sign(self.terminal) != before)

    def rest(self, seconds: float) -> None:
        """Read for a while."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.terminal.read(left)

    def cost(self, seconds: float) -> tuple[float, float]:
        """Return the share of a processor and the bytes per second while nobody types."""
        n_bytes, cpu_s = self.terminal.n_bytes, self.cpu_s()
        self.rest(seconds)
        return (self.cpu_s() - cpu_s) / seconds, (self.terminal.n_bytes - n_bytes) / seconds

    def cpu_s(self) -> float:
        """Return the processor time used so far."""
        fields = Path(f"/proc/{self.terminal.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_mib(self) -> float:
        """Return the resident memory."""
        status = Path(f"/proc/{self.terminal.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


def measure(watched: Watched, view: View, n_keys: int, seconds: float, name: str = "") -> Row:
    """Measure one view."""
    open_ms = watched.open(view)
    watched.rest(1.0)
    times = [watched.press(view.keys[n % 2], view.sign) for n in range(n_keys)]
    p95 = statistics.quantiles(times, n=20)[-1]
    cost = watched.cost(seconds)
    return Row(name or view.name, open_ms, statistics.median(times), p95, max(times), *cost)


def told(row: Row) -> None:
    """Print a row."""
    print(
        f"{row.view:<11}{row.open_ms:9.0f}{row.key_p50_ms:9.1f}{row.key_p95_ms:9.1f}{row.key_max_ms:9.1f}"
        f"{row.cpu_fraction:9.1%}{row.bytes_per_s:9.0f}",
        flush=True,
    )


def run(n_runs: int, seconds: float, n_keys: int, per_s: int) -> list[Row]:
    """Measure everything."""
    lab = Lab()
    feeding: subprocess.Popen[str] | None = None
    try:
        lab.start_controller()
        axes = {f"x{n}": {"min": 0.0, "max": 1.0} for n in range(4)}
        kind = {"values": ["adam", "sgd", "rmsprop"]}
        sweep_id = lab.register(0, name="many", method="random", parameters={**axes, "kind": kind})
        began = time.perf_counter()
        feeder = [sys.executable, str(FEEDER), str(lab.home.path), sweep_id]
        subprocess.run([*feeder, "fill", str(n_runs)], check=True, env=lab.environment)
        print(f"{n_runs:,} runs made in {time.perf_counter() - began:.0f} s; load {os.getloadavg()[0]:.1f}")
        listing = lab.write("listing", "\n".join(f"line {n} {n % 97}" for n in range(n_runs)))
        less = Watched(Terminal(lab, columns=120, lines=40, program=("less", str(listing))))
        less.until(lambda: "line 5" in less.terminal.text)
        peer = measure(less, View("less", "", "line 5", ("j", "k"), first_lines), n_keys, 1.0)
        less.terminal.close()
        watched = Watched(Terminal(lab, columns=120, lines=40))
        watched.until(lambda: "many" in watched.terminal.text)
        watched.terminal.press("\r")
        print("view         open ms  key p50      p95      max      CPU      B/s")
        rows = [peer, measure(watched, VIEWS[0], n_keys, seconds, "quiet")]
        for row in rows:
            told(row)
        print(f"resident {watched.rss_mib():.0f} MiB")
        feeding = subprocess.Popen(
            [*feeder, "live", str(per_s)], stdout=subprocess.PIPE, text=True, env=lab.environment
        )
        assert feeding.stdout is not None
        assert feeding.stdout.readline() == "live\n"
        for view in VIEWS:
            rows.append(measure(watched, view, n_keys, seconds))
            told(rows[-1])
            if view.name != "run":
                watched.terminal.press("1")
                watched.rest(0.5)
        print(f"resident {watched.rss_mib():.0f} MiB; load {os.getloadavg()[0]:.1f}")
        watched.terminal.press("d")
        assert watched.terminal.until_gone() == 0, "the dashboard met a defect"
        return rows
    finally:
        if feeding is not None:
            feeding.kill()
            feeding.wait()
        lab.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--per-second", type=int, default=100, help="reports of runs")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--keys", type=int, default=25)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    given = parser.parse_args()
    rows = run(given.runs, given.seconds, given.keys, given.per_second)
    if given.json:
        given.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
