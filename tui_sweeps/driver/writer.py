"""The thread that owns the terminal's output.

It takes the newest picture, sends the difference, waits until the terminal has taken it, and only then looks
again: what changed in between is never sent. Nothing ever waits for this thread but its end, and that for a
bounded time, whether the terminal reads or not.
"""

from __future__ import annotations

import os
import select
import shutil
import threading
import time
from dataclasses import dataclass

from tui_sweeps.driver.delta import Shown
from tui_sweeps.driver.grid import Row
from tui_sweeps.driver.stream import Stream

__all__ = ["Writer", "STOP_WAIT_S"]

STOP_WAIT_S = 0.5
"""How long the end of the program waits for a terminal that does not read."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """One look at the stream."""

    passed: str
    rows: dict[int, Row]
    forget: bool
    alternate: bool
    synchronized: bool
    cursor: tuple[int, int]


class Writer:
    """Draws a stream's picture on the terminal behind a file descriptor."""

    def __init__(self, stream: Stream, fileno: int) -> None:
        self.n_bytes_sent = 0
        """Since the start, for whoever watches the link."""
        self._stream = stream
        self._lock = threading.Lock()
        self._fileno, self._owned = _own_description(fileno)
        self._wake = threading.Event()
        self._stop_reader, self._stop_writer = os.pipe()
        self._deadline = float("inf")
        self._gone = False
        self._shown = Shown(stream.styles, 0, 0)
        self._thread = threading.Thread(target=self._run, name="terminal-writer", daemon=True)

    def start(self) -> None:
        """Start sending."""
        self._thread.start()

    def feed(self, data: str) -> None:
        """Draw Textual's output on the picture; never waits for the terminal."""
        with self._lock:
            self._stream.feed(data)
            has_news = bool(self._stream.passed)
        if has_news:
            self._wake.set()

    def flush(self) -> None:
        """Say that the picture is whole and may be sent."""
        self._wake.set()

    def stop(self) -> None:
        """Send what is left if the terminal takes it in time, and end."""
        self._deadline = time.monotonic() + STOP_WAIT_S
        self._wake.set()
        os.write(self._stop_writer, b".")
        self._thread.join(STOP_WAIT_S * 2)
        if not self._thread.is_alive():  # else the thread still holds them, and ends with the process
            for fileno in (self._stop_reader, self._stop_writer, *([self._fileno] if self._owned else [])):
                os.close(fileno)

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            is_last = self._deadline != float("inf")
            taken, size = self._take()
            if not self._send(self._output(taken, size)) or (is_last and not self._wake.is_set()):
                return

    def _take(self) -> tuple[_Taken, tuple[int, int]]:
        size = self._size()
        with self._lock:
            stream = self._stream
            forget = stream.forget or size != (self._shown.width, self._shown.height)
            grid = stream.grid
            n_rows = min(len(grid.rows), size[1])
            ys = range(n_rows) if forget else sorted(y for y in grid.dirty if y < n_rows)
            taken = _Taken(
                passed="".join(stream.passed),
                rows={y: grid.rows[y].cropped(size[0]) for y in ys} if stream.alternate else {},
                forget=forget,
                alternate=stream.alternate,
                synchronized=stream.synchronized,
                cursor=(stream.x, stream.y),
            )
            stream.passed.clear()
            if stream.alternate:
                stream.forget = False
                grid.dirty.clear()
        return taken, size

    def _output(self, taken: _Taken, size: tuple[int, int]) -> str:
        if not taken.alternate:
            return taken.passed
        if taken.forget:
            self._shown.forget(*size)
        frame = self._shown.update(taken.rows, taken.cursor)
        if frame and taken.synchronized:
            frame = f"\x1b[?2026h{frame}\x1b[?2026l"
        return taken.passed + frame

    def _send(self, text: str) -> bool:
        """Write it all, waiting for the terminal as long as nobody stops us; False when time is over."""
        rest = memoryview(text.encode("utf-8", "replace"))
        while rest and not self._gone:
            try:
                n_written = os.write(self._fileno, rest)
            except BlockingIOError:
                n_written = 0
            except OSError:  # hung up: the picture goes on in memory, the program decides what that means
                self._gone = True
                break
            self.n_bytes_sent += n_written
            rest = rest[n_written:]
            if rest and not self._wait_writable():
                return False
        return True

    def _wait_writable(self) -> bool:
        stopping = self._deadline != float("inf")
        left_s = max(0.0, self._deadline - time.monotonic()) if stopping else None
        watched = [] if stopping else [self._stop_reader]
        _, writable, _ = select.select(watched, [self._fileno], [], left_s)
        return bool(writable) or not stopping

    def _size(self) -> tuple[int, int]:
        try:
            width, height = os.get_terminal_size(self._fileno)
        except OSError:
            width, height = 0, 0
        if width <= 0 or height <= 0:
            width, height = shutil.get_terminal_size()
        return width, height


def _own_description(fileno: int) -> tuple[int, bool]:
    """Open the terminal once more, non-blocking, without touching the descriptor shared with the shell.

    Returns (descriptor, ours). Where that is impossible the given one is used as it is; a write may then
    block the writer thread, never the event loop.
    """
    try:
        flags = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
        return os.open(os.ttyname(fileno), flags), True
    except OSError:
        return fileno, False
