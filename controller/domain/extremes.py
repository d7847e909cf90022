"""The lowest and the highest value of everything that a run logged, small enough for every run to keep.

Ten thousand runs with twenty metrics each are the reason for the form: the numbers lie packed one after the
other, and the names are one text that runs which log the same share. Twenty metrics take 410 bytes a
run where a mapping of pairs takes 2,550 (`benchmarks/extremes.py`).
"""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct
from msgspec.structs import force_setattr

N_METRICS_MOST = 256
"""So many metrics of a run are followed: a program that makes up names must not fill the memory."""

_GAP = "\x1f"
"""Stands between names, and in none of them."""

_PAIR_BYTES = 16

Pair = tuple[float, float]
"""Lowest and highest."""


class Extremes(Struct, frozen=True, array_like=True):
    """Per metric the lowest and the highest finite value ever logged; grows by `widened` alone."""

    names: str = ""
    packed: bytes = b""
    """Two doubles a metric, little endian, in the order of the names."""

    def __post_init__(self) -> None:
        """Share the names with every other run that logs the same."""
        force_setattr(self, "names", sys.intern(self.names))

    def metrics(self) -> tuple[str, ...]:
        """Return the metrics in the order in which they were first logged."""
        return tuple(_places(self.names))

    def of(self, name: str) -> Pair | None:
        """Return lowest and highest value of a metric; None when no finite one was logged."""
        at = _places(self.names).get(name)
        if at is None:
            return None
        low, high = struct.unpack_from("<dd", self.packed, at * _PAIR_BYTES)
        return low, high

    def wider(self, pairs: Mapping[str, Pair]) -> dict[str, Pair]:
        """Return what these pairs make different: the metrics that are new or whose ends move."""
        places = _places(self.names)
        numbers = struct.unpack(f"<{2 * len(places)}d", self.packed)
        room = N_METRICS_MOST - len(places)
        changed: dict[str, Pair] = {}
        for name, (low, high) in pairs.items():
            at = places.get(name)
            if at is not None:
                old_low, old_high = numbers[2 * at], numbers[2 * at + 1]
                if low < old_low or high > old_high:
                    changed[name] = min(low, old_low), max(high, old_high)
            elif room > 0 and name and _GAP not in name:
                changed[name] = low, high
                room -= 1
        return changed

    def widened(self, changed: Mapping[str, Pair]) -> Extremes:
        """Return these extremes with what `wider` found."""
        if not changed:
            return self
        places = _places(self.names)
        new = [name for name in changed if name not in places]
        packed = bytearray(self.packed)
        for name in changed.keys() & places.keys():
            struct.pack_into("<dd", packed, places[name] * _PAIR_BYTES, *changed[name])
        for name in new:
            packed += struct.pack("<dd", *changed[name])
        names = _GAP.join([*places, *new]) if new else self.names
        return Extremes(names, bytes(packed))


@lru_cache(maxsize=1024)
def _places(names: str) -> dict[str, int]:
    return {name: at for at, name in enumerate(names.split(_GAP))} if names else {}


def pairs_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, Pair]:
    """Return lowest and highest finite number per metric of these history rows; nested names have dots."""
    found: dict[str, Pair] = {}
    for row in rows:
        for name, value in _numbers(row):
            pair = found.get(name)
            if pair is None:
                found[name] = value, value
            elif not pair[0] <= value <= pair[1]:
                found[name] = min(pair[0], value), max(pair[1], value)
    return found


def _numbers(row: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterable[tuple[str, float]]:
    for name, value in row.items():
        if isinstance(value, dict):
            if depth < 8:
                yield from _numbers(value, f"{prefix}{name}.", depth + 1)
        elif isinstance(value, int | float) and not isinstance(value, bool) and name[:1] != "_":
            try:
                number = float(value)
            except OverflowError:
                continue
            if math.isfinite(number):
                yield prefix + name, number
