"""A real pseudo-terminal with a dashboard in it, and a screen that shows what a person would see."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time
from collections.abc import Callable

import pyte

from tests.system.lab import WAIT_S, Lab

KEYS = {"enter": "\r", "escape": "\x1b", "up": "\x1b[A", "down": "\x1b[B", "tab": "\t", "end": "\x1b[F"}


class Terminal:
    """`tui-sweeps`, or another program, on a terminal of its own."""

    def __init__(
        self, lab: Lab, *argv: str, columns: int = 110, lines: int = 32, program: tuple[str, ...] = ()
    ) -> None:
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self.n_bytes = 0
        self.sent = b""
        """The latest megabyte that the program wrote."""
        # A worker of xdist has a size of its own in the environment, which would win over the terminal's.
        environment = {k: v for k, v in lab.environment.items() if k not in ("COLUMNS", "LINES")}
        environment |= {"TERM": "xterm-256color", "LANG": "C.UTF-8"}
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            os.chdir(lab.project)
            command = program or (sys.executable, "-m", "tui_sweeps", *argv)
            os.execvpe(command[0], command, environment)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.exit_code: int | None = None

    @property
    def text(self) -> str:
        """What is on the screen now."""
        return "\n".join(self.screen.display)

    def press(self, *keys: str) -> None:
        """Type keys by their names."""
        for key in keys:
            os.write(self._master, KEYS.get(key, key).encode())

    def type_at_once(self, *keys: str) -> None:
        """Type keys by their names in one write, as somebody does who does not wait for the screen."""
        os.write(self._master, "".join(KEYS.get(key, key) for key in keys).encode())

    def until(self, condition: str | Callable[[str], bool]) -> str:
        """Read the terminal until the text is there."""
        deadline = time.monotonic() + WAIT_S
        while True:
            text = self.text
            if condition in text if isinstance(condition, str) else condition(text):
                return text
            left = deadline - time.monotonic()
            assert left > 0, f"waited in vain for {condition!r}:\n{text}"
            if not self.read(left):
                text = self.text
                assert condition in text if isinstance(condition, str) else condition(text), text
                return text

    def read(self, wait_s: float) -> bool:
        """Take in what the program wrote; False when it is gone."""
        ready, _, _ = select.select([self._master], [], [], wait_s)
        if not ready:
            return True
        try:
            data = os.read(self._master, 65536)
        except OSError:
            return False
        self.n_bytes += len(data)
        self.sent = (self.sent + data)[-(1 << 20) :]
        # pyte takes the private marker of some sequences for text; they draw nothing.
        self._stream.feed(data)
        return bool(data)

    def until_gone(self) -> int:
        """Read until the program has ended; return its exit code."""
        while self.read(WAIT_S):
            pass
        return self._wait()

    def hang_up(self) -> int:
        """Close the terminal, as a lost connection does; return the program's exit code."""
        os.close(self._master)
        self._master = -1
        return self._wait()

    def kill(self) -> None:
        """End the program without a warning."""
        os.kill(self.pid, 9)
        self._wait()

    def close(self) -> None:
        """End the program if it still runs."""
        if self.exit_code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, 9)
            self._wait()
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def _wait(self) -> int:
        fd = os.pidfd_open(self.pid)
        try:
            ended, _, _ = select.select([fd], [], [], WAIT_S)
            assert ended, "the dashboard did not end"
        finally:
            os.close(fd)
        _, status = os.waitpid(self.pid, 0)
        self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code
