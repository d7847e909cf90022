"""What a sweep would do, computed without a controller: its size, its first runs, their exact commands."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from msgspec import Struct

from controller.domain.macros import MacroError, expand
from controller.domain.sweeps import Method, SweepConfig
from controller.search import grid, hyperband, sizes
from controller.search.propose import propose
from controller.search.requests import Request


class Preview(Struct, frozen=True, kw_only=True):
    """What can be said of a sweep before it is created."""

    n_expected: int | None
    """Runs the sweep will have when done, capped; None: unbounded."""
    size: int | None
    """Points of the space; None: unbounded."""
    bands: tuple[int, ...]
    argv: tuple[tuple[str, ...], ...]
    """The commands of the first runs."""
    problem: str = ""
    """Why no command can be built."""


def preview(config: SweepConfig, *, n_runs: int = 3) -> Preview:
    """Look ahead.

    Raises:
        ValueError: a grid over something that cannot be enumerated.
    """
    size = size_of(config)
    caps = [n for n in (size, config.run_cap) if n is not None]
    argv, problem = _first_commands(config, n_runs)
    early = config.early_terminate
    return Preview(
        n_expected=min(caps) if caps else None,
        size=size,
        bands=tuple(hyperband.bands(early)) if early is not None else (),
        argv=argv,
        problem=problem,
    )


def size_of(config: SweepConfig) -> int | None:
    """Return the number of points of a sweep's space; None where it is unbounded.

    Raises:
        ValueError: a grid over something that cannot be enumerated.
    """
    if config.method is Method.GRID:
        return grid.size(config.parameters)
    return sizes.count(config.parameters)


def _first_commands(config: SweepConfig, n_runs: int) -> tuple[tuple[tuple[str, ...], ...], str]:
    seed = config.seed if config.seed is not None else 0
    proposal = propose(
        Request(config=config, n=n_runs, first_number=0, observations=(), pending=(), seed=seed)
    )
    commands = []
    for suggestion in proposal.suggestions[:n_runs]:
        try:
            commands.append(
                expand(
                    config.command,
                    program=config.program,
                    config=suggestion.config,
                    interpreter=sys.executable,
                    environment=os.environ,
                    json_file="config.json",
                )
            )
        except MacroError as error:
            return (), f"{error}"
    return tuple(commands), ""


def working_directory(config: SweepConfig, file: Path, here: Path) -> Path:
    """Return where a sweep's programs start.

    Here, as with W&B; beside its file when the program is only there.
    """
    program = config.program
    if program is None or Path(program).is_absolute() or (here / program).exists():
        return here
    beside = file.absolute().parent
    return beside if (beside / program).exists() else here
