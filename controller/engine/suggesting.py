"""Search at work: questions out of the World, answers into the engine.

Grid and random search cost microseconds and are answered on the spot. Model-based search runs in a
process of its own, one question per sweep at a time; a newer question that comes up meanwhile is
asked when the answer is in, so that agents keep taking from the shelf all the while.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from controller.domain.effects import Suggest
from controller.domain.events import Suggested
from controller.domain.sweeps import Method, Suggestion, Sweep
from controller.domain.world import World
from controller.engine.pool import new_pool
from controller.engine.questions import Questions, request_for, unpack
from controller.search.draws import draw, generator
from controller.search.propose import propose
from controller.search.requests import Proposal, Request

PATIENCE_S = 0.25
"""No agent waits longer while the model thinks. Only agents that end their runs faster than it thinks come to
that: for them anything now beats the best a little later."""

MIN_POINTS = 3000
"""In a smaller finite space a random draw may be one that was tried; the model knows them all."""


class Suggester:
    """Answers `Suggest` effects."""

    def __init__(self, post: Callable[[Suggested], None], look: Callable[[], World]) -> None:
        self._post = post
        self._look = look
        self._asked: dict[str, Suggest | None] = {}
        """Sweeps whose question is out, each with the question to ask next."""
        self._questions = Questions()
        self._pool: ProcessPoolExecutor | None = None
        self._since_s: dict[str, float] = {}
        """Moment on the loop's clock at which each question to the model went out."""
        self._helping: set[str] = set()
        """Sweeps at whose empty shelf somebody waits."""

    def perform(self, effect: Suggest, world: World) -> None:
        """Ask search, or note that it must be asked again after the present answer."""
        sweep = world.sweeps[effect.sweep_id]
        if effect.waiting:
            if can_be_helped(sweep):
                self._help_later(sweep.id)
            return
        if sweep.id in self._asked:
            later = self._asked[sweep.id]
            fresh = effect.fresh or (later is not None and later.fresh)
            self._asked[sweep.id] = Suggest(sweep_id=sweep.id, n=effect.n, fresh=fresh)
            return
        first_number, last_run = sweep.n_suggested, world.last_run_of.get(sweep.id, 0)
        self._asked[sweep.id] = None
        if sweep.config.method is not Method.BAYES:
            answer = _safely(request_for(world, sweep, effect))
            self._answer(effect, first_number, last_run, answer)
            return
        if self._pool is None:
            self._pool = new_pool()
        loop = asyncio.get_running_loop()
        self._since_s[sweep.id] = loop.time()
        packed = self._questions.packed(world, sweep, effect)
        try:
            future = self._pool.submit(_answer_packed, packed)
        except BrokenProcessPool:
            self._pool = new_pool()
            future = self._pool.submit(_answer_packed, packed)

        def done(future: Future[Proposal | str]) -> None:
            if not future.cancelled():
                answer = future.result() if future.exception() is None else "its process died"
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    loop.call_soon_threadsafe(self._answer, effect, first_number, last_run, answer)

        future.add_done_callback(done)

    def _help_later(self, sweep_id: str) -> None:
        """Look again once the model has thought for too long."""
        if sweep_id not in self._helping:
            loop = asyncio.get_running_loop()
            since_s = self._since_s.get(sweep_id, loop.time())
            self._helping.add(sweep_id)
            loop.call_at(since_s + PATIENCE_S, self._help_out, sweep_id)

    def _help_out(self, sweep_id: str) -> None:
        """Give agents that have waited long enough random draws."""
        self._helping.discard(sweep_id)
        world = self._look()
        if sweep_id not in world.sweeps or sweep_id not in self._asked or world.shelves.get(sweep_id):
            return
        if world.best_of[sweep_id] is None:  # at the opening the model's plan is worth waiting for
            self._since_s[sweep_id] = asyncio.get_running_loop().time()
            self._help_later(sweep_id)
            return
        suggestions = stand_ins(world, world.sweeps[sweep_id])
        if suggestions:
            last_run = world.last_run_of.get(sweep_id, 0)
            self._post(Suggested(sweep_id=sweep_id, suggestions=suggestions, last_run=last_run))

    def forget(self) -> None:
        """The World was loaded anew: answers under way are dropped by their number."""
        self._asked.clear()
        self._questions.forget()

    def close(self) -> None:
        """End the worker process."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def _answer(self, effect: Suggest, first_number: int, last_run: int, answer: Proposal | str) -> None:
        later = self._asked.pop(effect.sweep_id, None)
        if isinstance(answer, str):
            self._post(Suggested(sweep_id=effect.sweep_id, suggestions=(), error=answer))
            return
        self._post(
            Suggested(
                sweep_id=effect.sweep_id,
                suggestions=answer.suggestions,
                exhausted=answer.exhausted,
                first_number=first_number,
                fresh=effect.fresh,
                last_run=last_run,
            )
        )
        if later is not None:
            # After the answer above was taken in: the question must see the new shelf.
            asyncio.get_running_loop().call_soon(self._ask_later, later)

    def _ask_later(self, effect: Suggest) -> None:
        world = self._look()
        if effect.sweep_id in world.sweeps:
            self.perform(effect, world)


def _safely(request: Request) -> Proposal | str:
    try:
        return propose(request)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _answer_packed(packed: bytes) -> Proposal | str:
    return _safely(unpack(packed))


def can_be_helped(sweep: Sweep) -> bool:
    """Say whether a random draw may stand in for the model: not where a seed promises that all repeats."""
    if sweep.config.method is not Method.BAYES or sweep.config.seed is not None:
        return False
    return sweep.size is None or sweep.size >= MIN_POINTS


def stand_ins(world: World, sweep: Sweep) -> tuple[Suggestion, ...]:
    """Return a random draw for each idle agent, none of which any run has."""
    n_idle = sum(world.agents[agent_id].token is None for agent_id in world.agents_of[sweep.id])
    known = [world.runs[run_id].config for run_id in world.runs_of[sweep.id]] if sweep.size else []
    dice = generator("stand-in", sweep.id, sweep.n_suggested)
    drawn = [draw(sweep.config.parameters, dice) for _ in range(n_idle)]
    reason = {"model": "random", "because": "the model was still thinking"}
    return tuple(
        Suggestion(number=sweep.n_suggested + n, config=config, reason=reason)
        for n, config in enumerate(config for config in drawn if config not in known)
    )
