"""Filters changed by keys: a brush on an axis is nothing but comparisons in the filter text.

Only words that stand by themselves, outside of parentheses and alternatives, are taken for a brush: these
hold for every run that passes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any

from tui_sweeps.views.filter.evaluate import matches, plain
from tui_sweeps.views.filter.parser import FilterError, parse
from tui_sweeps.views.filter.words import And, Compare, Node, Op, Or

PLAIN_NAME = re.compile(r"[^\s|()\":=<>!/-][^\s|()\":=<>!]*")

LOW, HIGH = (Op.GE, Op.GT), (Op.LE, Op.LT)


def quoted(name: str) -> str:
    """Return a field or value as the filter's text needs it."""
    return name if PLAIN_NAME.fullmatch(name) else f'"{name.replace(chr(34), "")}"'


def speakable(name: str) -> bool:
    """Say whether a field's name can stand in a filter."""
    return bool(name) and name.isprintable() and '"' not in name


def limits_of(text: str, field: str) -> tuple[float | None, float | None]:
    """Return the low and the high limit that the filter sets to a field, None where it sets none."""
    low: float | None = None
    high: float | None = None
    for word in _words(text):
        term = _compare(word)
        if term is not None and term.field == field and term.number is not None:
            if term.op in LOW:
                low = term.number
            elif term.op in HIGH:
                high = term.number
    return low, high


def with_limits(text: str, field: str, low: float | None, high: float | None) -> str:
    """Return the filter with these limits for a field instead of the ones it had."""
    name = quoted(field)
    parts = []
    if low is not None:
        parts.append(f"{name}>={low:.6g}")
    if high is not None:
        parts.append(f"{name}<={high:.6g}")
    return _with(text, field, parts)


def choices_of(text: str, field: str, values: Sequence[Any]) -> tuple[int, ...] | None:
    """Return which of these values the filter lets pass for a field; None where it does not say."""
    for word in _words(text):
        terms = _alternatives(word, field)
        if terms:
            subjects = [_One(field, value) for value in values]
            return tuple(at for at, one in enumerate(subjects) if any(matches(term, one) for term in terms))
    return None


def with_choices(text: str, field: str, values: Collection[Any] | None) -> str:
    """Return the filter that lets pass only these values of a field: `optimizer=adam|sgd`; None: any."""
    if values is None:
        return _with(text, field, [])
    return _with(text, field, [f"{quoted(field)}={'|'.join(_value(one) for one in values)}"])


def _value(value: Any) -> str:
    """Return a value as text; what could not be typed is found by an expression."""
    text = plain(value)
    if not text:
        return "/^$/"
    if text.isprintable() and '"' not in text:
        return quoted(text)
    escaped = "".join(re.escape(one) if one.isprintable() and one != '"' else "." for one in text)
    return f"/{escaped.replace('/', chr(92) + '/')}/"


def _with(text: str, field: str, parts: list[str]) -> str:
    kept = [word for word in _words(text) if not _is_brush(word, field)]
    return " ".join([*kept, *parts])


def _is_brush(word: str, field: str) -> bool:
    term = _compare(word)
    if term is not None and term.field == field and term.op in (*LOW, *HIGH):
        return True
    return bool(_alternatives(word, field))


def _alternatives(word: str, field: str) -> tuple[Compare, ...]:
    """Return the parts of `field=a|b`, empty when the word is something else."""
    node = _parsed(word)
    parts = node.parts if isinstance(node, Or) else (node,)
    found = tuple(p for p in parts if isinstance(p, Compare) and p.field == field and p.op is Op.EQ)
    return found if len(found) == len(parts) else ()


def _compare(word: str) -> Compare | None:
    node = _parsed(word)
    return node if isinstance(node, Compare) else None


def _parsed(word: str) -> Node | None:
    try:
        return parse(word)
    except FilterError:
        return None


@lru_cache(maxsize=64)
def _words(text: str) -> tuple[str, ...]:
    """Split a filter into words that must all hold; alternatives are put in parentheses, to stay one word."""
    text = text.strip()
    node = _parsed(text)
    if node is None or not text:
        return ()
    if not isinstance(node, And):
        return (f"({text})",) if isinstance(node, Or) and _has_bar(text) else (text,)
    words: list[str] = []
    start = 0
    while start < len(text):
        end = _end_of_word(text, start)
        words.append(text[start:end])
        start = end + len(text[end:]) - len(text[end:].lstrip())
    return tuple(words)


def _end_of_word(text: str, start: int) -> int:
    """Return where the word ends that begins at `start`: at the first space outside of everything."""
    for end in range(start + 1, len(text)):
        if text[end] in " \t" and _parsed(text[start:end]) is not None:
            return end
    return len(text)


def _has_bar(text: str) -> bool:
    """Say whether alternatives are split by bars with spaces around, which bind loosest."""
    return _end_of_word(text, 0) < len(text)


class _One:
    """One field with one value, as a filter sees it."""

    def __init__(self, field: str, value: Any) -> None:
        self._field, self._value = field, value

    def texts(self) -> tuple[str, ...]:
        return ()

    def field(self, name: str) -> Any:
        return self._value if name == self._field else None
