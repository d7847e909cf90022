"""`ls`, `runs`, `show`, `best`, `importance`: the tables without a dashboard."""

from __future__ import annotations

import time
from argparse import Namespace
from typing import Any

import yaml
from msgspec import to_builtins

from controller.domain.metrics import absence
from controller.domain.parameters import MISSING, leaf
from controller.domain.queries import Attempts, Belief, GetAttempts, GetBelief, GetImportance, ImportanceTable
from controller.domain.runs import Run
from controller.domain.states import RunState
from controller.domain.sweeps import Sweep
from controller.domain.wire import strict
from controller.domain.world import World
from controller.settings import Home
from tui_sweeps import format as form
from tui_sweeps.cli import shapes
from tui_sweeps.cli.outcomes import CommandError
from tui_sweeps.cli.output import comma_separated, document, say, table
from tui_sweeps.cli.picking import matching
from tui_sweeps.cli.reach import answer, controller_of, find_run, find_sweep, world_of


async def ls(options: Namespace, home: Home) -> int:
    """List the sweeps."""
    async with controller_of(home, start=True) as client:
        world = await world_of(client)
    sweeps = sorted(world.sweeps.values(), key=lambda sweep: sweep.created_at)
    if options.json:
        document([shapes.sweep_row(world, sweep) for sweep in sweeps])
        return 0
    if not sweeps:
        say("no sweeps yet; register one with `tui-sweeps sweep CONFIG`")
        return 0
    now_at = time.time()
    titles = ("ID", "NAME", "STATE", "METHOD", "DONE", "RUNNING", "FAILED", "BEST", "AGENTS", "CHANGED")
    table((*titles, "CAUSE"), [_sweep_cells(world, sweep, now_at) for sweep in sweeps])
    return 0


def _sweep_cells(world: World, sweep: Sweep, now_at: float) -> tuple[str, ...]:
    counts = world.counts_of[sweep.id]
    n_done = sum(counts[s] for s in (RunState.FINISHED, RunState.FAILED, RunState.CRASHED, RunState.KILLED))
    best = shapes.best_of(world, sweep)
    return (
        sweep.id,
        sweep.name,
        str(sweep.state),
        str(sweep.config.method),
        f"{n_done}/{'-' if sweep.n_expected is None else sweep.n_expected}",
        str(counts[RunState.RUNNING]),
        str(counts[RunState.FAILED] + counts[RunState.CRASHED]),
        "-" if best is None else form.number(best["value"]),
        str(len(world.agents_of[sweep.id])),
        form.ago(now_at - sweep.updated_at),
        sweep.cause,
    )


async def runs(options: Namespace, home: Home) -> int:
    """List the runs of a sweep."""
    async with controller_of(home) as client:
        world = await world_of(client)
    sweep = find_sweep(world, options.sweep_id)
    chosen = matching(world, sweep, options.filter)
    now_at = time.time()
    if options.json:
        document([shapes.run_row(run, now_at) for run in chosen])
        return 0
    paths = [p.path for p in sweep.config.parameters]
    names = [p.name for p in sweep.config.parameters]
    metric = sweep.config.metric.name if sweep.config.metric else ""
    if options.csv:
        titles = [
            "id",
            "name",
            "state",
            "attempt",
            *names,
            metric or "best",
            "runtime_s",
            "exit_code",
            "cause",
        ]
        comma_separated(titles, [_csv_cells(run, paths, now_at) for run in chosen])
        return 0
    titles = ["ID", "NAME", "STATE", *names, metric or "best", "RUNTIME", "CAUSE"]
    table(titles, [_run_cells(run, paths, now_at) for run in chosen])
    return 0


def _csv_cells(run: Run, paths: list[tuple[str, ...]], now_at: float) -> list[Any]:
    values = [leaf(run.config, path) for path in paths]
    cells = ["" if value is MISSING else value for value in values]
    runtime = shapes.runtime_s(run, now_at)
    return [
        run.id,
        run.name,
        str(run.state),
        run.attempt,
        *cells,
        run.best,
        runtime,
        run.exit_code,
        run.cause,
    ]


