"""Whether a filter holds for a subject: a run or a sweep, seen as fields and searchable texts."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Protocol, assert_never

from controller.domain.parameters import MISSING
from tui_sweeps.views.filter.words import And, Compare, Node, Not, Op, Or, Regex, Word


class Subject(Protocol):
    """Anything a filter can be asked about."""

    def texts(self) -> Iterable[str]:
        """Yield what bare words and expressions are looked for in."""
        ...

    def field(self, name: str) -> Any:
        """Return a field's value, or `MISSING`."""
        ...


def matches(node: Node, subject: Subject) -> bool:
    """Say whether the filter holds."""
    match node:
        case And(parts=parts):
            return all(matches(part, subject) for part in parts)
        case Or(parts=parts):
            return any(matches(part, subject) for part in parts)
        case Not(part=part):
            return not matches(part, subject)
        case Word(text=text):
            wanted = text.casefold()
            return any(wanted in one.casefold() for one in subject.texts())
        case Regex(pattern=pattern):
            return any(pattern.search(one) is not None for one in subject.texts())
        case Compare():
            return _holds(node, subject.field(node.field))
        case _:
            assert_never(node)


def _holds(term: Compare, value: Any) -> bool:
    """Compare one value; what is not there equals nothing, so that only `!=` holds."""
    if term.op is Op.NE:
        return not _equals(term, value)
    if value is MISSING or value is None:
        return term.op is Op.EQ and value is None and term.value in ("null", "none")
    match term.op:
        case Op.EQ:
            return _equals(term, value)
        case Op.HAS:
            return _has(term, value)
        case Op.LT | Op.LE | Op.GT | Op.GE:
            return _ordered(term, value)


def _equals(term: Compare, value: Any) -> bool:
    if value is MISSING:
        return False
    if isinstance(value, tuple):  # several words at once, as `is` has them
        return any(_equals(term, one) for one in value)
    if term.pattern is not None:
        return term.pattern.fullmatch(plain(value)) is not None
    if isinstance(value, bool) or value is None:
        return plain(value) == term.value.casefold()
    if isinstance(value, int | float) and term.number is not None:
        return value == term.number or (value != value and term.number != term.number)
    return plain(value).casefold() == term.value.casefold()


def _has(term: Compare, value: Any) -> bool:
    if isinstance(value, tuple):
        return any(_has(term, one) for one in value)
    if term.pattern is not None:
        return term.pattern.search(plain(value)) is not None
    return term.value.casefold() in plain(value).casefold()


def _ordered(term: Compare, value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float) or term.number is None:
        return False
    if math.isnan(value):
        return False
    return {
        Op.LT: value < term.number,
        Op.LE: value <= term.number,
        Op.GT: value > term.number,
        Op.GE: value >= term.number,
    }[term.op]


def plain(value: Any) -> str:
    """Return a value as it is written in a filter: `true`, `null`, numbers as Python writes them."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
