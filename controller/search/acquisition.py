"""Where to look next: log expected improvement, searched globally and then around the best places.

Spaces are mixed, so the search walks by mutations instead of gradients: columns change a few at a time,
numbers by shrinking steps, categories by another draw, and every point stays one that a config can have.

Source: Ament et al., Unexpected Improvements to Expected Improvement (2023), eq. 8-9; with heavier tails
Tracey and Wolpert, Upgrading from Gaussian Processes to Student's-T Processes (2018), eq. 13; the belief
about where the best lies: Hvarfner et al., PiBO (2022), eq. 6.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import erfcx, gammaln, ndtr, stdtr

from controller.search.encoding import Encoder, Rows, marks

Vector = npt.NDArray[np.float64]
Score = Callable[[Rows], Vector]

_C1 = 0.5 * math.log(2 * math.pi)
_C2 = 0.5 * math.log(math.pi / 2)


def log_improvement(mean: Vector, deviation: Vector, best: float) -> Vector:
    """Return the logarithm of the expected improvement below `best`."""
    z = (best - mean) / deviation
    density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        near = np.log(density + z * ndtr(z))
        far = -0.5 * z * z - _C1 + np.log1p(-np.exp(np.log(erfcx(-z / math.sqrt(2)) * np.abs(z)) + _C2))
        farthest = -0.5 * z * z - _C1 - 2 * np.log(np.abs(z))
    h = np.where(z > -1, near, np.where(z > -1e4, far, farthest))
    return np.asarray(np.where(np.isnan(h), farthest, h) + np.log(deviation))


def doubtful_log_improvement(mean: Vector, deviation: Vector, best: float, freedom: float) -> Vector:
    """Return the same where predictions are Student's t with `freedom` > 2, of the same deviation."""
    scale = deviation * math.sqrt((freedom - 2.0) / freedom)
    z = (best - mean) / scale
    base = 1.0 + z * z / freedom
    constant = float(gammaln((freedom + 1) / 2) - gammaln(freedom / 2)) - 0.5 * math.log(freedom * math.pi)
    density = np.exp(constant - (freedom + 1) / 2 * np.log(base))
    gain = z * stdtr(freedom, z) + freedom / (freedom - 1) * base * density
    return np.asarray(np.log(np.maximum(gain, 1e-300)) + np.log(scale))


