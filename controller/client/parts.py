"""A big snapshot in small parts, so that neither end's loop stands still while one is written or read.

A snapshot travels as several snapshots which together are one: every line is a `Snapshot` that
carries some of the facts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec

from controller.domain.wire import encode
from controller.domain.world import Facts, Snapshot

N_PER_PART = 64
"""Runs of a few kilobytes: one part costs about a millisecond."""

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Snapshot)


def split_snapshot(snapshot: Snapshot) -> Iterator[Snapshot]:
    """Yield snapshots that carry a part of the facts each; the first one carries the single values."""
    single: dict[str, Any] = {}
    parts: list[tuple[str, Any]] = []
    for name in Facts.__struct_fields__:
        value = getattr(snapshot.facts, name)
        if isinstance(value, tuple | dict):
            parts.extend((name, part) for part in slices(value, N_PER_PART))
        else:
            single[name] = value
    yield Snapshot(seq=snapshot.seq, facts=Facts(**single))
    for name, part in parts:
        yield Snapshot(seq=snapshot.seq, facts=Facts(**{name: part}))


def line_of(part: Snapshot) -> str:
    """Return a part as JSON on one line.

    msgspec writes it in a third of the time, but NaN as null, and half a surrogate pair not at all: what does
    not come back equal is written the slow way.
    """
    with suppress(ValueError, TypeError):
        text = _ENCODER.encode(part)
        if _DECODER.decode(text) == part:
            return text.decode()
    return encode(part)


class Joiner:
    """Puts a split snapshot together again."""

    def __init__(self) -> None:
        self._seq: int | None = None
        self._values: dict[str, Any] = {}

    def add(self, part: Snapshot) -> None:
        """Take the next part, in the order of `split_snapshot`.

        Raises:
            ValueError: the part belongs to another snapshot.
        """
        if self._seq is None:
            self._seq = part.seq
        elif part.seq != self._seq:
            raise ValueError(f"a part of snapshot {part.seq} among those of {self._seq}")
        for name in Facts.__struct_fields__:
            value = getattr(part.facts, name)
            if isinstance(value, tuple):
                self._values.setdefault(name, []).extend(value)
            elif isinstance(value, dict):
                self._values.setdefault(name, {}).update(value)
            else:
                self._values.setdefault(name, value)

    def whole(self) -> Snapshot:
        """Return the snapshot.

        Raises:
            ValueError: there was no part.
        """
        if self._seq is None:
            raise ValueError("an empty snapshot")
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in self._values.items()
        }
        return Snapshot(seq=self._seq, facts=Facts(**values))


def slices(value: tuple[Any, ...] | dict[Any, Any], n: int) -> Iterator[Any]:
    """Yield a tuple or a mapping in slices of at most `n` items."""
    if isinstance(value, tuple):
        for first in range(0, len(value), n):
            yield value[first : first + n]
    else:
        items = tuple(value.items())
        for first in range(0, len(items), n):
            yield dict(items[first : first + n])