def _run_cells(run: Run, paths: list[tuple[str, ...]], now_at: float) -> list[str]:
    values = [leaf(run.config, path) for path in paths]
    cells = ["-" if value is MISSING else _text(value) for value in values]
    runtime = shapes.runtime_s(run, now_at)
    best = "-" if run.best is None else form.number(run.best)
    lasted = "-" if runtime is None else form.duration(runtime)
    cause = ", ".join(filter(None, ("ignored" if run.ignored else "", run.cause)))
    return [run.id, run.name, str(run.state), *cells, best, lasted, cause]


def _text(value: Any) -> str:
    return form.number(value) if isinstance(value, float) else str(value)


async def show(options: Namespace, home: Home) -> int:
    """Print everything about one run."""
    async with controller_of(home) as client:
        world = await world_of(client)
        run = find_run(world, options.run_id)
        attempts = (await answer(client, GetAttempts(run_id=run.id), Attempts)).attempts
    row = shapes.run_whole(run, world.sweeps[run.sweep_id], attempts, time.time())
    if options.json:
        document(row)
    else:
        say(yaml.safe_dump(strict(row), sort_keys=False, allow_unicode=True).rstrip())
    return 0


async def best(options: Namespace, home: Home) -> int:
    """Print the best config as YAML."""
    async with controller_of(home) as client:
        world = await world_of(client)
        sweep = find_sweep(world, options.sweep_id)
        belief = await answer(client, GetBelief(sweep_id=sweep.id), Belief)
    found = shapes.best_of(world, sweep)
    if found is None:
        metric = sweep.config.metric.name if sweep.config.metric else None
        why = "its file names no metric" if metric is None else f"no run has logged {metric} yet"
        runs = [world.runs[run_id] for run_id in world.runs_of[sweep.id]]
        if metric is not None and (missing := absence(runs, metric)[0]):
            why = missing
        raise CommandError(f"sweep {sweep.id} has no best run: {why}")
    expected = _expected(world, belief)
    if options.json:
        document(found | {"expected": expected})
        return 0
    if expected is not None:
        same = "this run" if expected["run_id"] == found["run_id"] else f"run {expected['name']}"
        which = "" if same == "this run" else f" ({expected['run_id']})"
        say(
            f"# with luck taken out, the model expects most of {same}{which}: {expected['value']:.6g} "
            f"({expected['low']:.6g} to {expected['high']:.6g})"
        )
    print_best(sweep, found)
    return 0


def _expected(world: World, belief: Belief) -> dict[str, Any] | None:
    """Return the run that the model expects most of."""
    run = world.runs.get(belief.run_id or "")
    if run is None:
        return None
    figures = {"value": belief.mean, "low": belief.low, "high": belief.high}
    return {"run_id": run.id, "name": run.name, **figures, "config": run.config}


def print_best(sweep: Sweep, found: dict[str, Any]) -> None:
    """Print a best run as a YAML document that a program can read back."""
    metric = sweep.config.metric.name if sweep.config.metric else "best"
    say(f"# {metric}: {found['value']:.6g} by run {found['name']} ({found['run_id']})")
    say(yaml.safe_dump(strict(found["config"]), sort_keys=False, allow_unicode=True).rstrip())


async def importance(options: Namespace, home: Home) -> int:
    """Print which parameters drive a metric."""
    async with controller_of(home) as client:
        sweep = find_sweep(await world_of(client), options.sweep_id)
        query = GetImportance(sweep_id=sweep.id, metric=options.metric, of=options.of)
        found = await answer(client, query, ImportanceTable)
    if options.metric and not found.n_runs and found.note:
        raise CommandError(found.note, "the names are those of `tui-sweeps show RUN_ID`, under summary")
    if options.json:
        document(to_builtins(found))
        return 0
    say(f"{found.metric}, {found.n_runs} runs" + (f": {found.note}" if found.note else ""))
    rows = [
        (
            row.name,
            f"{row.importance:.1%}",
            f"{row.importance_low:.1%} to {row.importance_high:.1%}",
            "-" if row.correlation is None else f"{row.correlation:+.2f}",
        )
        for row in found.parameters
    ]
    if rows:
        table(("PARAMETER", "IMPORTANCE", "INTERVAL", "CORRELATION"), rows)
    return 0
