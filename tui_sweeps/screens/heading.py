"""The lines above the runs table: state, numbers, and what the sweep can still become."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import work

from tui_sweeps.screens.board import line_of
from tui_sweeps.views.drafts import Outlook
from tui_sweeps.views.header import number_line, space_line, state_line
from tui_sweeps.views.tally import Sums
from tui_sweeps.widgets.words import Words

if TYPE_CHECKING:
    from tui_sweeps.screens.board import Board

    Base = Board
else:
    Base = object

ROOMY_HEIGHT = 20
"""From so many lines on there is a third line."""


class Heading(Base):
    """Shows a sweep's header."""

    sweep_id: str
    _sums: Sums | None
    _outlook: Outlook | None = None

    @work(exclusive=True, group="look-ahead", exit_on_error=False)
    async def look_ahead(self) -> None:
        """Find out the size of the space and the bands, beside the message loop: search is slow to load."""
        sweep, foresight = self.model.world.sweeps.get(self.sweep_id), self.setting.foresight
        if sweep is None or foresight is None:
            return
        try:
            self._outlook = await asyncio.to_thread(foresight.preview, sweep.config)
        except ValueError:
            return  # what cannot be enumerated has no size to tell
        if self._is_up:
            self.show_header()

    def show_header(self) -> None:
        """Show the lines as they are now."""
        sweep = self.model.world.sweeps.get(self.sweep_id)
        if sweep is None:
            return
        if self._sums is None:
            self._sums = Sums(self.model.world, self.sweep_id)
        numbers = self._sums.numbers()
        lines = [state_line(self.model, sweep), number_line(sweep, numbers, self.now)]
        is_roomy = self.size.height >= ROOMY_HEIGHT
        if is_roomy:
            lines.append(space_line(sweep, self._outlook, numbers.n_active))
        self.set_class(is_roomy, "roomy")
        text = line_of(lines[0])
        for line in lines[1:]:
            text.append("\n").append_text(line_of(line))
        self.query_one("#header", Words).update(text)
