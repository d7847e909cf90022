"""The dashboard: attaches to the controller of the home, or embeds one."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from msgspec import Struct

from controller.client.connection import connect
from controller.client.door import Client, ClientError, DeniedError, UnreachableError
from controller.domain.commands import LaunchAgents
from controller.domain.queries import GetStatus
from controller.settings import Home
from tui_sweeps.cli.outcomes import ConfigurationError, UsageError
from tui_sweeps.cli.reach import actor, order
from tui_sweeps.cli.sweeps import await_file, create

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
        from tui_sweeps.cli.embedding import embedded  # the whole controller, which an attached one spares

        return Left(goes_on=embedded(home, lambda client: _show(client, home, sweep_id, goal)))
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
