"""What is wrong with a sweep file, as data: severity, place, sentence and fix.

A reader never stops at the first problem, so problems are collected in a `ProblemList` and handed out
together, ordered by their place in the file. How they look on a terminal is one function, `describe`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from msgspec import Struct


class Severity(StrEnum):
    """How bad a problem is: only an error keeps the file from running."""

    ERROR = "error"
    WARNING = "warning"


class Problem(Struct, frozen=True):
    """One sentence about one place in a sweep file."""

    severity: Severity
    line: int
    """1-based; 0 where the config did not come from a text."""
    column: int
    """1-based, in characters; 0 where the config did not come from a text."""
    message: str
    hint: str
    """What to write instead; empty where the message says it all."""
    key: str = ""
    """Dotted place in the config, for instance `parameters.lr.min`."""


class Placed(Protocol):
    """Anything that knows where in the text it stands."""

    @property
    def line(self) -> int:
        """1-based line."""

    @property
    def column(self) -> int:
        """1-based column."""


class ProblemList:
    """Collects problems while a file is read."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    def error(self, at: Placed, message: str, hint: str = "", *, key: str = "") -> None:
        """Note something that keeps the sweep from running."""
        self._problems.append(Problem(Severity.ERROR, at.line, at.column, message, hint, key))

    def warning(self, at: Placed, message: str, hint: str = "", *, key: str = "") -> None:
        """Note something that runs, though perhaps not as meant."""
        self._problems.append(Problem(Severity.WARNING, at.line, at.column, message, hint, key))

    @property
    def any_error(self) -> bool:
        """Say whether something keeps the sweep from running."""
        return any(problem.severity is Severity.ERROR for problem in self._problems)

    def in_order(self) -> tuple[Problem, ...]:
        """Return all problems by place, each once."""
        unique = dict.fromkeys(self._problems)
        return tuple(sorted(unique, key=lambda problem: (problem.line, problem.column)))


def describe(problem: Problem, file_name: str) -> str:
    """Return the problem on one line: `sweep.yaml:4:9: error: ... (hint)`."""
    place = f"{file_name}:{problem.line}:{problem.column}" if problem.line else file_name
    hint = f" ({problem.hint})" if problem.hint else ""
    return " ".join(f"{place}: {problem.severity}: {problem.message}{hint}".splitlines())