def log_belief(u: Rows) -> Vector:
    """Return how much less the best is believed to be near the limits of ranges, 0 in the middle of all.

    It is the log of a flat-topped density per column, a tenth as likely at a limit as in the middle.
    """
    u = np.clip(u, 0.0, 1.0)
    return np.asarray(np.log(0.1 + 3.6 * u * (1.0 - u)).sum(axis=1))


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to search."""

    n_global: int = 300
    n_local: int = 1700
    """Mutants of the best known places and of crosses between them: these find most basins that count."""
    n_tops: int = 12
    """Places that are climbed from; after each third of the steps the better half is left."""
    n_steps: int = 24
    n_mutants: int = 84
    """Mutants a step, shared by the places."""

    def scaled(self, share: float) -> Effort:
        """Return a search of `share` as many candidates."""
        n_global, n_local, n_mutants = (
            max(round(share * n), 1) for n in (self.n_global, self.n_local, self.n_mutants)
        )
        return replace(self, n_global=n_global, n_local=n_local, n_mutants=n_mutants)


_SCALES = (1.0, 0.4, 0.15, 0.05)
"""How far, in length scales, each quarter of the first mutants goes."""

_FIRST_STEP, _LAST_STEP = 0.2, 0.003
"""The same of the climb."""


def mutate(encoder: Encoder, parents: Rows, scale: float, lengths: Vector, rng: np.random.Generator) -> Rows:
    """Return one mutant per parent row; number columns move by about `scale` times their length."""
    n, d = parents.shape
    fresh = encoder.from_quantiles(rng.random((n, d)))
    rows = _filled(encoder, parents, fresh)
    rate = rng.choice(np.array([1.0, 2.0, 4.0]), size=n)[:, None] / d
    change = rng.random((n, d)) < np.minimum(rate, 0.9)
    change[np.arange(n), rng.integers(d, size=n)] = True
    moved = rows + rng.standard_normal((n, d)) * (scale * lengths)
    for j, column in enumerate(encoder.columns):
        if not column.is_category and column.values is not None:
            # A step below half a level would come back to where it started.
            gap = 1.0 / max(len(column.values) - 1, 1)
            moved[:, j] = rows[:, j] + rng.choice([-1.0, 1.0], n) * np.maximum(
                np.abs(moved[:, j] - rows[:, j]), 0.6 * gap
            )
    moved = np.abs(moved)
    moved = np.where(moved > 1.0, 2.0 - moved, moved)  # reflected at the walls
    jump = encoder.is_category | (rng.random((n, d)) < 0.05)
    return encoder.snap(np.where(change, np.where(jump, fresh, moved), rows))


def cross(encoder: Encoder, rows: Rows, n: int, rng: np.random.Generator) -> Rows:
    """Return `n` of `rows`, half of them with about half of their columns from another."""
    d = encoder.n_columns
    one, other = (
        _filled(encoder, rows[rng.integers(len(rows), size=n)], encoder.from_quantiles(rng.random((n, d))))
        for _ in range(2)
    )
    swapped = rng.random((n, d)) < 0.5
    swapped[n // 2 :] = False
    return encoder.snap(np.where(swapped, other, one)[rng.permutation(n)])


def _filled(encoder: Encoder, rows: Rows, fresh: Rows) -> Rows:
    """Return `rows` with the entries of columns that do not matter there taken from `fresh`."""
    return np.where(encoder.on(rows), rows, fresh) if encoder.conditional else rows


def maximise(
    encoder: Encoder,
    score: Score,
    starts: Rows,
    lengths: Vector,
    taken: set[bytes],
    rng: np.random.Generator,
    effort: Effort,
    pool: Rows | None = None,
) -> tuple[npt.NDArray[np.float64], float] | None:
    """Return the best row that is not taken, with its score; None when every candidate is taken.

    `pool` holds all rows of a small finite space; then nothing else is looked at.
    """
    if pool is not None:
        return _best_free(pool, score(pool), taken) if len(pool) else None
    d = encoder.n_columns
    rows = [encoder.from_quantiles(rng.random((effort.n_global, d)))]
    if len(starts):
        parents = np.array_split(cross(encoder, starts, effort.n_local, rng), len(_SCALES))
        rows += [mutate(encoder, p, s, lengths, rng) for p, s in zip(parents, _SCALES, strict=True)]
    candidates = np.concatenate(rows)
    scores = score(candidates)
    tops, values = _apart(candidates, scores, effort.n_tops, taken)
    for step in range(effort.n_steps):
        n = min(len(tops), max(effort.n_tops >> 3 * step // effort.n_steps, 1))
        if not n:
            break
        tops, values = tops[:n], values[:n]
        families = np.repeat(np.arange(n), effort.n_mutants // n)
        scale = _FIRST_STEP * (_LAST_STEP / _FIRST_STEP) ** (step / effort.n_steps)
        mutants = mutate(encoder, tops[families], scale, lengths, rng)
        tops, values = _apart(
            np.concatenate((tops, mutants)),
            np.concatenate((values, score(mutants))),
            n,
            taken,
            families=np.concatenate((np.arange(n), families)),
        )
    if len(tops):
        return tops[0], float(values[0])
    return None


def _best_free(rows: Rows, scores: Vector, taken: set[bytes]) -> tuple[npt.NDArray[np.float64], float] | None:
    keys = marks(rows)
    for index in np.argsort(-scores):
        if keys[index] not in taken:
            return rows[index], float(scores[index])
    return None


def _apart(
    rows: Rows, scores: Vector, n: int, taken: set[bytes], families: npt.NDArray[np.int64] | None = None
) -> tuple[Rows, Vector]:
    """Return the best free rows, at most one of a family, best first."""
    chosen: list[int] = []
    seen: set[object] = set()
    keys = marks(rows)
    for index in np.argsort(-scores):
        family = None if families is None else int(families[index])
        mark = keys[index]
        if mark in taken or mark in seen or (family is not None and family in seen):
            continue
        seen |= {mark, family} if family is not None else {mark}
        chosen.append(int(index))
        if len(chosen) == n:
            break
    return rows[chosen], scores[chosen]
