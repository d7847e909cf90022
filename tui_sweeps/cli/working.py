"""`run` and `demo`: a sweep with agents of its own, until it is done."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
from argparse import Namespace
from collections.abc import Coroutine
from importlib.resources import files
from pathlib import Path
from typing import Any

from controller.client.door import Client
from controller.domain.commands import CancelSweep, LaunchAgents, StopAgents, StopSweep
from controller.domain.feed import Resync
from controller.domain.queries import GetLog, Log
from controller.domain.states import SWEEP_OPEN, RunState, SweepState
from controller.domain.world import World
from controller.settings import Home
from tui_sweeps.cli import shapes
from tui_sweeps.cli.outcomes import CommandError, StoppedError
from tui_sweeps.cli.output import document, tell
from tui_sweeps.cli.progress import ProgressPrinter, milestone, progress_line
from tui_sweeps.cli.reach import actor, answer, controller_of, order, translated, world_of
from tui_sweeps.cli.sweeps import await_file, create
from tui_sweeps.cli.tables import print_best

N_LOG_LINES = 10
"""Console lines shown of a run that broke the sweep."""


def run(options: Namespace, home: Home) -> int | Coroutine[Any, Any, int]:
    """Register a sweep, start agents, and wait for its end."""
    if options.tui:
        return _run_with_dashboard(options, home)
    return _run(Path(options.config), options, home)


async def _run(path: Path, options: Namespace, home: Home) -> int:
    reading = await_file(path)
    async with controller_of(home, start=True) as client:
        sweep_id = await create(
            client,
            path,
            reading,
            project=getattr(options, "project", None),
            name=getattr(options, "name", None),
        )
        tell(f"sweep {sweep_id}: {options.agents} local agent(s)")
        await order(client, LaunchAgents(sweep_id=sweep_id, n_agents=options.agents, actor=actor()))
        world, interrupted = await _until_over(client, sweep_id)
        return await _conclude(
            client, world, sweep_id, as_json=getattr(options, "json", False), interrupted=interrupted
        )


async def _until_over(client: Client, sweep_id: str) -> tuple[World, bool]:
    """Show progress until the sweep is over; return it, and whether Ctrl-C ended it.

    The first Ctrl-C stops the sweep, the second leaves it.
    """
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    me = asyncio.current_task()
    assert me is not None

    def interrupted() -> None:
        if asked.is_set():
            me.cancel()
        asked.set()

    loop.add_signal_handler(signal.SIGINT, interrupted)
    printer = ProgressPrinter()
    try:
        async with asyncio.TaskGroup() as group:
            stopping = group.create_task(_stop_when_asked(client, sweep_id, asked))
            world = await _follow(client, sweep_id, printer)
            stopping.cancel()
        return world, asked.is_set()
    except asyncio.CancelledError as error:
        raise StoppedError(f"left; sweep {sweep_id} is stopping", "see `tui-sweeps`") from error
    finally:
        printer.end()
        loop.remove_signal_handler(signal.SIGINT)


async def _stop_when_asked(client: Client, sweep_id: str, asked: asyncio.Event) -> None:
    await asked.wait()
    tell(f"\nstopping sweep {sweep_id} and its runs; again to leave without waiting")
    await order(client, StopSweep(sweep_id=sweep_id, actor=actor()))
    agents = tuple((await world_of(client)).agents_of[sweep_id])
    if agents:
        await client.send(StopAgents(agent_ids=agents, actor=actor()))


async def _follow(client: Client, sweep_id: str, printer: ProgressPrinter) -> World:
    snapshot = await client.snapshot()
    world = World(snapshot.facts)
    printer.show(progress_line(world, sweep_id), milestone=milestone(world, sweep_id))
    if _over(world, sweep_id):
        return world
    async for item in client.changes(snapshot.seq):
        if isinstance(item, Resync):
            world = await world_of(client)
        else:
            world.evolve(item.changes)
        printer.show(progress_line(world, sweep_id), milestone=milestone(world, sweep_id))
        if _over(world, sweep_id):
            break
    return world


def _over(world: World, sweep_id: str) -> bool:
    sweep = world.sweeps[sweep_id]
    return (sweep.state not in SWEEP_OPEN or sweep.breaker) and not world.open_of[sweep_id]


async def _conclude(
    client: Client, world: World, sweep_id: str, *, as_json: bool, interrupted: bool = False
) -> int:
    sweep = world.sweeps[sweep_id]
    if sweep.breaker:
        # Nobody sits at a dashboard who could resume it: its agents would wait for ever.
        if agents := tuple(world.agents_of[sweep_id]):
            await client.send(StopAgents(agent_ids=agents, actor=actor()))
        await _show_last_failure(client, world, sweep_id)
    if as_json:
        document(shapes.sweep_row(world, sweep))
    elif (best := shapes.best_of(world, sweep)) is not None:
        print_best(sweep, best)
    counts = world.counts_of[sweep_id]
    if sweep.state is SweepState.FINISHED and counts[RunState.FINISHED]:
        return 0
    if sweep.state is SweepState.FINISHED:
        await _show_last_failure(client, world, sweep_id)
        raise CommandError(f"no run of sweep {sweep_id} finished", f"see `tui-sweeps runs {sweep_id}`")
    raise (StoppedError if interrupted else CommandError)(
        f"sweep {sweep_id} is {sweep.state}: {sweep.cause}", f"see `tui-sweeps runs {sweep_id}`"
    )


async def _show_last_failure(client: Client, world: World, sweep_id: str) -> None:
    failed = [
        run for run_id in world.runs_of[sweep_id] if (run := world.runs[run_id]).state is RunState.FAILED
    ]
    if not failed:
        return
    last = max(failed, key=lambda run: run.token or 0)
    log = await answer(client, GetLog(run_id=last.id, first=-N_LOG_LINES, limit=N_LOG_LINES), Log)
    tell(f"the last lines of {last.name} ({last.cause}):")
    for line in log.lines:
        tell(f"  {line}")


def _run_with_dashboard(options: Namespace, home: Home) -> int:
    from tui_sweeps.cli.dashboard import dashboard

    async def begin() -> str:
        path = Path(options.config)
        reading = await_file(path)
        async with controller_of(home, start=True) as client:
            sweep_id = await create(client, path, reading, project=options.project, name=options.name)
            await order(client, LaunchAgents(sweep_id=sweep_id, n_agents=options.agents, actor=actor()))
            return sweep_id

    sweep_id = asyncio.run(_translated(begin()))
    dashboard(home, sweep_id=sweep_id)
    return 0


async def _translated(work: Coroutine[Any, Any, str]) -> str:
    found = ""

    async def keep() -> int:
        nonlocal found
        found = await work
        return 0

    await translated(keep())
    return found


def demo(options: Namespace, home: Home) -> int:
    """Train real models on the digits data, in a home of the demo's own."""
    place = Path(tempfile.mkdtemp(prefix="tui-sweeps-demo-"))
    project = place / "digits"
    project.mkdir()
    for item in files("tui_sweeps").joinpath("digits").iterdir():
        if item.is_file():
            (project / item.name).write_bytes(item.read_bytes())
    own = Home(place / "home")
    keep = False
    try:
        if options.headless:
            options.config = str(project / "sweep_config.yaml")
            options.json = False
            return asyncio.run(translated(_run(Path(options.config), options, own)))
        from tui_sweeps.cli.dashboard import Goal, dashboard

        goal = Goal(config=project / "sweep_config.yaml", n_agents=options.agents)
        keep = dashboard(own, goal=goal).goes_on
        return 0
    finally:
        if not keep:
            _end_demo(own)
            shutil.rmtree(place, ignore_errors=True)


def _end_demo(own: Home) -> None:
    """End what the demo started, and nothing else."""
    from controller.client.door import ClientError
    from controller.runtime import standing
    from controller.runtime.lockfile import is_alive
    from controller.runtime.ownership import read_owner

    async def cancel() -> None:
        async with controller_of(own) as client:
            world = await world_of(client)
            for sweep in world.sweeps.values():
                if sweep.state in SWEEP_OPEN:
                    await order(client, CancelSweep(sweep_id=sweep.id, actor=actor()))
            await _until_agents_left(client)

    owner = read_owner(own)
    if owner is None or not is_alive(owner):
        return
    try:
        asyncio.run(asyncio.wait_for(cancel(), timeout=15.0))
    except (ClientError, CommandError, TimeoutError) as error:
        tell(f"the demo's agents may still be leaving: {error}")
    standing.stop_controller(owner.pid)


async def _until_agents_left(client: Client) -> None:
    snapshot = await client.snapshot()
    world = World(snapshot.facts)
    if not any(world.agents_of.values()):
        return
    async for item in client.changes(snapshot.seq):
        if isinstance(item, Resync):
            world = await world_of(client)
        else:
            world.evolve(item.changes)
        if not any(world.agents_of.values()):
            return
