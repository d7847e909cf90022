"""When two config values are the same: 1 is 1.0, but false is not 0, and null is a value like any other.

Inside lists and maps a number and its float are told apart, as W&B's engine tells them by their text.
"""

from __future__ import annotations

from typing import Any


def same(a: Any, b: Any) -> bool:
    """Say whether two config values are the same."""
    return _identical(a, b) or (_is_number(a) and _is_number(b) and bool(a == b))


def _identical(a: Any, b: Any) -> bool:
    """Say whether two values are equal and, all the way down, of the same type."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(_identical, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_identical(a[key], b[key]) for key in a)
    return bool(a == b)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


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
    """Return `values` without repetitions; of 1 and 1.0 the later one stands in the earlier one's place."""
    try:
        kinds = [float if _is_number(value) else type(value) for value in values]
        return tuple({(kind, value): value for kind, value in zip(kinds, values, strict=True)}.values())
    except TypeError:
        pass  # lists and maps among them
    kept: list[Any] = []
    for value in values:
        place = next((i for i, other in enumerate(kept) if same(value, other)), None)
        if place is None:
            kept.append(value)
        else:
            kept[place] = value
    return tuple(kept)
