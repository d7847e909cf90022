"""Early termination at work: every accepted value of the metric is judged at once.

The brackets of a sweep are not facts but a digest of its runs' metric values, rebuilt from the
store when they are first needed after a start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from controller.domain.effects import CheckEarlyTermination
from controller.domain.events import Event, Judged
from controller.domain.queries import Attempts, GetAttempts, GetHistory, History
from controller.domain.runs import Verdict, metric_value
from controller.domain.sweeps import Goal, Sweep
from controller.domain.world import World
from controller.search import hyperband
from controller.store import Store


class Judge:
    """Holds the brackets of all sweeps with early termination."""

    def __init__(self, store: Store, post: Callable[[Event], None]) -> None:
        self._store = store
        self._post = post
        self._brackets: dict[str, hyperband.Brackets] = {}
        self._tokens: dict[str, int] = {}
        """The attempt of each run whose values came last."""
        self._loaded: dict[int, int] = {}
        """How far each attempt's report was loaded; what waited for its turn meanwhile is in it."""
        self._turn = asyncio.Lock()

    def forget(self) -> None:
        """The World was loaded anew."""
        self._brackets.clear()
        self._tokens.clear()
        self._loaded.clear()

    def forget_sweep(self, sweep_id: str) -> None:
        """Some of a sweep's runs count no longer, or again: its brackets are rebuilt when next needed."""
        self._brackets.pop(sweep_id, None)

    async def judge(self, effect: CheckEarlyTermination, world: World) -> None:
        """Judge a run by its new values and post the verdict that matters."""
        run = world.runs.get(effect.run_id)
        if run is None:
            return
        sweep = world.sweeps[run.sweep_id]
        async with self._turn:
            brackets = self._brackets.get(sweep.id)
            if brackets is None:
                # The history that is loaded holds the new values already.
                brackets = self._brackets[sweep.id] = await self._rebuild(sweep, world)
                verdict = brackets.judge(run.id)
            elif 0 < effect.last_seq <= self._loaded.get(effect.token, 0):
                verdict = brackets.judge(run.id)
            else:
                self._begin_attempt(brackets, effect, world)
                verdict = brackets.add(run.id, effect.values)
        if verdict is not None:
            self._post(
                Judged(
                    run_id=run.id,
                    token=effect.token,
                    verdict=Verdict(
                        stop=verdict.stop,
                        band=verdict.band,
                        value=verdict.value,
                        threshold=verdict.threshold,
                        n_at_band=verdict.n_at_band,
                    ),
                )
            )

    def _begin_attempt(
        self, brackets: hyperband.Brackets, effect: CheckEarlyTermination, world: World
    ) -> None:
        """A retry begins its curve anew; what was preempted goes on with it."""
        if self._tokens.get(effect.run_id, effect.token) != effect.token:
            attempt = world.attempts.get(effect.token)
            if attempt is not None and not attempt.resume:
                brackets.remove(effect.run_id)
        self._tokens[effect.run_id] = effect.token

    async def _rebuild(self, sweep: Sweep, world: World) -> hyperband.Brackets:
        metric, early = sweep.config.metric, sweep.config.early_terminate
        assert metric is not None
        assert early is not None
        brackets = hyperband.Brackets(early, minimize=metric.goal is Goal.MINIMIZE)
        for run_id in tuple(world.runs_of[sweep.id]):
            if not world.runs[run_id].n_points or world.runs[run_id].ignored:
                continue
            values = await self._load(run_id, metric.name)
            if values is not None:
                brackets.add(run_id, values)
        return brackets

    async def _load(self, run_id: str, metric: str) -> tuple[float, ...] | None:
        """Return a run's values of the metric, and note of which attempts and how far they are."""
        attempts = await asyncio.to_thread(self._store.ask, GetAttempts(run_id=run_id))
        while True:
            history = await asyncio.to_thread(self._store.ask, GetHistory(run_id=run_id))
            before, attempts = attempts, await asyncio.to_thread(self._store.ask, GetAttempts(run_id=run_id))
            if attempts == before:
                break  # nothing was recorded between the questions: the answers belong together
        if not isinstance(attempts, Attempts) or not isinstance(history, History):
            return None
        for attempt in attempts.attempts:
            self._loaded[attempt.token] = n_lines = attempt.last_seq + attempt.client_seq
            if n_lines:
                self._tokens[run_id] = attempt.token
        found = (metric_value(point.values, metric) for point in history.points)
        return tuple(value for value in found if value is not None)
