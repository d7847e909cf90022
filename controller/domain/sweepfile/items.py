"""A config with places: every value knows the line and column it was written at.

YAML text and plain data (a config that came over the wire) both become this one tree, so the rules above it
are written once. Plain data stands at line 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from controller.domain.problems import ProblemList

MAX_DEPTH = 32
"""Levels of nesting; the deepest file seen in the wild has 14."""
MAX_NODES = 100_000
"""Values after aliases are expanded; the largest file seen in the wild has about 1,000."""
INT_MIN, INT_MAX = -(2**63), 2**64 - 1
"""Integers that travel as JSON and live in the database unharmed."""


class Item(Struct, frozen=True):
    """One value of a config at its place."""

    value: Any
    """Plain JSON-like Python value, groups included."""
    line: int = 0
    column: int = 0
    entries: dict[str, Entry] | None = None
    """The entries of a mapping; None for anything else."""
    items: tuple[Item, ...] | None = None
    """The elements of a list; None for anything else."""
    text: str | None = None
    """How an unquoted scalar was written: `1e-4`, `yes`; None for quoted ones and plain data."""

    def get(self, key: str) -> Item | None:
        """Return the value of `key`, or None when this is no mapping or has no such key."""
        entry = (self.entries or {}).get(key)
        return entry.item if entry else None

    @property
    def kind(self) -> str:
        """The kind of value in words, for sentences."""
        match self.value:
            case None:
                return "nothing (null)"
            case bool():
                return f"the boolean {str(self.value).lower()}"
            case int() | float():
                return f"the number {self.value}"
            case str():
                return f"the text {shown(self.value)}"
            case list():
                return "a list"
            case _:
                return "a mapping"


class Entry(Struct, frozen=True):
    """One `key: value` of a mapping; its place is the key's."""

    key: str
    item: Item
    line: int = 0
    column: int = 0


def shown(text: str) -> str:
    """Return the text in quotes, cut where it would drown a sentence."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def from_plain(value: Any, problems: ProblemList, depth: int = 1) -> Item:
    """Return plain data as a tree of items at line 0.

    What JSON cannot carry is noted as an error; a tuple counts as a list.
    """
    if depth > MAX_DEPTH:
        problems.error(Item(None), f"the config is nested deeper than {MAX_DEPTH} levels")
        return Item(None)
    match value:
        case None | bool():
            return Item(value)
        case int() | float() | str():
            return Item(sound(value, Item(value), problems))
        case Mapping():
            entries = {
                name: Entry(name, from_plain(inner, problems, depth + 1))
                for name, inner in ((str(key), inner) for key, inner in value.items())
            }
            return Item({key: entry.item.value for key, entry in entries.items()}, entries=entries)
        case list() | tuple():
            items = tuple(from_plain(inner, problems, depth + 1) for inner in value)
            return Item([item.value for item in items], items=items)
        case _:
            problems.error(Item(None), f"a {type(value).__name__} cannot stand in a sweep config")
            return Item(None)


def sound(value: Any, at: Item, problems: ProblemList) -> Any:
    """Return a scalar that JSON, a command line and the database can carry; note what could not be kept.

    Infinities and not-a-number become the text Python prints for them, which is what a command line shows.
    """
    match value:
        case bool():
            return value
        case int() if not INT_MIN <= value <= INT_MAX:
            problems.error(at, "the integer does not fit into 64 bits", "put it in quotes to keep it as text")
            return 0
        case float() if not math.isfinite(value):
            problems.warning(at, f"JSON has no {value}; it is kept as the text '{value}'")
            return str(value)
        case str() if "\0" in value or not _encodable(value):
            problems.error(at, "the text holds a character that no program can be given (NUL or half a pair)")
            return ""
        case _:
            return value


def _encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
