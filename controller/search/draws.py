"""Random search: draw number k depends on the seed and k alone, and a finite space is never repeated.

On a finite space every draw is a cell of a seeded order of all cells, so the space ends after as many
draws as it has cells. Where values are not equally likely the order is a weighted one (each cell's key
is exponential with its weight as rate), and for spaces too large for that, quantiles with repeats of
known configs drawn again.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from typing import Any

from controller.domain.parameters import Distribution, Parameter, Space, nested
from controller.search.cells import Assignments, Cells, active, drawn_cells, in_order, key
from controller.search.distributions import TABLE, to_value
from controller.search.grid import order

WEIGHTED_CELLS = 20_000
"""Largest space whose weighted order is computed in full (some 0.2 s)."""

_REDRAWS = 200

_EVEN = frozenset({Distribution.CONSTANT, Distribution.CATEGORICAL, Distribution.INT_UNIFORM})


def generator(*words: object) -> random.Random:
    """Return a generator that depends on `words` alone, the same on every machine."""
    digest = blake2b("/".join(map(str, words)).encode(), digest_size=16).digest()
    return random.Random(int.from_bytes(digest, "big"))


def draw(space: Space, dice: random.Random) -> dict[str, Any]:
    """Return one config drawn from the distributions; leaves that do not matter are left out."""
    chosen: Assignments = {}
    for parameter in in_order(space):
        u = dice.random()
        if active(parameter, chosen):
            chosen[parameter.path] = to_value(parameter, u)
    return nested({p.path: chosen[p.path] for p in space if p.path in chosen})


def sequence(
    space: Space, seed: int, numbers: Iterable[int], known: Callable[[], set[Any]]
) -> Iterator[tuple[int | None, dict[str, Any]]]:
    """Yield (cell index or None, config) for each of `numbers`; ends with a finite space.

    `known` gives the keys of all configs handed out before; it is asked only where the space is finite,
    uneven and large.
    """
    cells = drawn_cells(space)
    if cells is None:
        for number in numbers:
            yield None, draw(space, generator("draw", seed, number))
        return
    numbers = (number for number in numbers if number < cells.size)
    if all(p.distribution in _EVEN and not p.when for p in space):
        place = order(cells.size, seed)
        yield from ((place(number), cells.cell(place(number))) for number in numbers)
    elif cells.size <= WEIGHTED_CELLS:
        places = _weighted_order(space, cells, seed)
        yield from ((places[number], cells.cell(places[number])) for number in numbers)
    else:
        yield from _unrepeated(space, cells, seed, numbers, known())


def _weighted_order(space: Space, cells: Cells, seed: int) -> list[int]:
    """Return all cells in an order that draws by weight without replacement.

    Source: Efraimidis and Spirakis, Weighted random sampling with a reservoir (2006).
    """
    by_path = {p.path: p for p in space}
    dice = generator("order", seed)

    def arrival(index: int) -> float:
        share = math.prod(weight(by_path[path], v) for path, v in cells.assignments(index).items())
        return dice.expovariate(1.0) / max(share, 1e-300)

    arrivals = [arrival(index) for index in range(cells.size)]
    return sorted(range(cells.size), key=arrivals.__getitem__)


def weight(parameter: Parameter, value: Any) -> float:
    """Return the share of draws of a finite `parameter` that give `value`."""
    if parameter.distribution is Distribution.CATEGORICAL_W_PROBABILITIES:
        pairs = zip(parameter.values, parameter.probabilities, strict=True)
        return sum(share for item, share in pairs if type(item) is type(value) and item == value)
    if parameter.distribution in _EVEN:
        return 1.0
    pair, q = TABLE[parameter.distribution], parameter.q or 1
    low, high = pair.to_unit(parameter, value - q / 2), pair.to_unit(parameter, value + q / 2)
    if value == pair.to_value(parameter, 0.0):
        low = 0.0
    if value == pair.to_value(parameter, 1.0):
        high = 1.0
    return max(high - low, 0.0)


def _unrepeated(
    space: Space, cells: Cells, seed: int, numbers: Iterable[int], taken: set[Any]
) -> Iterator[tuple[int | None, dict[str, Any]]]:
    for number in numbers:
        dice = generator("draw", seed, number)
        config = draw(space, dice)
        for _ in range(_REDRAWS):
            if key(space, config) not in taken:
                break
            config = draw(space, dice)
        while key(space, config) in taken:
            config = cells.cell(dice.randrange(cells.size))
        taken.add(key(space, config))
        yield None, config
