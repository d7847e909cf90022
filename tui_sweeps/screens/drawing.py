"""When a plot is drawn, and where: few runs at once, many in a thread, so that no key waits for a picture.

A plot draws again when something changed, but never so often that drawing takes more than a small share of
the time: the more runs, the rarer. What a thread draws is a copy of the numbers; the cursor and the marks are
laid over the finished picture by the message loop, at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual.timer import Timer

from tui_sweeps.format import counted
from tui_sweeps.views.order import Order
from tui_sweeps.views.parallel import Plot
from tui_sweeps.views.scales import Columns
from tui_sweeps.widgets.picture import Picture

if TYPE_CHECKING:
    from tui_sweeps.screens.board import Board

    Base = Board
else:
    Base = object

LEAST_PAUSE_S = 0.2
"""Between two drawings that news ask for."""

SHARE = 8
"""Drawing that news ask for takes at most one part in so many of the time."""

N_AT_ONCE = 500
"""So many runs are drawn in a few milliseconds; a thread would be no gain."""

Work = Callable[[], Callable[[], None]]
"""Draws, reading nothing that may change; what it returns keeps the picture, on the message loop."""


class Drawing(Base):
    """Draws in time."""

    sweep_id: str
    columns: Columns
    plot: Plot
    order: Order
    _drawn_at = 0.0
    _took_s = 0.0
    _drawn_size = (0, 0)
    """For which the kept picture was drawn."""
    _n_wanted = 0
    """Drawings asked for of a thread."""
    _n_drawn = 0
    _is_drawing = False
    _timer: Timer | None = None
    _news: set[str]
    """Runs touched since the last drawing: reading them once per drawing is enough."""

    @property
    def exists(self) -> bool:
        """Whether the sweep is still there."""
        return self.sweep_id in self.model.world.sweeps

    # ------------------------------------------------------------------ what a plot says

    def keys_drawn(self, width: int, height: int) -> Iterable[str]:
        """Return the columns that a picture of this size needs."""
        raise NotImplementedError

    def plan(self, width: int, height: int) -> Work:
        """Return what draws the picture."""
        raise NotImplementedError

    def lines(self, width: int, height: int) -> list[Text]:
        """Return the kept picture's lines, the cursor and the marks upon them."""
        raise NotImplementedError

    def forget(self) -> None:
        """Let go of the kept picture."""
        raise NotImplementedError

    def follow(self) -> None:
        """Read the runs again that were touched since the last drawing."""
        raise NotImplementedError

    def show_words(self, width: int) -> None:
        """Show the lines around the picture."""
        raise NotImplementedError

    # ------------------------------------------------------------------ when

    def draw_soon(self) -> None:
        """Draw when enough time has passed since the last time."""
        if self._timer is not None or self._is_drawing:
            return
        pause_s = max(LEAST_PAUSE_S, SHARE * self._took_s) - (time.monotonic() - self._drawn_at)
        self._timer = self.set_timer(max(0.01, pause_s), self.draw_now)

    def draw_now(self) -> None:
        """Draw everything as it is now."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if not (self._is_up and self.exists):
            return
        size = self.query_one(Picture).size
        if size.width < 1 or size.height < 1:
            return
        if len(self.model.world.runs_of[self.sweep_id]) <= N_AT_ONCE:
            began = time.monotonic()
            self.follow()
            self.plan(*size)()()
            self._have_drawn(size, began)
            return
        self._n_wanted += 1
        if self._drawn_size == (0, 0):
            self.query_one(Picture).show([Text(f"Drawing {counted(len(self.order.ids), 'run')} …", "dim")])
        self.show_words(size.width)
        if not self._is_drawing:
            self._is_drawing = True
            beside: Any = self._draw_beside  # as a function: cancelled at once it leaves nothing
            self.run_worker(beside, group="drawing", exit_on_error=True)

    def draw_cursor(self) -> None:
        """Draw at once what the cursor changes; news wait for their turn."""
        if self._is_up and self.exists:
            size = self.query_one(Picture).size
            if self._drawn_size == size:
                self.query_one(Picture).show(self.lines(*size))
            self.show_words(size.width)

    # ------------------------------------------------------------------ beside the loop

    async def _draw_beside(self) -> None:
        try:
            while self._is_up and self.exists and self._n_drawn != self._n_wanted:
                await self._draw_once()
        finally:
            self._is_drawing = False
        if self._is_up and self._news:
            self.draw_soon()

    async def _draw_once(self) -> None:
        n, began = self._n_wanted, time.monotonic()
        size = self.query_one(Picture).size
        for key in self.keys_drawn(*size):
            for _ in self.columns.reading(key):
                await asyncio.sleep(0)
            if not (self._is_up and self.exists):
                return
            self.columns.positions(key, self.plot.log_of(key))
            await asyncio.sleep(0)
        if not (self._is_up and self.exists):
            return
        self.follow()
        keep = await asyncio.to_thread(self.plan(*size))
        if self._is_up and self.exists:
            keep()
            self._n_drawn = n
            self._have_drawn(size, began)

    def _have_drawn(self, size: tuple[int, int], began: float) -> None:
        self._drawn_size = size
        self.query_one(Picture).show(self.lines(*size))
        self.show_words(size[0])
        self._drawn_at = time.monotonic()
        self._took_s = self._drawn_at - began
