"""The columns of a runs table: one dotted name per leaf of nested configs, in the order of first sight."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def columns(configs: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the dotted name of every leaf of the configs, each once.

    A name that a later config brings stands behind the neighbour it follows there, not at the end, so that
    groups stay together. An empty mapping is a leaf: it is a value that somebody chose.
    """
    order: list[str] = []
    known: set[str] = set()
    for config in configs:
        names = list(_leaves(config, ""))
        if known.issuperset(names):
            continue
        place = 0
        for name in names:
            if name in known:
                place = order.index(name) + 1
            else:
                order.insert(place, name)
                known.add(name)
                place += 1
    return tuple(order)


def flat(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the leaves of one config by dotted name."""
    return dict(_items(config, ""))


def _leaves(config: Mapping[str, Any], prefix: str) -> Iterable[str]:
    return (name for name, _ in _items(config, prefix))


def _items(config: Mapping[str, Any], prefix: str) -> Iterable[tuple[str, Any]]:
    for key, value in config.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from _items(value, f"{name}.")
        else:
            yield name, value
