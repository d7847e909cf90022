"""Textual's Linux driver with its output replaced: give it to an app as `driver_class=DeltaDriver`.

Terminal modes stay Textual's, and so does the parsing of what is typed, but for the escape key
(`keys`). Only public methods are overridden; the stock output thread is started by the base class and ended
at once, unused.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from tui_sweeps.driver.keys import read_keys
from tui_sweeps.driver.stream import Stream
from tui_sweeps.driver.styles import StyleTable
from tui_sweeps.driver.writer import Writer
from tui_sweeps.format import ColourDepth, colour_depth, speaks_unicode

__all__ = ["DeltaDriver"]


class DeltaDriver(LinuxDriver):
    """Sends differences only, from a thread of its own; the event loop never waits for the terminal."""

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._writer: Writer | None = None
        # Textual takes NO_COLOR out of the environment when the app is made.
        self._depth = ColourDepth.NONE if app.no_color else colour_depth(os.environ)
        self._only_ascii = not speaks_unicode(os.environ)
        self._n_bytes_before = 0
        self._stop_now = signal.getsignal(signal.SIGTSTP)  # as Textual does it
        signal.signal(signal.SIGTSTP, self._stop_soon)

    def _stop_soon(self, *_: object) -> None:
        """Handle SIGTSTP between two turns of the loop: now, it may have interrupted the holder of a lock."""
        if self._writer is None:
            os.kill(os.getpid(), signal.SIGSTOP)  # somebody else has the terminal, an editor perhaps
        else:
            self._turns.call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        if self._writer is not None and callable(self._stop_now):
            self._stop_now(signal.SIGTSTP, None)

    @property
    def n_bytes_sent(self) -> int:
        """All bytes sent to the terminal so far."""
        return self._n_bytes_before + (self._writer.n_bytes_sent if self._writer is not None else 0)

    def write(self, data: str) -> None:
        """Draw `data` on the picture; dropped when the terminal is not ours (suspended or closed)."""
        if self._writer is not None:
            self._writer.feed(data)

    def flush(self) -> None:
        """Let the writer send the picture as it is now."""
        if self._writer is not None:
            self._writer.flush()

    def start_application_mode(self) -> None:
        """Take the terminal, unless it is ours: SIGCONT comes also to those that were not stopped."""
        if self._writer is not None:
            return
        self._turns = asyncio.get_running_loop()
        stream = Stream(StyleTable(self._depth), only_ascii=self._only_ascii)
        self._writer = Writer(stream, _terminal_fileno())
        self._writer.start()
        super().start_application_mode()  # type: ignore[no-untyped-call]
        unused, self._writer_thread = self._writer_thread, None
        if unused is not None:
            unused.stop()

    def run_input_thread(self) -> None:
        """Read the terminal, in a thread of its own, until the app lets go of it."""
        read_keys(self.fileno, self.exit_event.is_set, self.process_message)

    def close(self) -> None:
        """Give the terminal back; bounded in time even when nobody reads it."""
        writer = self._writer
        if writer is not None:
            writer.stop()
            self._n_bytes_before += writer.n_bytes_sent
            self._writer = None
        super().close()


def _terminal_fileno() -> int:
    """Return stderr's descriptor, as Textual does, or that of another standard stream that is a terminal."""
    streams = [stream for stream in (sys.__stderr__, sys.__stdout__, sys.__stdin__) if stream is not None]
    for stream in streams:
        if stream.isatty():
            return stream.fileno()
    return streams[0].fileno()
