"""Launching agents: what is typed into the form, what it becomes, and what will happen, before it happens."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from controller.domain.arrays import ArrayError, read_array, read_time_limit
from controller.domain.batch import ends_in_exec, plan, plan_own, sbatch_arguments
from controller.domain.commands import LaunchAgents, SubmitArray
from controller.domain.sweeps import Sweep
from controller.domain.world import World
from tui_sweeps.format import counted
from tui_sweeps.views.drafts import expanded, source_of
from tui_sweeps.views.tally import tally

LOCAL, SLURM = "local", "slurm"

WAYS = {LOCAL: "agents on this machine", SLURM: "SLURM array"}

N_AGENTS_MOST = 256
"""More processes than any login node bears; a slip of the finger should not start them."""


@dataclass(frozen=True, slots=True)
class Field:
    """One line of the form."""

    key: str
    label: str
    hint: str
    first: str = ""
    """What stands there the first time."""
    option: str = ""
    """The option of sbatch that it becomes."""


FIELDS: dict[str, tuple[Field, ...]] = {
    LOCAL: (
        Field("n", "Agents", "processes on this machine", "2"),
        Field("count", "Runs each", "empty: until the sweep is done"),
    ),
    SLURM: (
        Field("array", "Tasks", "1-12, 1-12%2 (two at a time), 1,3,8-10", "1-4"),
        Field("task_count", "Runs per task", "empty: until the sweep is done"),
        Field("partition", "Partition", "the site's default", option="partition"),
        Field("time", "Time limit", "minutes, h:mm:ss or d-hh", option="time"),
        Field("gres", "Resources", "gpu:1", option="gres"),
        Field("cpus", "CPUs per task", "the site's default", option="cpus-per-task"),
        Field("mem", "Memory", "16G", option="mem"),
        Field("extra", "More of sbatch", "--account=lab --constraint=a100"),
        Field("script", "Batch script", "a file of your own; empty: the one shown"),
    ),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where agents are started from."""

    program: tuple[str, ...]
    """What starts this program on a node; an absolute path first."""
    home: str


@dataclass(frozen=True, slots=True)
class Planned:
    """What the form means."""

    command: LaunchAgents | SubmitArray | None
    """None: it means nothing yet."""
    problem: str = ""
    """What is wrong with it, and what to do."""
    summary: str = ""
    """What will happen, in numbers."""
    script: str = ""
    """The exact text that is run or submitted."""


def first_values(way: str) -> dict[str, str]:
    """Return what stands in the fields the first time."""
    return {field.key: field.first for field in FIELDS[way]}


def planned(world: World, sweep: Sweep, way: str, values: Mapping[str, str], place: Place) -> Planned:
    """Return what these values mean for a sweep."""
    try:
        return (_local if way == LOCAL else _array)(world, sweep, values, place)
    except ArrayError as error:
        return Planned(None, f"{error}. {error.hint}." if error.hint else f"{error}.")


def _local(world: World, sweep: Sweep, values: Mapping[str, str], place: Place) -> Planned:
    n_agents = _whole(values, "n", "Agents", 1, N_AGENTS_MOST) or 1
    each = _whole(values, "count", "Runs each", 1)
    words = [*place.program, "agent", "--home", place.home, *_count_words(each), sweep.id]
    return Planned(
        LaunchAgents(sweep_id=sweep.id, n_agents=n_agents, count=each),
        summary=f"{counted(n_agents, 'agent')}, {_share(world, sweep, n_agents, each)}",
        script=shlex.join(words) + "\n",
    )


def _array(world: World, sweep: Sweep, values: Mapping[str, str], place: Place) -> Planned:
    each = _whole(values, "task_count", "Runs per task", 1)
    array, options = values.get("array", ""), _options(values)
    if own := values.get("script", "").strip():
        command = _own(sweep, own, array=array, count=each, options=options)
    else:
        command = plan(
            sweep, program=place.program, home=place.home, array=array, count=each, options=options
        )
    n_tasks = len(read_array(command.array).indexes)
    limit = f", {command.throttle} at a time" if command.throttle else ""
    deaf = "; its last line is not `exec …`: SLURM's signals will not reach the agent"
    signals = deaf if own and not ends_in_exec(command.script) else ""
    head = sbatch_arguments(name="tui-sweeps-…", array=command.array, throttle=command.throttle, options=())
    return Planned(
        command,
        summary=f"{counted(n_tasks, 'task')}{limit}, {_share(world, sweep, n_tasks, each)}{signals}",
        script=f"$ sbatch {' '.join(head)}\n{command.script}",
    )


def _own(sweep: Sweep, path: str, *, array: str, count: int | None, options: Sequence[str]) -> SubmitArray:
    """Return what submits the user's own script, which is read anew whenever something is typed."""
    here = Path.cwd()
    try:
        script = source_of(expanded(here, path))
    except ValueError as error:
        raise ArrayError(f"Batch script: {error}") from error
    return plan_own(sweep, script=script, directory=str(here), array=array, count=count, options=options)


def _options(values: Mapping[str, str]) -> Sequence[str]:
    options = [
        f"--{field.option}={text}"
        for field in FIELDS[SLURM]
        if field.option and (text := values.get(field.key, "").strip())
    ]
    limit = values.get("time", "").strip()
    if limit and read_time_limit(limit) is None:
        raise ArrayError(f"Time limit: {limit} is no time", "minutes, h:mm:ss or d-hh, as 90, 2:00:00, 1-12")
    try:
        return [*options, *shlex.split(values.get("extra", ""))]
    except ValueError as error:
        raise ArrayError(f"More of sbatch: {error}".rstrip("."), "quote it as a shell needs it") from error


def _whole(values: Mapping[str, str], key: str, label: str, least: int, most: int = 10**6) -> int | None:
    text = values.get(key, "").strip()
    if not text and key != "n":
        return None
    if not text.isascii() or not text.isdecimal() or not least <= int(text) <= most:
        raise ArrayError(f"{label}: {text or 'nothing'} is no whole number from {least} to {most}")
    return int(text)


def _count_words(each: int | None) -> list[str]:
    return [] if each is None else ["--count", str(each)]


def _share(world: World, sweep: Sweep, n_agents: int, each: int | None) -> str:
    """Return how many runs that makes, and how many there are left."""
    runs = "until the sweep is done" if each is None else f"{counted(n_agents * each, 'run')} in all"
    if sweep.n_expected is None:
        return f"{runs}; the sweep has no end"
    numbers = tally(world, sweep.id)
    left = max(0, sweep.n_expected - numbers.n_ended - numbers.n_active)
    return f"{runs}; {counted(left, 'run')} left to hand out"
