"""Search at work: questions out of the World, answers into the engine.

Grid and random search cost microseconds and are answered on the spot. Model-based search runs in a
process of its own, one question per sweep at a time; a newer question that comes up meanwhile is
asked when the answer is in, so that agents keep taking from the shelf all the while.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
import zlib
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import msgspec

from controller.domain.effects import Suggest
from controller.domain.events import Suggested
from controller.domain.priors import prior_value, refusal
from controller.domain.runs import Run
from controller.domain.states import RUN_ENDED, RunState
from controller.domain.sweeps import Method, Suggestion, Sweep
from controller.domain.world import World
from controller.search.draws import draw, generator
from controller.search.propose import propose
from controller.search.requests import Observation, Proposal, Request

PATIENCE_S = 0.25
"""No agent waits longer while the model thinks. Only agents that end their runs faster than it thinks come to
that: for them anything now beats the best a little later."""

MIN_POINTS = 3000
"""In a smaller finite space a random draw may be one that was tried; the model knows them all."""


def new_pool() -> ProcessPoolExecutor:
    """Return a pool of one worker, started when first used and never forked from us.

    A fork would inherit the database's descriptor and half-held locks.
    """
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(max_workers=1, mp_context=context, initializer=_be_modest)


def _be_modest() -> None:
    """Use one thread at low priority: a login node is shared, and agents must not wait for mathematics."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    os.nice(10)
    # A Ctrl-C in the terminal is the dashboard's; the worker ends with its pool.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Leave when the controller is gone: one that was killed cannot end its pool."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class Suggester:
    """Answers `Suggest` effects."""

    def __init__(self, post: Callable[[Suggested], None], look: Callable[[], World]) -> None:
        self._post = post
        self._look = look
        self._asked: dict[str, Suggest | None] = {}
        """Sweeps whose question is out, each with the question to ask next."""
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
        request = request_for(world, sweep, effect)
        last_run = world.last_run_of.get(sweep.id, 0)
        self._asked[sweep.id] = None
        if sweep.config.method is not Method.BAYES:
            self._answer(effect, request, last_run, _safely(request))
            return
        if self._pool is None:
            self._pool = new_pool()
        loop = asyncio.get_running_loop()
        self._since_s[sweep.id] = loop.time()
        packed = pack(request)
        try:
            future = self._pool.submit(_answer_packed, packed)
        except BrokenProcessPool:
            self._pool = new_pool()
            future = self._pool.submit(_answer_packed, packed)

        def done(future: Future[Proposal | str]) -> None:
            if not future.cancelled():
                answer = future.result() if future.exception() is None else "its process died"
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    loop.call_soon_threadsafe(self._answer, effect, request, last_run, answer)

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

    def close(self) -> None:
        """End the worker process."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def _answer(self, effect: Suggest, request: Request, last_run: int, answer: Proposal | str) -> None:
        later = self._asked.pop(effect.sweep_id, None)
        if isinstance(answer, str):
            self._post(Suggested(sweep_id=effect.sweep_id, suggestions=(), error=answer))
            return
        self._post(
            Suggested(
                sweep_id=effect.sweep_id,
                suggestions=answer.suggestions,
                exhausted=answer.exhausted,
                first_number=request.first_number,
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


def pack(request: Request) -> bytes:
    """Return a request for its way to the worker: at 5,000 runs in a tenth of the time of pickling."""
    try:
        return b"m" + msgspec.msgpack.encode(request)
    except (UnicodeError, OverflowError, TypeError, ValueError):  # half a character, a very long number
        return b"p" + pickle.dumps(request)


def unpack(packed: bytes) -> Request:
    """Return what was packed."""
    if packed[:1] == b"p":
        found: Request = pickle.loads(packed[1:])
        return found
    return _PACKED.decode(packed[1:])


_PACKED = msgspec.msgpack.Decoder(Request)


def _answer_packed(packed: bytes) -> Proposal | str:
    return _safely(unpack(packed))


def request_for(world: World, sweep: Sweep, effect: Suggest) -> Request:
    """Return the question: what is known, what is under way, how many are wanted from which number on."""
    shelf = world.shelves.get(sweep.id, ())
    observations: list[Observation] = []
    # Fresh ones stand in for what lies on the shelf, so that does not count as taken.
    pending: list[dict[str, Any]] = [] if effect.fresh else [s.config for s in shelf]
    if sweep.config.method is Method.BAYES:
        observations += _priors(world, sweep)
        for run_id in world.runs_of[sweep.id]:
            run = world.runs[run_id]
            if run.state in RUN_ENDED and not run.queued and not run.ignored:
                observations.append(_observation(run, run.best))
            else:  # what is ignored teaches nothing, but is not tried again either
                pending.append(run.config)
    return Request(
        config=sweep.config,
        n=effect.n,
        first_number=sweep.n_suggested,
        observations=tuple(observations),
        pending=tuple(pending),
        seed=sweep.config.seed if sweep.config.seed is not None else zlib.crc32(sweep.id.encode()),
    )


def _priors(world: World, sweep: Sweep) -> list[Observation]:
    """Return what can be learned from the runs that were named and those of the parent, each once."""
    metric = sweep.config.metric
    if metric is None:
        return []
    ids = dict.fromkeys((*sweep.prior_runs, *world.runs_of.get(sweep.parent or "", ())))
    found = []
    for run in (world.runs[run_id] for run_id in ids if run_id in world.runs):
        own = world.sweeps[run.sweep_id].config.metric
        if not refusal(run, own, sweep.config):
            found.append(_observation(run, prior_value(run, own, metric)))
    return found


def _observation(run: Run, value: float | None) -> Observation:
    early = run.state is RunState.KILLED and run.stop is not None and run.stop.cause == "early-stopped"
    return Observation(config=run.config, value=value, state=run.state, early_stopped=early)


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
