"""What a filter says, as a tree of plain values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Op(StrEnum):
    """How a field is compared with a value."""

    HAS = ":"
    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="


ORDERED = frozenset({Op.LT, Op.LE, Op.GT, Op.GE})
"""Operators that need a number on their right."""


@dataclass(frozen=True, slots=True)
class Word:
    """Some text of the subject contains this, whatever the case."""

    text: str


@dataclass(frozen=True, slots=True)
class Regex:
    """Some text of the subject matches."""

    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Compare:
    """A field compared with a value."""

    field: str
    op: Op
    value: str
    number: float | None = None
    """The value as a number, where it is one."""
    pattern: re.Pattern[str] | None = None
    """The value as an expression, when it was written between slashes."""


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Node


@dataclass(frozen=True, slots=True)
class And:
    """All parts hold; none at all: everything."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part holds."""

    parts: tuple[Node, ...]


Node = Word | Regex | Compare | Not | And | Or
