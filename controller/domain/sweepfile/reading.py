"""The door of this room: a sweep file in, a config and everything worth saying about it out."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from controller.domain.parameters import Space
from controller.domain.problems import Problem, ProblemList
from controller.domain.sweepfile.document import parsed
from controller.domain.sweepfile.items import Entry, Item, from_plain
from controller.domain.sweepfile.parameters import space_of
from controller.domain.sweepfile.text import decoded
from controller.domain.sweepfile.toplevel import config_of
from controller.domain.sweeps import SweepConfig

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Reading(Struct, frozen=True):
    """What a sweep file means."""

    config: SweepConfig | None
    """None exactly when there is an error among the problems."""
    problems: tuple[Problem, ...]
    """In the order of their places."""


def read(source: str | bytes, *, overrides: Mapping[str, Any] = _NOTHING) -> Reading:
    """Read a sweep file; `overrides` replace top-level keys. Raises nothing, whatever the file holds."""
    problems = ProblemList()
    text = decoded(source, problems)
    root = None if text is None else parsed(text, problems)
    if root is None:
        return Reading(None, problems.in_order())
    if overrides and root.entries is not None:
        root = _overridden(root, root.entries, overrides, problems)
    return _reading(root, problems)


def read_mapping(mapping: Mapping[str, Any]) -> Reading:
    """Read a config that comes as plain data; its problems stand at line 0."""
    problems = ProblemList()
    return _reading(from_plain(mapping, problems), problems)


def read_parameters(mapping: Mapping[str, Any]) -> tuple[Space, tuple[Problem, ...]]:
    """Read a `parameters` section alone; leaves with an error are left out of the space."""
    problems = ProblemList()
    space = space_of(from_plain(mapping, problems), problems)
    return space, problems.in_order()


def _reading(root: Item, problems: ProblemList) -> Reading:
    config = config_of(root, problems)
    return Reading(None if problems.any_error else config, problems.in_order())


def _overridden(
    root: Item, entries: dict[str, Entry], overrides: Mapping[str, Any], problems: ProblemList
) -> Item:
    changed = {key: Entry(key, from_plain(value, problems)) for key, value in overrides.items()}
    return Item(root.value, root.line, root.column, entries=entries | changed)
