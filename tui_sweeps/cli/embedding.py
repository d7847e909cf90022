"""A controller inside the dashboard's own process, handed over to a process of its own when that goes.

Apart from the dashboard, which needs none of this when it attaches to a controller that runs already.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from controller.client.door import Client
from controller.runtime.embedded import EmbeddedController
from controller.runtime.endpoint import ListenError
from controller.runtime.lockfile import HomeError
from controller.runtime.logfile import log_to
from controller.runtime.ownership import OwnedError, make_home
from controller.settings import Home, home_path
from controller.store import StoreError
from tui_sweeps.cli.outcomes import CommandError, ConfigurationError
from tui_sweeps.cli.output import tell

RESTORED = b"\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[0m"
"""Takes a terminal back to where a shell can use it: main screen, cursor, no mouse reports, plain text."""


def embedded(home: Home, show: Callable[[Client], None]) -> bool:
    """Show the dashboard over a controller of its own; return whether that works on afterwards.

    Raises:
        CommandError: the home belongs to a controller that cannot be reached.
        ConfigurationError: the home cannot be used.
    """
    controller = EmbeddedController(home)
    try:
        make_home(home)
        log_to(home.logs / "controller.log")  # not to stderr, which is the dashboard's terminal
        controller.open()
    except OwnedError as error:
        raise CommandError(str(error), error.hint) from error
    except (HomeError, ListenError, StoreError) as error:
        raise ConfigurationError(str(error), error.hint) from error
    with _handed_over_on_hangup(controller):
        try:
            show(controller.door())
        except BaseException:
            _let_go(controller, home)
            raise
    return _let_go(controller, home)


def _let_go(controller: EmbeddedController, home: Home) -> bool:
    if not controller.has_open_work:
        controller.close()
        return False
    pid = controller.hand_over()
    flag = "" if home.path == home_path() else f" --home {shlex.quote(str(home.path))}"
    tell(f"sweeps go on under controller {pid}; `tui-sweeps{flag}` shows them again")
    return True


@contextmanager
def _handed_over_on_hangup(controller: EmbeddedController) -> Iterator[None]:
    """When the terminal goes away, the controller moves to a process of its own before this one ends."""
    attributes = termios.tcgetattr(sys.stdin)

    def hung_up(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)
        if number == signal.SIGTERM:
            with suppress(OSError, termios.error):
                os.write(sys.stdout.fileno(), RESTORED)
                termios.tcsetattr(sys.stdin, termios.TCSANOW, attributes)
        if controller.has_open_work:
            controller.hand_over()
        else:
            controller.close()
        # The terminal is gone: nothing of it is left to restore, and its driver may hang on it.
        os._exit(128 + number)

    earlier = {number: signal.signal(number, hung_up) for number in (signal.SIGHUP, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
