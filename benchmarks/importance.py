"""Importance against known total Sobol indices, beside a forest's impurity and permutation.

    OPENBLAS_NUM_THREADS=1 python benchmarks/importance.py [--seeds 5] [--runs 1000] [--others]

Prints per function and design the L1 distance of normalised indices (0 is exact, 2 the worst), what dead
parameters are given, the share of parameters whose interval covers the truth, and seconds; then the time
of 10,000 runs with 10 parameters.

Sources: Ishigami and Homma (1990), a = 7, b = 0.1; Sobol's g in Saltelli and Sobol' (1995); total indices
in Saltelli et al., "Global Sensitivity Analysis: The Primer" (2008), chapters 4 and 5.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from controller.analysis.importance import ImportanceRequest, importance
from controller.domain.parameters import Distribution, Parameter

N_PARAMETERS = 10


@dataclass(frozen=True)
class Known:
    """A function on the unit cube and its total variances per parameter; the rest are dead."""

    name: str
    function: Callable[[np.ndarray], np.ndarray]
    totals: np.ndarray

    @property
    def shares(self) -> np.ndarray:
        """Return the normalised indices, shape (N_PARAMETERS,)."""
        padded = np.zeros(N_PARAMETERS)
        padded[: len(self.totals)] = self.totals
        return padded / padded.sum()


def ishigami() -> Known:
    def function(u):
        x = -math.pi + 2 * math.pi * u
        return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])

    alone = 0.5 * (1 + 0.1 * math.pi**4 / 5) ** 2
    together = 0.1**2 * math.pi**8 * (1 / 18 - 1 / 50)
    return Known("ishigami", function, np.array([alone + together, 49 / 8, together]))


def sobol_g(name: str, a: list[float]) -> Known:
    flat = np.array(a)

    def function(u):
        return np.prod((np.abs(4 * u[:, : len(flat)] - 2) + flat) / (1 + flat), axis=1)

    alone = 1 / 3 / (1 + flat) ** 2
    return Known(
        name, function, np.array([v * np.prod(np.delete(1 + alone, i)) for i, v in enumerate(alone)])
    )


def additive() -> Known:
    slopes = np.array([5.0, 4.0, 3.0, 2.0, 1.0])
    return Known("additive", lambda u: u[:, :5] @ slopes, slopes**2)


KNOWN = (
    ishigami(),
    sobol_g("g (6)", [0, 0.5, 3, 9, 99, 99]),
    sobol_g("g (4)", [0, 1, 4.5, 9]),
    additive(),
)


def product() -> Known:
    """Effects that are all interactions: Π (1 + a √12 (u - ½)), each factor of mean 1 and variance a²."""
    a = np.array([1.2, 0.8, 0.5, 0.3])

    def function(u):
        return np.prod(1 + a * math.sqrt(12) * (u[:, :4] - 0.5), axis=1)

    return Known(
        "product", function, np.array([v * np.prod(np.delete(1 + a**2, i)) for i, v in enumerate(a**2)])
    )


def steps() -> Known:
    """Jumps, which no smooth process draws."""
    heights, places = np.array([3.0, 2.0, 1.0]), np.array([0.5, 0.3, 0.8])

    def function(u):
        return (heights * (u[:, :3] > places)).sum(axis=1)

    return Known("steps", function, heights**2 * places * (1 - places))


def friedman() -> Known:
    """Friedman's function (1991): 10 sin(π u0 u1) + 20 (u2 - ½)² + 10 u3 + 5 u4."""

    def function(u):
        bend = 20 * (u[:, 2] - 0.5) ** 2
        return 10 * np.sin(math.pi * u[:, 0] * u[:, 1]) + bend + 10 * u[:, 3] + 5 * u[:, 4]

    nodes, weights = np.polynomial.legendre.leggauss(60)
    nodes, weights = (nodes + 1) / 2, weights / 2
    pair = 10 * np.sin(math.pi * np.outer(nodes, nodes))
    means = weights @ pair  # over one of the two, for each value of the other
    total = weights @ (pair**2) @ weights - weights @ (means**2)
    return Known("friedman", function, np.array([total, total, 20**2 / 180, 100 / 12, 25 / 12]))


