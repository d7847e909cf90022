"""Memory, database and a client's mirror are equal over random histories of everything that can happen."""

from __future__ import annotations

import tempfile
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from controller.core.decide import decide
from controller.core.draft import Moment
from controller.domain.commands import Command
from controller.domain.delta import Collector
from controller.domain.effects import Suggest
from controller.domain.events import Event
from controller.domain.queries import GetHistory, History
from controller.domain.replies import Reply
from controller.domain.timing import TIMING
from controller.domain.world import Facts, World
from controller.store import Store
from tests.core.shop import Shop
from tests.core.test_histories import Histories


class RecordingShop(Shop):
    """A shop that records every decision as the engine does."""

    def __init__(self, n_cells: int, **config: Any) -> None:
        super().__init__(n_cells, **config)
        self.place = tempfile.TemporaryDirectory(prefix="t-")
        self.store = Store.open(Path(self.place.name) / "store.sqlite3")
        self.latest: Future[None] | None = None

    def tell(self, message: Command | Event) -> Reply | None:
        moment = Moment(at=self.at, mono_s=self.mono_s, new_id=self.new_id, timing=TIMING)
        collector = Collector(self.world)
        decision = decide(self.world, message, moment)
        collector.add(decision.changes, decision.records, decision.gone)
        self.decisions.append(decision)
        if decision.changes or decision.records:
            self.latest = self.store.commit(collector.build())
        for effect in decision.effects:
            if isinstance(effect, Suggest):
                self._suggest(effect)
        return decision.reply

    def load(self) -> Facts:
        if self.latest is not None:
            self.latest.result(60)
        return self.store.load()

    def close(self) -> None:
        self.store.close()
        self.place.cleanup()


class RecordedHistories(Histories):
    def new_shop(self, n_cells: int, **config: Any) -> Shop:
        self.recording = RecordingShop(n_cells, **config)
        return self.recording

    def recorded(self) -> Facts:
        facts = self.recording.load()
        assert World(facts).facts() == self.shop.world.facts()
        return facts

    def teardown(self) -> None:
        try:
            self.recorded()
            for run in self.shop.world.runs.values():
                if run.attempt == 1 and run.token is not None:
                    self._points_are_there(run.id, self.accepted.get(run.token, []))
        finally:
            self.recording.close()

    def _points_are_there(self, run_id: str, losses: list[float]) -> None:
        history = self.recording.store.ask(GetHistory(run_id=run_id))
        assert isinstance(history, History)
        assert [point.values["loss"] for point in history.points] == losses
        assert [point.seq for point in history.points] == list(range(1, len(losses) + 1))


class ManyRecordedHistories(RecordedHistories):
    pass


RecordedHistories.TestCase.settings = settings(Histories.TestCase.settings, max_examples=25)
ManyRecordedHistories.TestCase.settings = settings(Histories.TestCase.settings, max_examples=500)
TestRecordedHistories = RecordedHistories.TestCase
TestManyRecordedHistories = pytest.mark.torture(pytest.mark.timeout(3600)(ManyRecordedHistories.TestCase))
