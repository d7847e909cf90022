"""Problems to search: generated functions, classics and tabulated scikit-learn tasks.

Each problem is a W&B `parameters` section, a function of the flat config to a loss (None: the run
failed) and the best loss there is. `family` splits them: `train` is what search was developed on,
`check` was held out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Config = dict[str, Any]


@dataclass(frozen=True)
class Problem:
    """One thing to minimise."""

    name: str
    params: dict[str, Any]
    loss: Callable[[Config, np.random.Generator], float | None]
    """What a run reports; None when it fails."""
    truth: Callable[[Config], float]
    """The loss without noise, which regret is counted in."""
    best: float
    cond: dict[str, Any] = field(default_factory=dict)
    family: str = "train"
    kind: str = "synthetic"


def _box(d: int) -> dict[str, Any]:
    return {f"x{i}": {"min": 0.0, "max": 1.0} for i in range(d)}


def _vector(config: Config, d: int) -> np.ndarray:
    return np.array([config[f"x{i}"] for i in range(d)])


def _plain(
    name: str,
    params: dict[str, Any],
    truth: Callable[[Config], float],
    best: float,
    *,
    noise: float = 0.0,
    fails: Callable[[Config], bool] | None = None,
    crash: float = 0.0,
    **more: Any,
) -> Problem:
    def loss(config: Config, rng: np.random.Generator) -> float | None:
        if (fails is not None and fails(config)) or (crash and rng.random() < crash):
            return None
        return truth(config) + noise * float(rng.standard_normal())

    return Problem(name, params, loss, truth, best, **more)


def _shifted(name: str, d: int, function: Callable[[np.ndarray], float], seed: int, **more: Any) -> Problem:
    """Return `function`, whose minimum 0 is at the origin of [-1, 1]^d, moved to a random place."""
    place = np.random.default_rng(seed).uniform(0.15, 0.85, d)
    return _plain(name, _box(d), lambda c: float(function(2 * (_vector(c, d) - place))), 0.0, **more)


def _ackley(z: np.ndarray) -> float:
    z = 16 * z
    return float(
        20
        - 20 * math.exp(-0.2 * math.sqrt(np.mean(z**2)))
        + math.e
        - math.exp(np.mean(np.cos(2 * math.pi * z)))
    )


def _rastrigin(z: np.ndarray) -> float:
    z = 3 * z
    return float(np.sum(z**2 + 6 * (1 - np.cos(2 * math.pi * z))))


def _valley(z: np.ndarray) -> float:
    z = 1 + 1.5 * z
    return float(np.sum(20 * (z[1:] - z[:-1] ** 2) ** 2 + (1 - z[:-1]) ** 2))


def _ellipsoid(z: np.ndarray) -> float:
    return float(np.sum(np.logspace(0, 2, len(z)) * z**2))


def _levy(z: np.ndarray) -> float:
    w = 1 + 2.5 * z
    s = math.sin(math.pi * w[0]) ** 2 + (w[-1] - 1) ** 2 * (1 + math.sin(2 * math.pi * w[-1]) ** 2)
    return float(s + np.sum((w[:-1] - 1) ** 2 * (1 + 10 * np.sin(math.pi * w[:-1] + 1) ** 2)))


_H6A = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
_H6P = 1e-4 * np.array(
    [[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
     [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]]
)  # fmt: skip


def _hartmann(c: Config) -> float:
    x = _vector(c, 6)
    return -float(np.array([1, 1.2, 3, 3.2]) @ np.exp(-np.sum(_H6A * (x - _H6P) ** 2, axis=1)))


def _branin(c: Config) -> float:
    x, y = 15 * c["x0"] - 5, 15 * c["x1"]
    a = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return a**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def _bumps(name: str, d: int, seed: int, n: int = 25, **more: Any) -> Problem:
    """Return a random landscape of bumps over columns of unequal importance."""
    rng = np.random.default_rng(seed)
    centres, heights = rng.random((n, d)), rng.normal(size=n)
    weights = rng.gamma(0.7, 6.0, size=d)
    tops = rng.random(d)

    def value(x: np.ndarray) -> float:
        r = ((x - centres) ** 2 * weights).sum(axis=-1)
        return float(
            -heights @ np.exp(-r) + 0.4 * np.sum(weights * (x - tops) ** 2) / max(weights.sum(), 1e-9)
        )

    best = _descend(value, d, rng)
    return _plain(name, _box(d), lambda c: value(_vector(c, d)), best, **more)


def _descend(value: Callable[[np.ndarray], float], d: int, rng: np.random.Generator) -> float:
    """Return the best value found by many descents."""
    from scipy.optimize import minimize

    starts = rng.random((400, d))
    ranked = sorted(starts, key=value)[:12]
    return min(float(minimize(value, s, bounds=[(0, 1)] * d, method="L-BFGS-B").fun) for s in ranked)


def _training(seed: int, *, fail: bool = False, **more: Any) -> Problem:
    """Return something like a training run: log scales, a batch size, an optimiser, a width."""
    rng = np.random.default_rng(seed)
    top = {"adam": rng.uniform(-3.6, -2.6), "sgd": rng.uniform(-2.0, -1.0), "rms": rng.uniform(-4, -3)}
    floor = {"adam": 0.0, "sgd": rng.uniform(-0.05, 0.1), "rms": 0.06}
    act = {"relu": 0.0, "tanh": 0.05, "gelu": -0.01 * rng.random(), "elu": 0.03}
    decay, drop = rng.uniform(-5, -2.5), rng.uniform(0.05, 0.4)
    params = {
        "lr": {"distribution": "log_uniform_values", "min": 1e-5, "max": 1.0},
        "optimizer": {"values": list(top)},
        "batch": {"values": [16, 32, 64, 128, 256]},
        "width": {"distribution": "q_log_uniform_values", "min": 16, "max": 1024, "q": 8},
        "layers": {"min": 1, "max": 6},
        "dropout": {"min": 0.0, "max": 0.6},
        "decay": {"distribution": "log_uniform_values", "min": 1e-7, "max": 1e-1},
        "act": {"values": list(act)},
    }

    def truth(c: Config) -> float:
        lr, w = math.log10(c["lr"]), math.log2(c["width"])
        off = lr - top[c["optimizer"]] - 0.3 * (math.log2(c["batch"]) - 6) / 3
        v = 0.12 * off**2 if off < 0 else 0.35 * off**2 / (1 + 0.15 * off**2)
        v += 0.02 * (w - 8.5) ** 2 / 4 + 0.03 * abs(c["layers"] - 3) / 2 + 0.3 * (c["dropout"] - drop) ** 2
        v += 0.01 * (math.log10(c["decay"]) - decay) ** 2 + act[c["act"]] + floor[c["optimizer"]]
        return v + 0.1

    def fails(c: Config) -> bool:
        return fail and math.log2(c["width"]) + 0.9 * c["layers"] + 0.5 * math.log2(c["batch"]) > 14.6

    best = min(
        truth({"lr": 10 ** (top[o] + 0.3 * (math.log2(b) - 6) / 3), "optimizer": o, "batch": b, "width": w,
               "layers": 3, "dropout": drop, "decay": 10**decay, "act": a})
        for o in top for b in (16, 32, 64, 128, 256) for w in (352, 360, 368) for a in act
    )  # fmt: skip
    return _plain("training-oom" if fail else "training", params, truth, best, fails=fails, **more)


def _choices(seed: int, **more: Any) -> Problem:
    """Return a space of lists only, with pairs that go well together."""
    rng = np.random.default_rng(seed)
    sizes = [4, 6, 3, 5, 8, 2]
    names = [f"c{i}" for i in range(len(sizes))]
    main = [rng.normal(size=n) * s for n, s in zip(sizes, rng.gamma(1.0, 0.7, len(sizes)), strict=True)]
    pair = {(0, 1): rng.normal(size=(4, 6)) * 0.4, (2, 4): rng.normal(size=(3, 8)) * 0.4}
    lists = {f"c{i}": [f"v{j}" for j in range(n)] for i, n in enumerate(sizes)}

    def at(codes: tuple[int, ...]) -> float:
        v = sum(m[k] for m, k in zip(main, codes, strict=True))
        return float(v + sum(table[codes[a], codes[b]] for (a, b), table in pair.items()))

    best = min(at(tuple(codes)) for codes in np.ndindex(*sizes))
    params = {name: {"values": values} for name, values in lists.items()}

    def truth(c: Config) -> float:
        return at(tuple(lists[n].index(c[n]) for n in names))

    return _plain("choices", params, truth, best, **more)


def _branches(seed: int, n: int = 3, **more: Any) -> Problem:
    """Return a choice of algorithm, each with parameters of its own."""
    rng = np.random.default_rng(seed)
    names = ["forest", "svm", "mlp", "knn", "boost"][:n]
    params: dict[str, Any] = {"algo": {"values": names}, "shared": {"min": 0.0, "max": 1.0}}
    cond: dict[str, Any] = {}
    tops, floors = {}, {}
    for name in names:
        tops[name], floors[name] = rng.uniform(0.1, 0.9, 3), rng.uniform(0, 0.3)
        for i in range(3):
            params[f"{name}_{i}"] = {"min": 0.0, "max": 1.0}
            cond[f"{name}_{i}"] = {"algo": name}
    centre = rng.uniform(0.2, 0.8)

    def truth(c: Config) -> float:
        a = c["algo"]
        z = np.array([c[f"{a}_{i}"] for i in range(3)]) - tops[a]
        return float(
            floors[a]
            + np.sum(np.array([2, 1, 0.4]) * z**2)
            + 0.1 * np.abs(np.sin(9 * z[0]))
            + 0.3 * (c["shared"] - centre) ** 2
        )

    return _plain("branches", params, truth, min(floors.values()), cond=cond, **more)


def _steps(seed: int, **more: Any) -> Problem:
    """Return integers on a staircase."""
    rng = np.random.default_rng(seed)
    top = rng.integers(3, 28, size=4)
    params = {f"k{i}": {"min": 1, "max": 30} for i in range(4)} | {"flag": {"values": [True, False]}}

    def truth(c: Config) -> float:
        z = np.array([c[f"k{i}"] for i in range(4)]) - top
        return float(
            np.sum(np.floor(np.abs(z) / 2) * np.array([0.4, 0.3, 0.2, 0.1])) + (0 if c["flag"] else 1.5)
        )

    return _plain("steps", params, truth, 0.0, **more)


def synthetic() -> list[Problem]:
    """Return all generated problems, both families."""
    hartmann = _plain("hartmann", _box(6), _hartmann, -3.32237)
    train = [
        _plain("branin", _box(2), _branin, 0.397887),
        hartmann,
        _shifted("ackley", 5, _ackley, 11),
        _shifted("rastrigin", 3, _rastrigin, 12),
        _shifted("valley", 5, _valley, 13),
        _shifted("noisy", 4, _ellipsoid, 14, noise=3.0),
        _training(15),
        _training(16, fail=True),
        _choices(17),
        _branches(18),
        _steps(19),
        _bumps("bumps-8", 8, 20),
    ]
    check = [
        _bumps("check-bumps-4", 4, 30),
        _bumps("check-bumps-12", 12, 31),
        _shifted("check-levy", 6, _levy, 32),
        _shifted("check-ellipsoid", 10, _ellipsoid, 33),
        _plain("check-crashes", _box(6), _hartmann, -3.32237, crash=0.15),
        _shifted("check-fails", 4, _ackley, 34, fails=lambda c: c["x0"] + c["x1"] < 0.65),
        _training(35),
        _choices(36),
        _branches(37, n=5),
        _steps(38),
    ]
    renamed = []
    for p in check:
        name = p.name if p.name.startswith("check") else f"check-{p.name}"
        renamed.append(Problem(name, p.params, p.loss, p.truth, p.best, p.cond, "check"))
    return train + renamed
