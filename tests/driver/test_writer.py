"""The writer thread and the whole driver on real pseudo-terminals, read and unread."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import tty
from collections.abc import Iterator
from pathlib import Path

import pyte
import pytest

from tui_sweeps.driver.stream import Stream
from tui_sweeps.driver.styles import StyleTable
from tui_sweeps.driver.writer import STOP_WAIT_S, Writer

WIDTH, HEIGHT = 60, 20
WAIT_S = 10.0


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    master, slave = pty.openpty()
    tty.setraw(slave)
    set_size(master, WIDTH, HEIGHT)
    yield master, slave
    os.close(master)
    os.close(slave)


def set_size(master: int, width: int, height: int) -> None:
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))


def read_until(master: int, wanted: bytes) -> bytes:
    seen = b""
    while wanted not in seen:
        ready, _, _ = select.select([master], [], [], WAIT_S)
        assert ready, f"{wanted!r} did not come, only {seen[-200:]!r}"
        seen += os.read(master, 65536)
    return seen


def full_frame(number: int) -> str:
    """Every cell differs from the frame before, in ever new colours."""
    lines = []
    for y in range(HEIGHT):
        cells = "".join(f"\x1b[38;2;{number % 256};{x * 4};{y}m{(number + x + y) % 10}" for x in range(WIDTH))
        lines.append(f"\x1b[{y + 1};1H{cells}\x1b[0m")
    return "".join(lines)


def test_picture_arrives_and_so_does_what_is_passed_on(terminal: tuple[int, int]) -> None:
    master, slave = terminal
    writer = Writer(Stream(StyleTable()), slave)
    writer.start()
    writer.feed("\x1b[?1049h\x1b[?25l\x1b[3;5Hhello 宽")
    writer.flush()
    seen = read_until(master, "宽".encode())
    writer.stop()
    assert seen.startswith(b"\x1b[?1049h\x1b[?25l")
    screen = pyte.Screen(WIDTH, HEIGHT)
    pyte.Stream(screen).feed(seen.decode())
    assert screen.display[2].strip() == "hello 宽"


def test_unread_terminal_never_holds_up_the_one_who_draws(terminal: tuple[int, int]) -> None:
    master, slave = terminal
    writer = Writer(Stream(StyleTable()), slave)
    writer.start()
    # Some 60 times what a pty takes: whoever waited for the terminal would wait for ever.
    for number in range(60):
        writer.feed(f"\x1b[?1049h{full_frame(number)}" if not number else full_frame(number))
        writer.flush()
    writer.feed("\x1b[1;1H\x1b[0mnewest")
    writer.flush()
    seen = read_until(master, b"newest")
    assert len(seen) < 5 * len(full_frame(0)), "old frames were sent to a terminal that was behind"
    writer.stop()


def test_stop_is_bounded_when_nobody_reads(terminal: tuple[int, int]) -> None:
    _, slave = terminal
    writer = Writer(Stream(StyleTable()), slave)
    writer.start()
    writer.feed("\x1b[?1049h" + full_frame(1))
    writer.flush()
    stopping = threading.Thread(target=writer.stop)
    stopping.start()
    stopping.join(WAIT_S)
    assert not stopping.is_alive(), f"stop waits {STOP_WAIT_S} s for a terminal, not for ever"


def test_stop_sends_what_is_left_to_a_terminal_that_reads(terminal: tuple[int, int]) -> None:
    master, slave = terminal
    writer = Writer(Stream(StyleTable()), slave)
    writer.start()
    writer.feed("\x1b[?1049h" + full_frame(1))
    writer.feed("\x1b[?1049l\x1b[?25h")
    seen: list[bytes] = []
    reader = threading.Thread(target=lambda: seen.append(read_until(master, b"\x1b[?25h")))
    reader.start()
    writer.stop()
    reader.join(WAIT_S)
    assert seen
    assert seen[0].endswith(b"\x1b[?1049l\x1b[?25h")


def test_lost_terminal_is_no_error() -> None:
    master, slave = pty.openpty()
    writer = Writer(Stream(StyleTable()), slave)
    writer.start()
    os.close(master)
    os.close(slave)
    writer.feed("\x1b[?1049h" + full_frame(1))
    writer.flush()
    threads = [thread for thread in threading.enumerate() if thread.name == "terminal-writer"]
    writer.stop()
    for thread in threads:
        thread.join(WAIT_S)
    assert not any(thread.is_alive() for thread in threads)


def test_new_size_is_noticed_and_painted_whole(terminal: tuple[int, int]) -> None:
    master, slave = terminal
    writer = Writer(Stream(StyleTable()), slave)
    writer.start()
    writer.feed("\x1b[?1049h\x1b[1;1Hfirst")
    writer.flush()
    read_until(master, b"first")
    set_size(master, 30, 10)
    writer.feed("\x1b[2;1Hsecond")
    writer.flush()
    seen = read_until(master, b"second")
    writer.stop()
    assert b"\x1b[2J" in seen
    assert b"first" in seen


APP = """
import asyncio, os, sys
from textual.app import App
from textual.widgets import Static
from tui_sweeps.driver import DeltaDriver

