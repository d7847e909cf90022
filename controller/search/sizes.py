"""How many different configs a space has."""

from __future__ import annotations

from controller.domain.parameters import Space
from controller.search.cells import drawn_cells


def count(space: Space) -> int | None:
    """Return the exact number of configs that draws from `space` can give, None when unbounded."""
    cells = drawn_cells(space)
    return None if cells is None else cells.size
