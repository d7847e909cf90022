"""`logs`, `history` and `watch`: what runs say, while they say it."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections.abc import AsyncIterator
from typing import Any

from controller.client.door import Client
from controller.domain.changes import LogGrew, RunStateSet
from controller.domain.feed import Resync
from controller.domain.queries import GetHistory, GetLog, History, Log
from controller.domain.runs import Point
from controller.domain.states import RUN_ENDED, SWEEP_OPEN
from controller.domain.world import World
from controller.settings import Home
from tui_sweeps.cli import shapes
from tui_sweeps.cli.outcomes import UsageError
from tui_sweeps.cli.output import comma_separated, document_line, say
from tui_sweeps.cli.progress import progress_line
from tui_sweeps.cli.reach import answer, controller_of, find_run, find_sweep, world_of

BLOCK_LINES = 2000


async def logs(options: Namespace, home: Home) -> int:
    """Print a run's console lines."""
    if options.raw and sys.stdout.isatty():
        raise UsageError("--raw never goes to a terminal: escape sequences would drive it", "redirect it")
    async with controller_of(home) as client:
        snapshot = await client.snapshot()
        world = World(snapshot.facts)
        run = find_run(world, options.run_id)
        n_printed = await _print_lines(client, run.id, 0, raw=options.raw)
        if not options.follow:
            return 0
        async for now in _worlds(client, world, snapshot.seq, (LogGrew, RunStateSet)):
            run = now.runs[run.id]
            if run.n_log_lines < n_printed:
                n_printed = 0  # the next attempt began
            n_printed = await _print_lines(client, run.id, n_printed, raw=options.raw)
            if run.state in RUN_ENDED and not run.queued:
                break
    return 0


async def _print_lines(client: Client, run_id: str, first: int, *, raw: bool) -> int:
    while True:
        block = await answer(client, GetLog(run_id=run_id, first=first, limit=BLOCK_LINES), Log)
        for line in block.lines:
            if raw:
                sys.stdout.write(line + "\n")
            else:
                say(line.rpartition("\r")[2])
        sys.stdout.flush()
        first = block.first + len(block.lines)
        if len(block.lines) < BLOCK_LINES:
            return first


async def _worlds(client: Client, world: World, since: int, kinds: tuple[type, ...]) -> AsyncIterator[World]:
    """Yield the World now, and again after each batch that has one of these changes."""
    yield world
    async for item in client.changes(since):
        if isinstance(item, Resync):
            world = await world_of(client)
            yield world
            continue
        world.evolve(item.changes)
        if any(isinstance(change, kinds) for change in item.changes):
            yield world


async def history(options: Namespace, home: Home) -> int:
    """Print what a run logged."""
    async with controller_of(home) as client:
        run = find_run(await world_of(client), options.run_id)
        points = (await answer(client, GetHistory(run_id=run.id), History)).points
    if options.csv:
        keys = list(dict.fromkeys(key for point in points for key in point.values))
        rows = ([p.step, p.at, *(p.values.get(key, "") for key in keys)] for p in points)
        comma_separated(["_step", "_timestamp", *keys], rows)
        return 0
    for point in points:
        document_line(_row(point)) if options.json else say(_text(point))
    return 0


def _row(point: Point) -> dict[str, Any]:
    return {**point.values, "_step": point.step, "_timestamp": point.at}


def _text(point: Point) -> str:
    return f"{point.step:6d}  " + "  ".join(f"{key}={value}" for key, value in point.values.items())


async def watch(options: Namespace, home: Home) -> int:
    """Print a progress line per sweep: once, or whenever something changes."""
    async with controller_of(home) as client:
        snapshot = await client.snapshot()
        world = World(snapshot.facts)
        chosen = find_sweep(world, options.sweep_id).id if options.sweep_id else None
        if options.once:
            _print_progress(world, chosen, as_json=options.json)
            return 0
        last = ""
        printed_s = 0.0
        async for now in _worlds(client, world, snapshot.seq, (object,)):
            line = _key(now, chosen)
            over = chosen is not None and now.sweeps[chosen].state not in SWEEP_OPEN
            # At most a line a second: a log file is read by people.
            if line != last and (over or time.monotonic() - printed_s >= 1.0):
                _print_progress(now, chosen, as_json=options.json)
                last, printed_s = line, time.monotonic()
            if over:
                break
    return 0


def _key(world: World, chosen: str | None) -> str:
    return "\n".join(progress_line(world, sweep_id) for sweep_id in _shown(world, chosen))


def _shown(world: World, chosen: str | None) -> list[str]:
    if chosen is not None:
        return [chosen]
    return [sweep.id for sweep in sorted(world.sweeps.values(), key=lambda s: s.created_at)]


def _print_progress(world: World, chosen: str | None, *, as_json: bool) -> None:
    rows = [shapes.sweep_row(world, world.sweeps[sweep_id]) for sweep_id in _shown(world, chosen)]
    if as_json:
        document_line(rows[0] if chosen is not None else rows)
        return
    for sweep_id in _shown(world, chosen):
        say(progress_line(world, sweep_id))
    sys.stdout.flush()
