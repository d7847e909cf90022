"""A choice of columns with their order, and of sorting by one or several of them."""

from __future__ import annotations

from collections.abc import Sequence

from tui_sweeps.views.cells import Column
from tui_sweeps.views.order import sort_words


class Choice:
    """What the chooser edits; columns that are on stand first, in their order."""

    def __init__(
        self, columns: Sequence[Column], own: Sequence[str], shown: Sequence[str], sort: str
    ) -> None:
        """Take all columns, the view's own choice, what is shown now, and the sorting `a,-b`."""
        self._all = {column.key: column for column in columns}
        self._own = [key for key in own if key in self._all]
        self._on = [key for key in shown if key in self._all]
        self._is_own = self._on == self._own
        self._sort = sort_words(sort)

    def find(self, text: str) -> list[Column]:
        """Return the columns that hold every word in title or field, chosen ones first."""
        words = text.lower().split()
        order = [*self._on, *(key for key in self._all if key not in self._on)]
        columns = [self._all[key] for key in order]
        return [one for one in columns if all(word in f"{one.title} {one.key}".lower() for word in words)]

    def is_on(self, key: str) -> bool:
        """Say whether the column is shown."""
        return key in self._on

    def turn(self, key: str) -> None:
        """Turn a column on, behind the others, or off; the fixed ones always stay."""
        self._is_own = False
        if key not in self._on:
            self._on.append(key)
        elif not self._all[key].fixed:
            self._on.remove(key)

    def move(self, key: str, step: int) -> None:
        """Move a shown column; the fixed ones stay in front."""
        self._is_own = False
        n_fixed = sum(self._all[one].fixed for one in self._on)
        at = self._on.index(key)
        to = min(max(at + step, n_fixed), len(self._on) - 1)
        if not self._all[key].fixed:
            self._on.insert(to, self._on.pop(at))

    def reset(self) -> None:
        """Go back to the view's own choice."""
        self._is_own = True
        self._on = list(self._own)

    def sort(self, key: str) -> None:
        """Sort by a further column: ascending, then descending, then not."""
        words = dict(self._sort)
        if key not in words:
            self._sort.append((key, False))
        elif not words[key]:
            self._sort = [(one, True if one == key else down) for one, down in self._sort]
        else:
            self._sort = [(one, down) for one, down in self._sort if one != key]

    def unsort(self) -> None:
        """Sort by nothing."""
        self._sort = []

    def sort_sign(self, key: str) -> str:
        """Return the place among the sort keys with its direction."""
        for place, (one, down) in enumerate(self._sort, start=1):
            if one == key:
                return f"{'▼' if down else '▲'}{place}"
        return ""

    def sort_text(self) -> str:
        """Return the sorting as `a,-b`."""
        return ",".join(f"-{key}" if down else key for key, down in self._sort)

    def chosen(self) -> list[str]:
        """Return the keys of the shown columns; empty after a reset: the view's own choice."""
        return [] if self._is_own else list(self._on)
