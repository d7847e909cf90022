"""Start and key-to-repaint of our table against Textual's DataTable, from outside, on a pseudo-terminal.

    python benchmarks/table.py [--rows 1000,10000,100000] [--keys 20]

Every program is started anew on a terminal of 120x40 that answers the usual queries. "start" is from the call
to the first row on screen, "row key" and "page key" from the key to the first byte of output, with the bytes
sent per key; medians of the keys pressed. "unread" is the longest time the program's loop stood still while
its terminal was not read for two seconds and one cell changed ten times a second.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from dataclasses import dataclass
from pathlib import Path

N_COLUMNS = 12
SIZE = (120, 40)
READY = b"row-3"
QUIET_S = 0.06
PATIENCE_S = 120.0
UNREAD_S = 2.0
DRAIN_S = 1.0
KEYS = {"down": b"\x1b[B", "pgdn": b"\x1b[6~"}


def run_app(kind: str, n_rows: int, beat_file: str) -> None:
    """Be the program that is measured."""
    import asyncio

    from textual.app import App, ComposeResult
    from textual.widget import Widget
    from textual.widgets import DataTable

    from tui_sweeps.driver import DeltaDriver
    from tui_sweeps.widgets.table import Cell, Column, LineTable

    def text(row: int, column: int) -> str:
        return f"row-{row}" if column == 0 else f"{row * 31 % 997}.{column}"

    def line_table() -> Widget:
        columns = [Column(str(at), f"column {at}", 9, fixed=at == 0) for at in range(N_COLUMNS)]
        return LineTable(columns, n_rows, lambda row, key: Cell(text(row, int(key))))

    def data_table() -> Widget:
        table: DataTable[str] = DataTable(cursor_type="row")
        for at in range(N_COLUMNS):
            table.add_column(f"column {at}", width=9, key=str(at))
        for row in range(n_rows):
            table.add_row(*(text(row, at) for at in range(N_COLUMNS)), key=str(row))
        return table

    class Measured(App[None]):
        def compose(self) -> ComposeResult:
            yield line_table() if kind.startswith("line") else data_table()

        def on_mount(self) -> None:
            if beat_file:
                self.run_worker(self.beat())

        async def beat(self) -> None:
            """Change one cell ten times a second and write down the longest gap between two turns."""
            table = self.query_one(LineTable) if kind.startswith("line") else self.query_one(DataTable)
            longest, before = 0.0, time.monotonic()
            beat = os.open(beat_file, os.O_WRONLY | os.O_CREAT)
            while True:
                await asyncio.sleep(0.1)
                now = time.monotonic()
                longest, before = max(longest, now - before - 0.1), now
                os.pwrite(beat, f"{longest:8.3f}".encode(), 0)
                if isinstance(table, LineTable):
                    table.refresh_cell(3, "2")
                else:
                    table.update_cell("3", "2", f"{now:.3f}")

    Measured(driver_class=None if kind.endswith("stock") else DeltaDriver).run()


@dataclass
class Figures:
    """What one program showed, times in milliseconds."""

    start: float
    start_bytes: int
    row_key: float
    row_bytes: int
    page_key: float
    page_bytes: int
    rss_mib: float
    unread: float


class Terminal:
    """A program on a pseudo-terminal of its own."""

    def __init__(self, command: list[str]) -> None:
        self.began = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", LANG="C.UTF-8")
            os.execv(command[0], command)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))

    def read(self, wait_s: float) -> bytes:
        """Return what comes within the time, answering the query for synchronized output."""
        ready, _, _ = select.select([self.fd], [], [], wait_s)
        if not ready:
            return b""
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:
            return b""
        if b"\x1b[?2026$p" in data:
            os.write(self.fd, b"\x1b[?2026;2$y")
        return data

    def settle(self) -> int:
        """Read until nothing comes any more; return the bytes."""
        n_bytes = 0
        while data := self.read(QUIET_S):
            n_bytes += len(data)
        return n_bytes

    def ready(self) -> tuple[float, int]:
        """Wait for the first rows; return milliseconds since the start and bytes until all is painted."""
        seen = b""
        while READY not in seen:
            data = self.read(PATIENCE_S)
            if not data:
                raise SystemExit(f"the program showed nothing: {seen[-500:]!r}")
            seen += data
        return (time.perf_counter() - self.began) * 1e3, len(seen) + self.settle()

    def press(self, key: bytes, n_times: int) -> tuple[float, int]:
        """Press a key so often; return the medians of milliseconds to the first output and of the bytes."""
        times, sizes = [], []
        for _ in range(n_times):
            began = time.perf_counter()
            os.write(self.fd, key)
            first = self.read(5.0)
            times.append((time.perf_counter() - began) * 1e3)
            sizes.append(len(first) + self.settle())
        return statistics.median(times), round(statistics.median(sizes))

    def rss_mib(self) -> float:
        """Return the resident memory."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0.0

    def close(self) -> None:
        """End the program."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def command_for(kind: str, n_rows: int, beat_file: str = "") -> list[str]:
    return [sys.executable, __file__, "--be", kind, "--rows", str(n_rows), "--beat", beat_file]


def measure(kind: str, n_rows: int, n_keys: int) -> Figures:
    terminal = Terminal(command_for(kind, n_rows))
    try:
        start = terminal.ready()
        row, page = (terminal.press(KEYS[key], n_keys) for key in ("down", "pgdn"))
        rss = terminal.rss_mib()
    finally:
        terminal.close()
    return Figures(*start, *row, *page, rss, unread_gap(kind, min(n_rows, 1000)))


def unread_gap(kind: str, n_rows: int) -> float:
    with tempfile.TemporaryDirectory() as place:
        beat = Path(place) / "beat"
        terminal = Terminal(command_for(kind, n_rows, str(beat)))
        try:
            terminal.ready()
            os.write(terminal.fd, KEYS["pgdn"] * 20)  # work for a terminal that does not look
            time.sleep(UNREAD_S)
            until = time.perf_counter() + DRAIN_S
            while time.perf_counter() < until:  # look again, so that a blocked loop goes on and says its gap
                terminal.read(0.1)
            return float(beat.read_text()) * 1e3
        finally:
            terminal.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", default="1000,10000,100000")
    parser.add_argument("--keys", type=int, default=20)
    parser.add_argument("--be", default="", help=argparse.SUPPRESS)
    parser.add_argument("--beat", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    rows = [int(part) for part in given.rows.split(",")]
    if given.be:
        run_app(given.be, rows[0], given.beat)
        return
    print(f"python {sys.version.split()[0]}, terminal {SIZE[0]}x{SIZE[1]}, {N_COLUMNS} columns")
    print("table        rows    start ms  bytes   row ms  B/key  page ms  B/key   MiB  unread ms")
    for n_rows in rows:
        for kind in ("line-delta", "line-stock", "data-delta", "data-stock"):
            f = measure(kind, n_rows, given.keys)
            print(
                f"{kind:11s} {n_rows:7,d} {f.start:9.0f} {f.start_bytes:7,d} {f.row_key:8.1f}"
                f" {f.row_bytes:6,d} {f.page_key:8.1f} {f.page_bytes:6,d} {f.rss_mib:5.0f} {f.unread:9.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
