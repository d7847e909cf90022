"""The model: a mirror of the controller's World, kept by the same fold, plus the dashboard's own marks.

Screens and views read it and never write it; only the link folds changes into it and only the app
sets waiting marks. It knows neither Textual nor the client.
"""

from __future__ import annotations

from collections import deque

from controller.domain.changes import HistoryGrew
from controller.domain.feed import Batch
from controller.domain.world import Snapshot, World
from tui_sweeps.model.touched import Touched, touched_by

N_TAIL = 24
"""Metric values kept per run for its sparkline; wider sparklines than this are never drawn."""


class Model:
    """What is true as far as this dashboard has heard."""

    def __init__(self) -> None:
        self.world = World()
        self.seq = 0
        """The last batch that was folded."""
        self.ready = False
        """A snapshot has arrived."""
        self.stale = ""
        """Why what is shown may be out of date; empty while in touch with the controller."""
        self.trouble = ""
        """Why the controller can record nothing now; empty while it can."""
        self.waiting: dict[str, str] = {}
        """Per id of a sweep, run or agent: what was asked of it and is not yet true."""
        self.tails: dict[str, deque[float]] = {}
        """Latest values of the sweep's metric per run."""
        self._touched = Touched()

    def take(self, snapshot: Snapshot) -> None:
        """Start over from a snapshot."""
        self.world = World(snapshot.facts)
        self.seq = snapshot.seq
        self.ready = True
        self.stale = ""
        self.waiting.clear()
        self.tails = {key: tail for key, tail in self.tails.items() if key in self.world.runs}
        self._touched.everything = True

    def fold(self, batch: Batch) -> None:
        """Follow one batch; one that is known already is passed over."""
        if batch.seq <= self.seq:
            return
        self.world.evolve(batch.changes)
        self.seq = batch.seq
        for change in batch.changes:
            if isinstance(change, HistoryGrew) and change.n_metric_values and change.latest is not None:
                self.tails.setdefault(change.run_id, deque(maxlen=N_TAIL)).append(change.latest)
        fresh = Touched()
        touched_by(self.world, batch.changes, fresh)
        if self.waiting:
            for name in fresh.sweeps | fresh.runs | fresh.agents:
                self._settle(name)
        self._touched.everything |= fresh.everything
        self._touched.sweeps |= fresh.sweeps
        self._touched.runs |= fresh.runs
        self._touched.agents |= fresh.agents
        self._touched.notes |= fresh.notes

    def wait(self, names: tuple[str, ...], mark: str) -> None:
        """Mark that something was asked of these; an empty mark takes it back."""
        for name in names:
            if mark:
                self.waiting[name] = mark
            else:
                self.waiting.pop(name, None)
            self._mark(name)

    def lose(self, reason: str) -> None:
        """Remember that the controller is away: everything shown is as of then."""
        self.stale = reason
        self._touched.everything = True

    def warn(self, trouble: str) -> bool:
        """Remember why nothing can be recorded; return whether that is news."""
        is_news = trouble != self.trouble
        self.trouble = trouble
        self._touched.everything |= is_news
        return is_news

    def seed_tail(self, run_id: str, values: list[float]) -> None:
        """Take a run's earlier metric values, which come from the store and not from changes."""
        if run_id in self.world.runs:
            self.tails[run_id] = deque(values[-N_TAIL:], maxlen=N_TAIL)
            self._touched.run(self.world, run_id)

    def drain(self) -> Touched:
        """Return what was touched since the last call, and forget it."""
        touched, self._touched = self._touched, Touched()
        return touched

    def _settle(self, name: str) -> None:
        self.waiting.pop(name, None)

    def _mark(self, name: str) -> None:
        if name in self.world.sweeps:
            self._touched.sweeps.add(name)
        elif name in self.world.runs:
            self._touched.run(self.world, name)
        elif name in self.world.agents:
            self._touched.agent(name, self.world.agents[name].sweep_id)
        elif name in self.world.jobs:
            self._touched.agent(name, self.world.jobs[name].sweep_id)