OTHERS = (product(), steps(), friedman())
"""Functions beside those whose indices are known in closed form."""


def uniform(known: Known, n_runs: int, generator: np.random.Generator):
    u = generator.random((n_runs, N_PARAMETERS))
    return u, known.function(u)


def crowded(known: Known, n_runs: int, generator: np.random.Generator):
    """Runs as an optimiser leaves them: a tenth uniform, then mostly small steps from the best twentieth."""
    u, values = uniform(known, max(20, n_runs // 10), generator)
    while len(u) < n_runs:
        best = u[np.argsort(values)[: max(3, len(u) // 20)]]
        near = best[generator.integers(len(best))] + 0.08 * generator.standard_normal(N_PARAMETERS)
        point = generator.random(N_PARAMETERS) if generator.random() < 0.1 else np.clip(near, 0, 1)
        u = np.vstack([u, point])
        values = np.append(values, known.function(point[None]))
    return u, values


def ours(u, values, seed: int):
    """Return importance, low and high, each of shape (n_parameters,)."""
    names = [f"x{index}" for index in range(u.shape[1])]
    space = tuple(
        Parameter(path=(name,), distribution=Distribution.UNIFORM, min=0.0, max=1.0) for name in names
    )
    configs = tuple(dict(zip(names, row, strict=True)) for row in u.tolist())
    answer = importance(
        ImportanceRequest(space=space, configs=configs, values=tuple(values.tolist()), metric="m", seed=seed)
    )
    by_name = {parameter.name: parameter for parameter in answer.parameters}
    rows = [by_name[name] for name in names]
    return np.array([(row.importance, row.importance_low, row.importance_high) for row in rows]).T


def peers(u, values, seed: int):
    """Return the shares of impurity and of permutation importance of one random forest."""
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance

    forest = RandomForestRegressor(n_estimators=100, random_state=seed, n_jobs=1).fit(u, values)
    moved = permutation_importance(forest, u, values, n_repeats=3, random_state=seed, n_jobs=1)
    permuted = np.maximum(moved.importances_mean, 0)
    return forest.feature_importances_, permuted / max(permuted.sum(), 1e-300)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--others", action="store_true", help="on functions that nothing was tried out on")
    options = parser.parse_args()
    print(
        f"{options.runs} runs, {N_PARAMETERS} parameters, {options.seeds} seeds; L1 distance and dead share"
    )
    print(f"{'':20}{'ours':>15}{'impurity':>16}{'permutation':>16}{'covered':>9}{'seconds':>9}")
    for known in OTHERS if options.others else KNOWN:
        for design in (uniform, crowded):
            row(known, design, options.runs, options.seeds)
    u, values = uniform(KNOWN[0], 10_000, np.random.default_rng(0))
    started = time.perf_counter()
    found = ours(u, values, 0)
    distance = np.abs(found[0] - KNOWN[0].shares).sum()
    print(f"10,000 runs x 10 parameters: {time.perf_counter() - started:.2f} s, L1 {distance:.3f}")


def row(known: Known, design, n_runs: int, n_seeds: int) -> None:
    """Print one line of the table: means over seeds."""
    distances, dead, covered, seconds = [], [], [], []
    truth = known.shares
    for seed in range(n_seeds):
        u, values = design(known, n_runs, np.random.default_rng(seed))
        started = time.perf_counter()
        share, low, high = ours(u, values, seed)
        seconds.append(time.perf_counter() - started)
        methods = (share, *peers(u, values, seed))
        distances.append([np.abs(method - truth).sum() for method in methods])
        dead.append([method[truth == 0].sum() for method in methods])
        covered.append(((low <= truth) & (truth <= high)).mean())
    pairs = zip(np.mean(distances, axis=0), np.mean(dead, axis=0), strict=True)
    cells = "".join(f"{distance:>9.3f} {share:>6.2%}" for distance, share in pairs)
    name = f"{known.name}, {design.__name__}"
    print(f"{name:20}{cells}{np.mean(covered):>9.0%}{np.mean(seconds):>9.2f}", flush=True)


if __name__ == "__main__":
    main()
