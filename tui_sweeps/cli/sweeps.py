"""`check` and `sweep`: reading sweep files, registering them, and the four verbs."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from controller.client.door import Client
from controller.domain.bands import bands
from controller.domain.commands import CancelSweep, CreateSweep, PauseSweep, ResumeSweep, SetRunCap, StopSweep
from controller.domain.problems import describe
from controller.domain.sweepfile import Problem, Reading, Severity, read
from controller.domain.sweeps import SweepConfig
from controller.runtime.preview import Preview, preview, size_of, working_directory
from controller.settings import Home
from tui_sweeps.cli import shapes
from tui_sweeps.cli.outcomes import CommandError, UsageError
from tui_sweeps.cli.output import document, say, tell
from tui_sweeps.cli.reach import actor, controller_of, find_run, find_sweep, order, world_of

_BANDS_TOLD = 6

_VERBS: dict[str, type[PauseSweep] | type[ResumeSweep] | type[StopSweep] | type[CancelSweep]] = {
    "pause": PauseSweep,
    "resume": ResumeSweep,
    "stop": StopSweep,
    "cancel": CancelSweep,
}


def check(options: Namespace, home: Home) -> int:
    """Print everything that can be said of a sweep file without running it."""
    path = Path(options.config)
    reading = read(_bytes_of(path))
    problems = list(reading.problems)
    ahead: Preview | None = None
    if reading.config is not None:
        try:
            ahead = preview(reading.config)
        except ValueError as error:
            problems.append(Problem(severity=Severity.ERROR, line=1, column=1, message=str(error), hint=""))
    ok = ahead is not None
    if options.json:
        document(_check_document(ok, reading.config, ahead, problems))
        return 0 if ok else 1
    for problem in problems:
        tell(describe(problem, str(path)))
    if reading.config is None or ahead is None:
        raise CommandError(f"{path} cannot be used")
    _print_check(reading.config, ahead)
    return 0


def _check_document(
    ok: bool, config: SweepConfig | None, ahead: Preview | None, problems: list[Problem]
) -> dict[str, Any]:
    return {
        "ok": ok,
        "method": None if config is None else str(config.method),
        "n_expected": None if ahead is None else ahead.n_expected,
        "size": None if ahead is None else ahead.size,
        "parameters": [] if config is None else [_parameter(p) for p in config.parameters],
        "bands": [] if ahead is None else list(ahead.bands),
        "argv": [] if ahead is None else [list(argv) for argv in ahead.argv],
        "problems": [
            {
                "severity": str(problem.severity),
                "line": problem.line,
                "column": problem.column,
                "message": problem.message,
                "hint": problem.hint,
            }
            for problem in problems
        ],
    }


def _parameter(parameter: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"name": parameter.name, "distribution": str(parameter.distribution)}
    for key in ("values", "probabilities", "min", "max", "q"):
        value = getattr(parameter, key)
        if value not in (None, ()):
            row[key] = list(value) if isinstance(value, tuple) else value
    if "normal" in row["distribution"]:
        row |= {"mu": parameter.mu, "sigma": parameter.sigma}
    if "beta" in row["distribution"]:
        row |= {"a": parameter.a, "b": parameter.b}
    return row


def _print_check(config: SweepConfig, ahead: Preview) -> None:
    size = "unbounded" if ahead.size is None else f"{ahead.size:,} points"
    expected = "no end of its own" if ahead.n_expected is None else f"{ahead.n_expected:,} runs"
    metric = "none" if config.metric is None else f"{config.metric.goal} {config.metric.name}"
    say(f"method      {config.method}")
    say(f"metric      {metric}")
    say(f"space       {size}; {expected}")
    if words := _bands(config):
        say(f"bands       {words}")
    say("parameters")
    for parameter in config.parameters:
        row = _parameter(parameter)
        rest = "  ".join(
            f"{key}={value}" for key, value in row.items() if key not in ("name", "distribution")
        )
        say(f"  {row['name']:24} {row['distribution']:22} {rest}")
    say("first commands" if ahead.argv else f"no command: {ahead.problem or 'nothing to run'}")
    for argv in ahead.argv:
        say("  " + " ".join(argv))


def sweep(options: Namespace, home: Home) -> Any:
    """Register a sweep, give one of the four verbs, or change how many runs it may start."""
    if options.run_cap is not None:
        return _cap(options, home)
    return _steer(options, home) if options.verb else _register(options, home)


async def _steer(options: Namespace, home: Home) -> int:
    async with controller_of(home) as client:
        found = find_sweep(await world_of(client), options.target)
        done = await order(client, _VERBS[options.verb](sweep_id=found.id, actor=actor()))
        now = (await world_of(client)).sweeps[found.id]
    if options.json:
        document(shapes.sweep_created(now))
    else:
        say(done.text)
    return 0


async def _cap(options: Namespace, home: Home) -> int:
    async with controller_of(home) as client:
        found = find_sweep(await world_of(client), options.target)
        await order(client, SetRunCap(sweep_id=found.id, run_cap=options.run_cap, actor=actor()))
        now = (await world_of(client)).sweeps[found.id]
    if options.json:
        document(shapes.sweep_created(now))
    else:
        say(f"sweep {now.id} may start {options.run_cap} runs; it is {now.state}")
    return 0


async def _register(options: Namespace, home: Home) -> int:
    path = Path(options.target)
    reading = await_file(path)
    async with controller_of(home, start=True) as client:
        sweep_id = await create(
            client, path, reading, project=options.project, entity=options.entity, name=options.name,
            program=options.program, prior_runs=options.prior_run,
        )  # fmt: skip
        created = (await world_of(client)).sweeps[sweep_id]
    if options.json:
        document(shapes.sweep_created(created))
        return 0
    say(f"Creating sweep from: {path}")
    say(f"Created sweep with ID: {created.id}")
    home_flag = f"--home {options.home} " if options.home else ""
    say(f"Run sweep agent with: tui-sweeps {home_flag}agent {created.project}/{created.id}")
    return 0


def await_file(path: Path) -> Reading:
    """Read a sweep file and tell its warnings.

    Raises:
        CommandError: it cannot be used; every error was told.
    """
    reading = read(_bytes_of(path))
    for problem in reading.problems:
        tell(describe(problem, str(path)))
    if reading.config is None:
        raise CommandError(f"{path} cannot be used", "`tui-sweeps check` shows what it says")
    return reading


async def create(
    client: Client,
    path: Path,
    reading: Reading,
    *,
    project: str | None = None,
    entity: str | None = None,
    name: str | None = None,
    program: str | None = None,
    prior_runs: list[str] | None = None,
) -> str:
    """Register what was read and return the sweep's id."""
    config = reading.config
    assert config is not None
    if program is not None:
        config = replace(config, program=program)
    try:
        size = size_of(config)
    except ValueError as error:
        raise CommandError(f"{path}: {error}") from error
    here = Path.cwd()
    directory = working_directory(config, path, here)
    if directory != here:
        tell(f"runs start in {directory}, where {config.program} is")
    elif config.program is not None and not (here / config.program).exists():
        tell(f"warning: there is no {config.program} in {here}; runs will look for it there")
    for word, given in (("project", project), ("entity", entity)):
        if given is not None and "/" in given:
            raise UsageError(f"a {word} cannot have a / in its name: {given}", "ids are written project/id")
    priors = []
    if prior_runs:
        world = await world_of(client)
        priors = [find_run(world, run_id).id for run_id in prior_runs]
    done = await order(
        client,
        CreateSweep(
            config=config,
            source=_bytes_of(path).decode("utf-8", "replace"),
            directory=str(directory),
            n_expected=size,
            project=project or os.environ.get("WANDB_PROJECT") or config.project or "uncategorized",
            entity=entity or os.environ.get("WANDB_ENTITY") or config.entity or "local",
            name=name or config.name or "",
            prior_runs=tuple(priors),
            actor=actor(),
        ),
    )
    if done.text:
        tell(f"warning: {done.text}")
    _tell_early_termination(config)
    return done.ids[0]


def _tell_early_termination(config: SweepConfig) -> None:
    if words := _bands(config):
        tell(f"early termination judges a run at {words}")


def _bands(config: SweepConfig) -> str:
    """Return where runs are judged and by what, for W&B's pages and its engine disagree on `strict`."""
    if config.early_terminate is None or config.metric is None:
        return ""
    at = list(map(str, bands(config.early_terminate)))
    shown = ", ".join(at[:_BANDS_TOLD]) + (", …" if len(at) > _BANDS_TOLD else "")
    by = "the value logged there (strict: true)"
    if not config.early_terminate.strict:
        by = "its best value so far (strict: false)"
    return f"{shown} values of {config.metric.name}, by {by}"


def _bytes_of(path: Path) -> bytes:
    try:
        if str(path) == "-":
            return sys.stdin.buffer.read()
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UsageError(f"there is no file {path}", "give the path of a sweep file") from error
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}") from error
