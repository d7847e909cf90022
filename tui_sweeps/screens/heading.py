"""The lines above the runs table: state, numbers, and what the sweep can still become."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import work

from controller.domain.queries import Belief, GetBelief
from controller.domain.states import RUN_ENDED
from controller.domain.sweeps import Method, Sweep
from tui_sweeps.messages import Ask
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

BELIEF_S = 30.0
"""Least time between two questions to the model: each costs the controller a fit over all runs."""

ROOMY_HEIGHT = 20
"""From so many lines on there is a third line."""


class Heading(Base):
    """Shows a sweep's header."""

    sweep_id: str
    _sums: Sums | None
    _outlook: Outlook | None = None
    _belief: Belief | None = None
    _asks_belief = False
    _believed_of = 0
    """Runs that had ended when the model was asked last."""
    _believed_at = float("-inf")

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
        self._ask_belief(sweep)
        first = state_line(self.model, sweep, self._belief)
        if line_of(first).cell_len > self.size.width - 2:
            first = state_line(self.model, sweep)
        lines = [first, number_line(sweep, numbers, self.now)]
        is_roomy = self.size.height >= ROOMY_HEIGHT
        if is_roomy:
            lines.append(space_line(sweep, self._outlook, numbers.n_active))
        self.set_class(is_roomy, "roomy")
        text = line_of(lines[0])
        for line in lines[1:]:
            text.append("\n").append_text(line_of(line))
        self.query_one("#header", Words).update(text)

    def _ask_belief(self, sweep: Sweep) -> None:
        """Ask which run the model takes for the best, when runs have ended since it was asked last."""
        counts = self.model.world.counts_of[sweep.id]
        n_ended = sum(counts[state] for state in RUN_ENDED)
        is_due = n_ended != self._believed_of and self.now - self._believed_at >= BELIEF_S
        if sweep.config.method is Method.BAYES and is_due and not self._asks_belief:
            self._asks_belief, self._believed_of, self._believed_at = True, n_ended, self.now
            self.post_message(Ask(self, "belief", GetBelief(sweep_id=sweep.id)))

    def answered(self, key: str, answer: object) -> None:
        """Show what the model believes."""
        self._asks_belief = False
        if isinstance(answer, Belief):
            self._belief = answer if answer.mean is not None else None
            self.show_header()
