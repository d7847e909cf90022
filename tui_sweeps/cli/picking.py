"""Which runs a filter text means: the dashboard's own filter language."""

from __future__ import annotations

from controller.domain.runs import Run
from controller.domain.sweeps import Sweep
from controller.domain.world import World
from tui_sweeps.cli.outcomes import UsageError
from tui_sweeps.views.filter import FilterError, RunSubject, matches, parse, run_fields


def matching(world: World, sweep: Sweep, text: str) -> list[Run]:
    """Return a sweep's runs that match a filter, in order of their numbers.

    Raises:
        UsageError: the filter makes no sense; says where.
    """
    runs = [world.runs[run_id] for run_id in world.runs_of[sweep.id]]
    if not text.strip():
        return runs
    keys = dict.fromkeys(key for run in runs for key in run.summary)
    try:
        node = parse(text, run_fields(sweep, keys))
    except FilterError as error:
        pointer = " " * error.start + "^" * max(1, error.end - error.start)
        raise UsageError(f"--filter: {error}", f"{text}\n  {pointer}") from error
    paths = {parameter.name: parameter.path for parameter in sweep.config.parameters}
    return [run for run in runs if matches(node, RunSubject(run, paths))]
