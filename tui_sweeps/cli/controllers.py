"""`controller start|status|stop|run`: the controller by itself."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from typing import Any

from msgspec import to_builtins

from controller.client import connection
from controller.domain.queries import GetStatus, Status
from controller.runtime import listening, standing
from controller.runtime.endpoint import ListenError
from controller.runtime.lockfile import HomeError, is_alive
from controller.runtime.ownership import OwnedError, read_owner
from controller.settings import Home
from controller.store import StoreError
from tui_sweeps import format as form
from tui_sweeps.cli.outcomes import CommandError, ConfigurationError, UsageError
from tui_sweeps.cli.output import document, say, tell
from tui_sweeps.cli.reach import answer, controller_of

TAKEN_UP_S = 15.0
"""How long a running controller may take to listen elsewhere; it looks every two seconds."""


def controller(options: Namespace, home: Home) -> Any:
    """Do what was asked of the controller."""
    match options.action:
        case "run":
            return _run(options, home)
        case "stop":
            return _stop(options, home)
        case "start":
            return _start(options, home)
        case _:
            return _status(options, home)


def _run(options: Namespace, home: Home) -> int:
    try:
        standing.run_controller(
            home,
            takeover=options.takeover,
            wait_s=options.wait,
            idle_exit_s=options.idle_exit,
            listen=_address(options),
        )
    except OwnedError as error:
        raise CommandError(str(error), error.hint) from error
    except (HomeError, ListenError, StoreError) as error:
        raise ConfigurationError(str(error), error.hint) from error
    return 0


def _address(options: Namespace) -> listening.Listening | None:
    if options.listen is None:
        if options.advertise:
            raise UsageError("--advertise goes with --listen", "tui-sweeps controller start --listen all:0 …")
        return None
    try:
        return listening.read_listening(options.listen, options.advertise, insecure=options.insecure)
    except ListenError as error:
        raise ConfigurationError(str(error), error.hint) from error


async def _start(options: Namespace, home: Home) -> int:
    address = _address(options)
    before = _mark(home)
    if address is not None:
        listening.choose(home, address)
    started = standing.ensure_controller(home, idle_exit_s=None)
    if not options.json:
        say("started" if started else "runs already")
    if address is not None and not started:
        await _until_taken_up(home, before)
    return await _status(options, home)


def _mark(home: Home) -> tuple[int, int] | None:
    """Return what tells one writing of the connection file from the next."""
    try:
        found = home.connection.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


async def _until_taken_up(home: Home, before: tuple[int, int] | None) -> None:
    """Wait until the running controller says anew where it is."""
    try:
        async with asyncio.timeout(TAKEN_UP_S):
            while _mark(home) == before:  # noqa: ASYNC110 (a file tells nobody that it was written)
                await asyncio.sleep(standing.STEP_S)
    except TimeoutError:
        tell("the controller that runs has not taken it up; the address counts from its next start on")
        return
    found = connection.read(home.connection)
    if found is not None and not found.wandb_url:
        tell(f"it listens for no other host now; see {home.logs / 'controller.log'} if it was to")


async def _status(options: Namespace, home: Home) -> int:
    async with controller_of(home) as client:
        status = await answer(client, GetStatus(), Status)
    if options.json:
        document(to_builtins(status))
        return 0
    where = "in a dashboard" if status.embedded else "by itself"
    say(f"pid {status.pid} on {status.host}, {where}, since {form.clock(status.started_at)}")
    say(f"home    {status.home}")
    say(f"socket  {status.socket}")
    if status.listen:
        say(f"listen  {status.listen} (for W&B's client)")
    if status.addresses:
        say(f"nodes   {', '.join(status.addresses)}")
    say(f"agents  {status.n_agents}")
    say(f"CPU     {status.cpu_s / 60:.1f} minutes")
    if status.storage != "ok":
        say(f"storage {status.storage}")
    return 0


def _stop(options: Namespace, home: Home) -> int:
    owner = read_owner(home)
    here = owner is not None and connection.this_machine().is_same(owner.host, owner.boot_id)
    if owner is None or (here and not is_alive(owner)):
        raise CommandError(f"no controller runs for {home.path}")
    if not here:
        raise CommandError(
            f"the controller of {home.path} is pid {owner.pid} on {owner.host}",
            f"ssh {owner.host} tui-sweeps controller stop",
        )
    if not standing.stop_controller(owner.pid):
        raise CommandError(f"pid {owner.pid} did not end", "agents go on meanwhile; see its log")
    document({"pid": owner.pid, "stopped": True}) if options.json else say(
        f"stopped controller {owner.pid}; agents go on and report when the next one starts"
    )
    return 0
