"""A sweep file before it is a sweep: its problems, its space, its first commands, its differences."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rich.text import Text

from controller.domain.problems import describe
from controller.domain.sweepfile import Problem, Severity, read
from controller.domain.sweeps import SweepConfig
from tui_sweeps.format import count, counted, sanitise
from tui_sweeps.views.states import BAD, GOOD, QUIET, WARN

MAX_BYTES = 1 << 20
"""No sweep file is longer; a path typed by mistake may lead to anything."""

N_PROBLEMS_SHOWN = 8
N_COMMANDS_SHOWN = 3
N_BANDS_SHOWN = 5


class Outlook(Protocol):
    """What can be said of a sweep before it is created."""

    @property
    def n_expected(self) -> int | None:
        """Runs the sweep will have, capped; None: unbounded."""

    @property
    def size(self) -> int | None:
        """Points of the space; None: unbounded."""

    @property
    def bands(self) -> tuple[int, ...]:
        """At which number of metric values early termination compares runs; empty: never."""

    @property
    def argv(self) -> tuple[tuple[str, ...], ...]:
        """Commands of the first runs."""

    @property
    def problem(self) -> str:
        """Why no command can be built."""


@dataclass(frozen=True, slots=True)
class Foresight:
    """What the CLI lends the dashboard, which may not look into search and runtime itself."""

    preview: Callable[[SweepConfig], Outlook]
    """Raises ValueError for a grid over something that cannot be enumerated."""
    directory: Callable[[SweepConfig, Path, Path], Path]
    """Where the programs of a sweep start, from its file and the working directory."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A sweep file as it was read."""

    source: str
    config: SweepConfig | None
    problems: tuple[Problem, ...]
    outlook: Outlook | None
    refusal: str = ""
    """Why it cannot become a sweep, beyond the problems."""

    @property
    def is_good(self) -> bool:
        """Whether a sweep can be made of it."""
        return self.config is not None and self.outlook is not None and not self.refusal


def draft_of(source: str, foresight: Foresight | None) -> Draft:
    """Read a source; `foresight` None says nothing of space and commands."""
    reading = read(source)
    if reading.config is None:
        return Draft(source, None, reading.problems, None)
    if foresight is None:
        return Draft(source, reading.config, reading.problems, None, "nothing here can look ahead")
    try:
        return Draft(source, reading.config, reading.problems, foresight.preview(reading.config))
    except ValueError as error:
        return Draft(source, reading.config, reading.problems, None, str(error))


def expanded(here: Path, path: str) -> Path:
    """Return the file that a typed path means."""
    try:
        return here / Path(path.strip()).expanduser()
    except RuntimeError:  # there is no such user's home
        return here / path.strip()


def source_of(path: Path) -> str:
    """Return a file's text.

    Raises:
        ValueError: there is none, with what to say.
    """
    try:
        if path.is_dir():
            raise ValueError(f"{path} is a directory")
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"{path} is too long")
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise ValueError(f"there is no file {path}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text") from None
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from None


def size_text(outlook: Outlook | None) -> str:
    """Return the size of the space and the number of runs."""
    if outlook is None:
        return "unknown"
    size = "unbounded" if outlook.size is None else counted(outlook.size, "point")
    return (
        size if outlook.n_expected == outlook.size else f"{size}, {counted(outlook.n_expected or 0, 'run')}"
    )


def bands_text(bands: tuple[int, ...]) -> str:
    """Return the bands in words, the first of them by their numbers."""
    more = f" … {bands[-1]}" if len(bands) > N_BANDS_SHOWN else ""
    return f"hyperband after {', '.join(map(str, bands[:N_BANDS_SHOWN]))}{more} metric values"


def draft_text(draft: Draft, name: str) -> Text:
    """Return problems with line and column, the space, the first commands."""
    text = Text(overflow="fold")
    for problem in draft.problems[:N_PROBLEMS_SHOWN]:
        style = BAD if problem.severity is Severity.ERROR else WARN
        text.append(sanitise(describe(problem, name)) + "\n", style)
    if len(draft.problems) > N_PROBLEMS_SHOWN:
        text.append(f"and {len(draft.problems) - N_PROBLEMS_SHOWN} more\n", QUIET)
    if draft.refusal:
        text.append(sanitise(draft.refusal) + "\n", BAD)
    if draft.config is not None and draft.outlook is not None:
        metric = draft.config.metric
        goal = "no metric" if metric is None else f"{metric.goal} {sanitise(metric.name, width=30)}"
        text.append(f"{draft.config.method}, {goal}, {count(len(draft.config.parameters))} parameters\n")
        text.append(f"Space: {size_text(draft.outlook)}\n", GOOD)
        if draft.outlook.bands:
            text.append(f"Early termination: {bands_text(draft.outlook.bands)}\n")
        if draft.outlook.problem:
            text.append(f"No command: {sanitise(draft.outlook.problem)}\n", WARN)
        for argv in draft.outlook.argv[:N_COMMANDS_SHOWN]:
            text.append(sanitise(shlex.join(argv)) + "\n", QUIET)
    return text


def diff_text(old: str, new: str) -> Text:
    """Return the lines that differ, with two lines around them."""
    text = Text(overflow="fold")
    for line in _diff(old.splitlines(), new.splitlines()):
        style = GOOD if line.startswith("+") else BAD if line.startswith("-") else QUIET
        text.append(sanitise(line) + "\n", style)
    return text


def _diff(old: list[str], new: list[str]) -> Iterable[str]:
    lines = difflib.unified_diff(old, new, lineterm="", n=2)
    return [line for line in lines if not line.startswith(("---", "+++"))]


def complete_path(text: str, here: Path, limit: int = 8) -> list[str]:
    """Return paths of YAML files and directories that begin so."""
    typed = expanded(here, text)
    inside = typed if text.endswith("/") or not text else typed.parent
    start = "" if text.endswith("/") or not text else typed.name
    prefix = text[: len(text) - len(start)] if start else text
    try:
        found = sorted(inside.iterdir(), key=lambda path: (path.is_dir(), path.name))
        return [
            f"{prefix}{path.name}{'/' if path.is_dir() else ''}"
            for path in found[:2000]
            if path.name.startswith(start)
            and (not path.name.startswith(".") or start.startswith("."))
            and (path.is_dir() or path.suffix in (".yaml", ".yml"))
        ][:limit]
    except OSError:
        return []
