"""How a command meets the controller, and how what it answers becomes an outcome."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from controller.client.connection import connect
from controller.client.door import Client, ClientError, DeniedError
from controller.domain.commands import Command
from controller.domain.queries import Answer, NotFound, Query
from controller.domain.replies import Accepted, Refused
from controller.domain.runs import Run
from controller.domain.sweeps import Sweep
from controller.domain.world import World
from controller.runtime.lockfile import HomeError
from controller.settings import Home
from tui_sweeps.cli.outcomes import AwayError, CommandError, ConfigurationError
from tui_sweeps.cli.output import tell

T = TypeVar("T", bound=Answer)


@asynccontextmanager
async def controller_of(home: Home, *, start: bool = False) -> AsyncIterator[Client]:
    """Meet the controller of a home; with `start`, start one in the background when there is none."""
    if start:
        from controller.runtime.standing import ensure_controller

        ensure_controller(home)
    client = connect(home, say=tell)
    try:
        yield client
    finally:
        await client.close()


async def world_of(client: Client) -> World:
    """Return everything that is true now."""
    return World((await client.snapshot()).facts)


async def order(client: Client, command: Command) -> Accepted:
    """Send a command.

    Raises:
        CommandError: it was refused.
    """
    reply = await client.send(command)
    if isinstance(reply, Accepted):
        return reply
    if isinstance(reply, Refused):
        raise CommandError(reply.reason, reply.hint)
    raise CommandError(f"the controller answered {type(reply).__name__}")


async def answer(client: Client, query: Query, kind: type[T]) -> T:
    """Ask a query and return its answer.

    Raises:
        CommandError: there is no such thing.
    """
    found = await client.ask(query)
    if isinstance(found, kind):
        return found
    if isinstance(found, NotFound):
        raise CommandError(found.reason, found.hint)
    raise CommandError(f"the controller answered {type(found).__name__}")


def find_sweep(world: World, sweep_id: str) -> Sweep:
    """Return the sweep of an id in any of W&B's three forms.

    Raises:
        CommandError: there is none.
    """
    *context, bare = sweep_id.split("/")
    sweep = world.sweeps.get(bare)
    if sweep is None:
        raise CommandError(f"there is no sweep {sweep_id}", "list the sweeps with `tui-sweeps ls`")
    if context and context[-1] != sweep.project:
        raise CommandError(
            f"sweep {bare} belongs to project {sweep.project}, not {context[-1]}",
            f"use {sweep.project}/{bare} or the bare id",
        )
    return sweep


def find_run(world: World, run_id: str) -> Run:
    """Return a run by its id, or by its name where that is unique.

    Raises:
        CommandError: there is none, or more than one.
    """
    run = world.runs.get(run_id)
    if run is not None:
        return run
    named = [run for run in world.runs.values() if run.name == run_id]
    if len(named) == 1:
        return named[0]
    if named:
        ids = ", ".join(run.id for run in named[:5])
        raise CommandError(f"{len(named)} runs are called {run_id}: {ids}", "give the id")
    raise CommandError(f"there is no run {run_id}", "list runs with `tui-sweeps runs SWEEP_ID`")


def actor() -> str:
    """Return who gives commands here, as the log of events will name them."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


async def translated(work: Coroutine[Any, Any, int]) -> int:
    """Run a command's coroutine; what keeps the controller from being met becomes an outcome."""
    try:
        return await work
    except (DeniedError, HomeError) as error:
        raise ConfigurationError(str(error), error.hint) from error
    except ClientError as error:
        raise AwayError(str(error), error.hint) from error
