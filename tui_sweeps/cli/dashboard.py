"""The dashboard: attaches to the controller of the home, or embeds one, and hands it over when it goes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from msgspec import Struct

from controller.client.connection import connect
from controller.client.door import Client, ClientError, DeniedError, UnreachableError
from controller.domain.commands import LaunchAgents
from controller.domain.queries import GetStatus
from controller.runtime.embedded import EmbeddedController
from controller.runtime.endpoint import ListenError
from controller.runtime.lockfile import HomeError
from controller.runtime.logfile import log_to
from controller.runtime.ownership import OwnedError, make_home
from controller.settings import Home
from controller.store import StoreError
from tui_sweeps.cli.outcomes import CommandError, ConfigurationError, UsageError
from tui_sweeps.cli.output import tell
from tui_sweeps.cli.reach import actor, order
from tui_sweeps.cli.sweeps import await_file, create

RESTORED = b"\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[0m"
"""Takes a terminal back to where a shell can use it: main screen, cursor, no mouse reports, plain text."""

LOOK_S = 5.0
"""How long a controller that is on record may take to answer before we look for another way."""


class Goal(Struct, frozen=True, kw_only=True):
    """A sweep to create as soon as the controller is there."""

    config: Path
    n_agents: int


class Left(Struct, frozen=True, kw_only=True):
    """How the dashboard was left."""

    goes_on: bool
    """The controller works on, in a process of its own."""


def dashboard(home: Home, *, sweep_id: str | None = None, goal: Goal | None = None) -> Left:
    """Show the dashboard until the user leaves it.

    Raises:
        UsageError: there is no terminal that could show it.
        CommandError: the home belongs to a controller that cannot be reached.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the dashboard needs a terminal", "elsewhere use `tui-sweeps watch` or `ls`")
    if os.environ.get("TERM", "dumb") in ("dumb", "unknown", ""):
        raise UsageError("this terminal cannot draw (TERM=dumb)", "use `tui-sweeps watch`")
    if not asyncio.run(_answers(home)):
        return _embedded(home, sweep_id, goal)
    _show(connect(home), home, sweep_id, goal)
    return Left(goes_on=True)


async def _answers(home: Home) -> bool:
    try:
        client = connect(home)
    except DeniedError as error:
        raise ConfigurationError(str(error), error.hint) from error
    except ClientError:
        return False
    try:
        await asyncio.wait_for(client.ask(GetStatus()), LOOK_S)
    except (UnreachableError, TimeoutError):
        return False
    finally:
        await client.close()
    return True


def _embedded(home: Home, sweep_id: str | None, goal: Goal | None) -> Left:
    embedded = EmbeddedController(home)
    try:
        make_home(home)
        log_to(home.logs / "controller.log")  # not to stderr, which is the dashboard's terminal
        embedded.open()
    except OwnedError as error:
        raise CommandError(str(error), error.hint) from error
    except (HomeError, ListenError, StoreError) as error:
        raise ConfigurationError(str(error), error.hint) from error
    with _handed_over_on_hangup(embedded):
        try:
            _show(embedded.door(), home, sweep_id, goal)
        except BaseException:
            _let_go(embedded)
            raise
    return _let_go(embedded)


def _let_go(embedded: EmbeddedController) -> Left:
    if not embedded.has_open_work:
        embedded.close()
        return Left(goes_on=False)
    pid = embedded.hand_over()
    tell(f"sweeps go on under controller {pid}; `tui-sweeps` shows them again")
    return Left(goes_on=True)


@contextmanager
def _handed_over_on_hangup(embedded: EmbeddedController) -> Iterator[None]:
    """When the terminal goes away, the controller moves to a process of its own before this one ends."""
    attributes = termios.tcgetattr(sys.stdin)

    def hung_up(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)
        if number == signal.SIGTERM:
            with suppress(OSError, termios.error):
                os.write(sys.stdout.fileno(), RESTORED)
                termios.tcsetattr(sys.stdin, termios.TCSANOW, attributes)
        if embedded.has_open_work:
            embedded.hand_over()
        else:
            embedded.close()
        # The terminal is gone: nothing of it is left to restore, and its driver may hang on it.
        os._exit(128 + number)

    earlier = {number: signal.signal(number, hung_up) for number in (signal.SIGHUP, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _show(client: Client, home: Home, sweep_id: str | None, goal: Goal | None) -> None:
    from controller.runtime.preview import preview, working_directory
    from tui_sweeps.app import run_dashboard
    from tui_sweeps.views.drafts import Foresight

    async def begin() -> str | None:
        if goal is None:
            return sweep_id
        made = await create(client, goal.config, await_file(goal.config))
        await order(client, LaunchAgents(sweep_id=made, n_agents=goal.n_agents, actor=actor()))
        return made

    foresight = Foresight(preview=preview, directory=working_directory)
    run_dashboard(client, home, begin=begin, actor=actor(), foresight=foresight)
