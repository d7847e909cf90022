"""When two config values are the same: false is not 0, 1 is not 1.0, and null is a value like any other."""

from __future__ import annotations

from typing import Any


def same(a: Any, b: Any) -> bool:
    """Say whether two config values are the same: equal and, all the way down, of the same type."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return bool(a == b)


def position(values: tuple[Any, ...], value: Any) -> int:
    """Return where `value` stands in `values`: the very value first, then an equal one, then equal text.

    The later two serve configs that went through a program or a file and came back with another type.

    Raises:
        ValueError: it is not among them.
    """
    for index, item in enumerate(values):
        if same(item, value):
            return index
    for index, item in enumerate(values):
        if isinstance(item, bool) is isinstance(value, bool) and item == value:
            return index
    text = str(value).lower()
    for index, item in enumerate(values):
        if str(item).lower() == text:
            return index
    raise ValueError(f"{value!r} is none of the declared values")


def distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return `values` without repetitions; 1, 1.0 and true are different values."""
    try:
        return tuple({(type(value), value): value for value in values}.values())
    except TypeError:  # lists and maps among them
        kept: list[Any] = []
        for value in values:
            if not any(same(value, other) for other in kept):
                kept.append(value)
        return tuple(kept)
