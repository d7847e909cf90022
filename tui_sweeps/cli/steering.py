"""`stop`, `retry`, `ignore` and `delete` of single runs."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable

from controller.domain.commands import DeleteRuns, IgnoreRuns, RetryRuns, StopRuns
from controller.domain.states import RUN_ENDED, RunState
from controller.domain.world import World
from controller.settings import Home
from tui_sweeps.cli.outcomes import CommandError, UsageError
from tui_sweeps.cli.output import document, say
from tui_sweeps.cli.picking import matching
from tui_sweeps.cli.reach import actor, controller_of, find_run, find_sweep, order, world_of


async def stop(options: Namespace, home: Home) -> int:
    """Stop runs."""
    async with controller_of(home) as client:
        world = await world_of(client)
        chosen = _chosen(options, world)
        if options.filter:
            chosen = [run_id for run_id in chosen if world.runs[run_id].state not in RUN_ENDED]
        if not chosen:
            raise CommandError("no run matches", "see `tui-sweeps runs SWEEP_ID`")
        done = await order(client, StopRuns(run_ids=tuple(chosen), actor=actor()))
    _print(options, done.ids, done.text)
    return 0


async def retry(options: Namespace, home: Home) -> int:
    """Queue ended runs again."""
    async with controller_of(home) as client:
        world = await world_of(client)
        chosen = _chosen(options, world)
        if options.failed:
            sweep = find_sweep(world, options.failed)
            broken = (RunState.FAILED, RunState.CRASHED)
            chosen += [
                run_id
                for run_id in world.runs_of[sweep.id]
                if world.runs[run_id].state in broken and not world.runs[run_id].queued
            ]
        if not chosen:
            raise CommandError("no run to retry", "see `tui-sweeps runs SWEEP_ID --filter state:failed`")
        done = await order(
            client, RetryRuns(run_ids=tuple(dict.fromkeys(chosen)), force=options.force, actor=actor())
        )
    _print(options, done.ids, done.text)
    return 0


async def ignore(options: Namespace, home: Home) -> int:
    """Leave runs out of the search, or take them in again."""
    return await _act(
        options,
        home,
        lambda ids: IgnoreRuns(run_ids=ids, ignored=not options.undo, actor=actor()),
    )


async def delete(options: Namespace, home: Home) -> int:
    """Take ended runs out of their sweep."""
    return await _act(options, home, lambda ids: DeleteRuns(run_ids=ids, actor=actor()))


async def _act(
    options: Namespace, home: Home, command: Callable[[tuple[str, ...]], IgnoreRuns | DeleteRuns]
) -> int:
    async with controller_of(home) as client:
        chosen = _chosen(options, await world_of(client))
        if not chosen:
            raise CommandError("no run matches", "see `tui-sweeps runs SWEEP_ID`")
        done = await order(client, command(tuple(dict.fromkeys(chosen))))
    _print(options, done.ids, done.text)
    return 0


def _chosen(options: Namespace, world: World) -> list[str]:
    if options.filter and not options.sweep:
        raise UsageError("--filter needs --sweep SWEEP_ID", "or give run ids")
    if not options.run_ids and not options.sweep and not getattr(options, "failed", None):
        raise UsageError("which runs?", "give run ids, or --sweep SWEEP_ID with --filter")
    chosen = [find_run(world, run_id).id for run_id in options.run_ids]
    if options.sweep:
        if not options.filter:
            raise UsageError("--sweep needs --filter", "to stop a whole sweep: `tui-sweeps sweep --stop ID`")
        chosen += [run.id for run in matching(world, find_sweep(world, options.sweep), options.filter)]
    return chosen


def _print(options: Namespace, run_ids: tuple[str, ...], text: str) -> None:
    if options.json:
        document({"run_ids": list(run_ids), "text": text})
    else:
        say(text)
