"""Model-based search: what earlier runs say about where the metric is best.

A Gaussian process over all runs that logged the metric, a second one over who failed, log expected
improvement times the chance of success, runs in flight taken at their predicted mean. A point is never
proposed twice while an untried one exists; a finite space ends by itself. Everything depends on the
request alone, so the same results in the same order give the same suggestions.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from controller.domain.states import RunState
from controller.domain.sweeps import Goal, Suggestion
from controller.search.acquisition import Effort, maximise
from controller.search.cells import Cells, drawn_cells
from controller.search.design import design
from controller.search.encoding import Encoder, Rows, encoder, marks
from controller.search.model import Model
from controller.search.requests import Observation, Proposal, Request

Vector = npt.NDArray[np.float64]

FAILED = frozenset({RunState.FAILED, RunState.CRASHED})

SMALL_SPACE = 3000
"""Up to so many cells every one is scored."""


def propose_bayes(request: Request) -> Proposal:
    """Return up to `request.n` suggestions by the model."""
    with _libraries().limit(limits=1):
        return _Search(request).proposal()


@lru_cache(maxsize=1)
def _libraries() -> Any:
    """Return the hold on the linear algebra's threads.

    The matrices are small: a second thread gains nothing and, on a busy machine, waits spinning.
    """
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()


class _Search:
    """One request, worked through."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.space = request.config.parameters
        self.encoder = encoder(self.space)
        self.cells: Cells | None = drawn_cells(self.space)
        seen = [o.config for o in request.observations]
        self.seen = self.encoder.encode(seen) if seen else np.zeros((0, self.encoder.n_columns))
        pending = list(request.pending)
        self.pending = self.encoder.encode(pending) if pending else np.zeros((0, self.encoder.n_columns))
        self.taken = set(marks(self.seen)) | set(marks(self.pending))
        self.values = np.array([_target(o, self._sign()) for o in request.observations], dtype=float)
        self.pool = self._pool()

    def _sign(self) -> float:
        metric = self.request.config.metric
        return -1.0 if metric is not None and metric.goal is Goal.MAXIMIZE else 1.0

    def _pool(self) -> Rows | None:
        """Return all untried rows of a small finite space."""
        if self.cells is None or self.cells.size > SMALL_SPACE:
            return None
        rows = self.encoder.encode([self.cells.cell(i) for i in range(self.cells.size)])
        free = [i for i, mark in enumerate(marks(rows)) if mark not in self.taken]
        return rows[free]

    def proposal(self) -> Proposal:
        suggestions: list[Suggestion] = []
        model: Model | None = None
        n_ok = int(np.isfinite(self.values).sum())
        n_first = n_initial(self.encoder)
        plan: Rows | None = None  # costs some 5 ms
        for number in range(self.request.first_number, self.request.first_number + self.request.n):
            rng = np.random.default_rng([self.request.seed & 0xFFFFFFFF, number, 3])
            if self.pool is not None and not len(self.pool):
                break
            if not n_ok or len(self.seen) + len(self.pending) < n_first:
                if plan is None:
                    plan = design(self.encoder, max(n_first, 8), self.request.seed)
                row, reason = self._early(plan, rng)
            else:
                if model is None:
                    model = self._model(rng)
                row = model.next(number, self.taken, self.pool, rng)
                if row is None:
                    row = self._anywhere(rng)
                reason = {} if row is None else model.reason(row, self._sign())
            if row is None:
                break
            self._take(row)
            if model is not None:
                model.believe(self.pending)
            suggestions.append(Suggestion(number=number, config=self.encoder.decode(row), reason=reason))
        done = self.pool is not None and not len(self.pool)
        return Proposal(suggestions=tuple(suggestions), exhausted=done or len(suggestions) < self.request.n)

    def _model(self, rng: np.random.Generator) -> Model:
        failed = np.array([_failed(o) for o in self.request.observations], dtype=bool)
        model = Model(self.encoder, self.seen, self.values, failed, rng)
        model.believe(self.pending)
        return model

    def _take(self, row: npt.NDArray[np.float64]) -> None:
        mark = marks(row[None, :])[0]
        self.taken.add(mark)
        self.pending = np.concatenate((self.pending, row[None, :]))
        if self.pool is not None:
            self.pool = self.pool[[m != mark for m in marks(self.pool)]]

    def _early(
        self, plan: Rows, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.float64] | None, dict[str, Any]]:
        """Return the next point of the plan, and when it is used up the loneliest of many draws."""
        known = np.concatenate((self.seen, self.pending))
        for index, (row, mark) in enumerate(zip(plan, marks(plan), strict=True)):
            if mark not in self.taken and index >= len(known):
                return row, {"model": "design", "point": index, "of": len(plan)}

        def lonely(rows: Rows) -> Vector:
            if not len(known):
                return np.zeros(len(rows))
            gaps = np.abs(rows[:, None, :] - known[None, :, :])
            gaps = np.where(self.encoder.is_category, 0.5 * (gaps > 0), gaps)
            return np.asarray((gaps**2).sum(axis=2).min(axis=1))

        lengths = np.full(self.encoder.n_columns, 0.3)
        effort = Effort(n_global=100, n_local=0, n_steps=0)
        found = maximise(self.encoder, lonely, known[:0], lengths, self.taken, rng, effort, self.pool)
        row = self._anywhere(rng) if found is None else found[0]
        return (None, {}) if row is None else (row, {"model": "design"})

    def _anywhere(self, rng: np.random.Generator) -> npt.NDArray[np.float64] | None:
        """Return any untried point; a large finite space is walked from a random cell on."""
        if self.cells is None:
            return np.asarray(self.encoder.from_quantiles(rng.random((1, self.encoder.n_columns)))[0])
        start = int(rng.integers(min(self.cells.size, 2**62)))
        for step in range(min(self.cells.size, len(self.taken) + 1)):
            row = self.encoder.encode([self.cells.cell((start + step) % self.cells.size)])
            if marks(row)[0] not in self.taken:
                return np.asarray(row[0])
        return None


def n_initial(encoder: Encoder) -> int:
    """Return how many points are laid out before the model is asked."""
    return int(min(max(encoder.n_columns, 3), 5))


def _target(observation: Observation, sign: float) -> float:
    value = observation.value
    return math.nan if value is None or not math.isfinite(value) else sign * value


def _failed(observation: Observation) -> bool:
    lost = observation.value is None or not math.isfinite(observation.value)
    return observation.state in FAILED or (observation.state is RunState.FINISHED and lost)
