"""Cells and columns as plain values: what a view hands to a table, whoever draws it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple


class Cell(NamedTuple):
    """Text of one cell and the name of its style (a Rich style, empty: the table's own)."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    key: str
    title: str
    width: int
    """In terminal cells."""
    align: Literal["left", "right"] = "left"
    """`left` or `right`."""
    fixed: bool = False
    """Stays when the table is scrolled sideways."""


EMPTY = Cell("·", "dim")
"""There is no value: not the same as an empty text or zero."""
