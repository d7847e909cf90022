"""Registering and steering sweeps with the client's words."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from controller.client.door import Client, ClientError
from controller.domain.commands import CancelSweep, CreateSweep, PauseSweep, ResumeSweep, StopSweep
from controller.domain.problems import describe
from controller.domain.replies import Accepted, Refused, Reply
from controller.domain.sweepfile import Severity, read
from controller.domain.sweeps import Sweep, SweepConfig
from controller.wandb_api.faults import FaultError

DEFAULT_ENTITY = "local"
DEFAULT_PROJECT = "uncategorized"
FILE = "sweep config"

_STATES: dict[str, type[PauseSweep] | type[ResumeSweep] | type[StopSweep] | type[CancelSweep]] = {
    "PAUSED": PauseSweep,
    "RUNNING": ResumeSweep,
    "FINISHED": StopSweep,
    "CANCELED": CancelSweep,
    "CANCELLED": CancelSweep,
}

SizeOf = Callable[[SweepConfig], int | None]
"""Counts the points of a sweep's space; raises ValueError where a grid cannot be enumerated."""


async def register(
    door: Client, arguments: dict[str, Any], *, size_of: SizeOf, actor: str
) -> tuple[str, list[str]]:
    """Register a sweep; return its id and what is odd about its config.

    Every refusal is a 400, also one that may pass: after a 5xx the client asks twenty times, and each time
    could make another sweep.

    Raises:
        FaultError: it is refused; nothing was changed.
    """
    source = arguments.get("config")
    if not isinstance(source, str) or not source.strip():
        raise FaultError(400, "a sweep needs a config")
    reading = read(source)
    errors = [describe(p, FILE) for p in reading.problems if p.severity is Severity.ERROR]
    if reading.config is None:
        raise FaultError(400, "; ".join(errors) or "the sweep config cannot be used")
    config = reading.config
    try:
        size = size_of(config)
    except ValueError as error:
        raise FaultError(400, f"{FILE}: {error}") from error
    create = CreateSweep(
        config=config,
        source=source,
        directory="",  # the client does not say where it is; agents start programs where they are
        n_expected=size,
        project=arguments.get("projectName") or config.project or DEFAULT_PROJECT,
        entity=arguments.get("entityName") or config.entity or DEFAULT_ENTITY,
        name=arguments.get("displayName") or config.name or "",
        prior_runs=prior_runs(arguments.get("priorRunsFilters")),
        actor=actor,
    )
    reply = await _send(door, create)
    warnings = [describe(p, FILE) for p in reading.problems if p.severity is not Severity.ERROR]
    return reply.ids[0], warnings


async def steer(door: Client, sweep: Sweep, state: str, *, actor: str) -> None:
    """Give one of the four verbs.

    Raises:
        FaultError: it is refused.
    """
    kind = _STATES.get(state.upper())
    if kind is None:
        raise FaultError(400, f"there is no sweep state {state}: give {', '.join(_STATES)}")
    await _send(door, kind(sweep_id=sweep.id, actor=actor))


async def _send(
    door: Client, command: CreateSweep | PauseSweep | ResumeSweep | StopSweep | CancelSweep
) -> Accepted:
    try:
        reply: Reply = await door.send(command)
    except ClientError as error:
        raise FaultError(400, f"{error}; try again") from error
    if isinstance(reply, Accepted):
        return reply
    if isinstance(reply, Refused):
        raise FaultError(400, reply.reason + (f"; {reply.hint}" if reply.hint else ""))
    raise FaultError(400, f"the controller answered {type(reply).__name__}")


def prior_runs(filters: Any) -> tuple[str, ...]:
    """Return the run ids of `-R`: the client sends `{"$or": [{"name": RUN_ID}, ...]}`.

    Raises:
        FaultError: something else was sent.
    """
    if filters is None:
        return ()
    try:
        found = json.loads(filters)
        return tuple(str(clause["name"]) for clause in found["$or"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise FaultError(400, "prior runs are named by their ids") from error
