"""Grid search by index: any cell of a product of any size, at once and without memory.

W&B's order (names alphabetical within each group, the last varies fastest, values as listed), so a
sweep file walks the same path here. A cell is known by its number and never found by comparing values.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from msgspec.structs import replace

from controller.domain.parameters import Distribution, Parameter, Space
from controller.search.cells import Cells, grid_axis

_SMALL = 4096
"""Up to here a shuffled list is cheaper and more even than a cipher."""

_ROUNDS = 8
"""Feistel rounds; four suffice for a pseudo-random permutation in theory (Luby and Rackoff, 1988)."""


def size(space: Space) -> int:
    """Return the exact number of grid cells.

    Raises:
        ValueError: a parameter cannot be enumerated; the message names it and says what to do.
    """
    return cells(space).size


def cell(space: Space, index: int) -> dict[str, Any]:
    """Return cell `index` as the nested config a run receives.

    Raises:
        ValueError: a parameter cannot be enumerated.
        IndexError: there is no such cell.
    """
    return cells(space).cell(index)


def cells(space: Space) -> Cells:
    """Return the cells of a grid over `space`; build once when several are wanted.

    Raises:
        ValueError: a parameter cannot be enumerated.
    """
    return Cells([grid_axis(_in_floats(parameter)) for parameter in sorted(space, key=lambda p: p.path)])


def _in_floats(parameter: Parameter) -> Parameter:
    """Return steps all of whose numbers are floats if one of them is, as W&B's are."""
    given = (parameter.min, parameter.max, parameter.q)
    if parameter.distribution is not Distribution.Q_UNIFORM or not any(isinstance(n, float) for n in given):
        return parameter
    return replace(parameter, q=float(1 if parameter.q is None else parameter.q))


def order(n: int, seed: int) -> Callable[[int], int]:
    """Return a seeded bijection of 0..n-1 onto itself, in constant memory for large `n`.

    A balanced Feistel network over the next even number of bits, walked along its cycle until it
    lands inside the range. Source: Black and Rogaway, Ciphers with Arbitrary Finite Domains (2002).
    """
    if n <= _SMALL:
        shuffled = list(range(n))
        random.Random(_digest(f"order/{seed}")).shuffle(shuffled)
        return shuffled.__getitem__
    half = (max(2, (n - 1).bit_length()) + 1) // 2
    mask = (1 << half) - 1

    def once(x: int) -> int:
        left, right = x >> half, x & mask
        for turn in range(_ROUNDS):
            left, right = right, left ^ (_digest(f"{seed}/{turn}/{right}") & mask)
        return left << half | right

    def place(index: int) -> int:
        if not 0 <= index < n:
            raise IndexError(f"{index} of {n}")
        index = once(index)
        while index >= n:
            index = once(index)
        return index

    return place


def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=16).digest(), "big")
