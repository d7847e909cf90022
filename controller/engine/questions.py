"""The question to search: what is known of a sweep, what is under way, how many suggestions are wanted.

A question to the model holds every run, and the loop that packs it serves all agents meanwhile. So a run that
has not changed since the last question is not encoded again.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Iterator
from typing import Any

import msgspec

from controller.domain.effects import Suggest
from controller.domain.priors import prior_value, refusal
from controller.domain.runs import Run
from controller.domain.states import RUN_ENDED, RunState
from controller.domain.sweeps import Method, Sweep
from controller.domain.world import World
from controller.search.requests import Observation, Request

MAX_SWEEPS = 8
"""Sweeps whose runs are kept packed; the one that was not asked about for longest is dropped first."""


class Questions:
    """Packs questions to the model, each run once for as long as it stays as it is."""

    def __init__(self) -> None:
        self._own: dict[str, dict[str, _Packed]] = {}
        self._earlier: dict[str, dict[str, _Packed]] = {}

    def packed(self, world: World, sweep: Sweep, effect: Suggest) -> bytes:
        """Return `request_for` on its way to the worker; `unpack` opens it."""
        try:
            observations, pending = list(self._priors(world, sweep)), _shelved(world, sweep, effect)
            for run, packed in self._runs(world, sweep):
                if packed is None:
                    pending.append(run.config)
                else:
                    observations.append(packed)
            question = {
                "config": sweep.config,
                "n": effect.n,
                "first_number": sweep.n_suggested,
                "observations": observations,
                "pending": pending,
                "seed": _seed(sweep),
            }
            return _MESSAGE + _ENCODER.encode(question)
        except (UnicodeError, OverflowError, TypeError, ValueError):  # half a character, a very long number
            return _PICKLE + pickle.dumps(request_for(world, sweep, effect))

    def forget(self) -> None:
        """The World was loaded anew: its runs are other objects."""
        self._own.clear()
        self._earlier.clear()

    def _runs(self, world: World, sweep: Sweep) -> Iterator[_Packed]:
        """Yield each run of the sweep."""
        seen = _latest(self._own, sweep.id)
        for run_id in world.runs_of[sweep.id]:
            run = world.runs[run_id]
            packed = seen.get(run_id)
            if packed is None or packed[0] is not run:
                seen[run_id] = packed = (run, _raw(_observation(run, run.best)) if _teaches(run) else None)
            yield packed

    def _priors(self, world: World, sweep: Sweep) -> Iterator[msgspec.Raw]:
        """Yield what can be learned from earlier runs, packed."""
        seen = _latest(self._earlier, sweep.id)
        for run in _earlier(world, sweep):
            packed = seen.get(run.id)
            if packed is None or packed[0] is not run:
                found = _prior(world, sweep, run)
                seen[run.id] = packed = (run, _raw(found) if found else None)
            if packed[1]:
                yield packed[1]


_Packed = tuple[Run, msgspec.Raw | None]
"""A run as it was when it was packed; None when it has nothing to tell."""


def _latest(seen: dict[str, dict[str, _Packed]], sweep_id: str) -> dict[str, _Packed]:
    """Return what is kept of a sweep, moved behind all others."""
    seen[sweep_id] = mine = seen.pop(sweep_id, {})
    while len(seen) > MAX_SWEEPS:
        del seen[next(iter(seen))]
    return mine


_MESSAGE, _PICKLE = b"m", b"p"
"""First byte of a packed question: how the rest was made."""

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Request)


def _raw(observation: Observation) -> msgspec.Raw:
    return msgspec.Raw(_ENCODER.encode(observation))


def unpack(packed: bytes) -> Request:
    """Return what was packed."""
    if packed[:1] == _PICKLE:
        found: Request = pickle.loads(packed[1:])
        return found
    return _DECODER.decode(packed[1:])


def request_for(world: World, sweep: Sweep, effect: Suggest) -> Request:
    """Return the question: what is known, what is under way, how many are wanted from which number on."""
    observations: list[Observation] = []
    pending = _shelved(world, sweep, effect)
    if sweep.config.method is Method.BAYES:
        priors = (_prior(world, sweep, run) for run in _earlier(world, sweep))
        observations += [prior for prior in priors if prior is not None]
        for run in (world.runs[run_id] for run_id in world.runs_of[sweep.id]):
            if _teaches(run):
                observations.append(_observation(run, run.best))
            else:  # what is ignored teaches nothing, but is not tried again either
                pending.append(run.config)
    return Request(
        config=sweep.config,
        n=effect.n,
        first_number=sweep.n_suggested,
        observations=tuple(observations),
        pending=tuple(pending),
        seed=_seed(sweep),
    )


def _shelved(world: World, sweep: Sweep, effect: Suggest) -> list[dict[str, Any]]:
    """Return configs that were suggested and lie on the shelf; fresh ones are to stand in for those."""
    return [] if effect.fresh else [suggestion.config for suggestion in world.shelves.get(sweep.id, ())]


def _teaches(run: Run) -> bool:
    return run.state in RUN_ENDED and not run.queued and not run.ignored


def _seed(sweep: Sweep) -> int:
    seed = sweep.config.seed
    return seed if seed is not None else zlib.crc32(sweep.id.encode())


def _earlier(world: World, sweep: Sweep) -> list[Run]:
    """Return the runs that were named and those of the parent, each once."""
    ids = dict.fromkeys((*sweep.prior_runs, *world.runs_of.get(sweep.parent or "", ())))
    return [world.runs[run_id] for run_id in ids if run_id in world.runs]


def _prior(world: World, sweep: Sweep, run: Run) -> Observation | None:
    """Return what an earlier run teaches; None where it can teach nothing here."""
    own, metric = world.sweeps[run.sweep_id].config.metric, sweep.config.metric
    if metric is None or refusal(run, own, sweep.config):
        return None
    return _observation(run, prior_value(run, own, metric))


def _observation(run: Run, value: float | None) -> Observation:
    early = run.state is RunState.KILLED and run.stop is not None and run.stop.cause == "early-stopped"
    return Observation(config=run.config, value=value, state=run.state, early_stopped=early)