class Busy(App):
    def compose(self):
        yield Static("ready", markup=False)

    async def on_mount(self):
        self.run_worker(self.draw())

    async def draw(self):
        loop = asyncio.get_running_loop()
        longest = 0.0
        for number in range(40):
            self.query_one(Static).update(str(number % 10) * 12000)
            before = loop.time()
            await asyncio.sleep(0.005)
            longest = max(longest, loop.time() - before)
        with open(sys.argv[1], "w") as file:
            file.write(str(longest))
        self.exit()

Busy(driver_class=DeltaDriver).run()
"""


def test_app_on_an_unread_terminal_keeps_its_loop_and_ends(tmp_path: Path, terminal: tuple[int, int]) -> None:
    master, slave = terminal
    set_size(master, 200, 60)
    longest = tmp_path / "longest"
    environ = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    app = subprocess.Popen(
        [sys.executable, "-c", APP, str(longest)], stdin=slave, stdout=slave, stderr=slave, env=environ
    )
    try:
        assert app.wait(30) == 0
    finally:
        app.kill()
    assert float(longest.read_text()) < 10.0  # waiting for the terminal would never end


STOPPED_WHILE_DRAWING = """
import os, signal, sys
from textual.app import App
from textual.widgets import Static
from tui_sweeps.driver import DeltaDriver
from tui_sweeps.driver.stream import Stream

class Stopping(Stream):
    def feed(self, data):
        super().feed(data)
        if "before" in data and not self.has_stopped:
            Stopping.has_stopped = True
            os.kill(os.getpid(), signal.SIGTSTP)  # the writer's lock is held here
    has_stopped = False

sys.modules["tui_sweeps.driver.driver"].Stream = Stopping

class Small(App):
    def compose(self):
        yield Static("before", markup=False)

    def on_key(self):
        self.query_one(Static).update("after")

Small(driver_class=DeltaDriver).run()
"""


def test_stop_that_comes_while_the_picture_is_locked_waits_for_the_turns_end(
    terminal: tuple[int, int],
) -> None:
    master, slave = terminal
    environ = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    app = subprocess.Popen(
        [sys.executable, "-c", STOPPED_WHILE_DRAWING], stdin=slave, stdout=slave, stderr=slave, env=environ
    )
    try:
        read_until(master, b"\x1b[?1049l")
        os.waitid(os.P_PID, app.pid, os.WSTOPPED | os.WNOWAIT)
        app.send_signal(signal.SIGCONT)
        read_until(master, b"\x1b[?1049h")
        app.send_signal(signal.SIGCONT)  # once more, to one that runs
        os.write(master, b"x")
        read_until(master, b"after")
    finally:
        app.kill()
        app.wait()
