"""Questions on which our search and W&B's engine must agree, generated from a seed."""

from __future__ import annotations

import random
from typing import Any

from controller.domain.sweepfile.reading import read_parameters
from controller.domain.sweeps import EarlyTermination
from controller.search import grid
from controller.search.distributions import limits, to_value
from controller.search.hyperband import Brackets

AT = [0.001, 0.01, 0.1, 0.25, 1 / 3, 0.5, 0.6180339, 0.75, 0.9, 0.99, 0.999]


def parameter(dice: random.Random) -> dict[str, Any]:
    """Return one parameter of a random distribution."""
    low = round(dice.uniform(-5, 5), 2)
    wide = {"min": low, "max": low + round(dice.uniform(0.5, 20), 2)}
    positive = {"min": 10 ** dice.uniform(-6, 0), "max": 10 ** dice.uniform(0.5, 3)}
    normal = {"mu": dice.uniform(-2, 2), "sigma": dice.uniform(0.1, 2)}
    q = {"q": dice.choice([1, 2, 5, 0.1, 0.25, 0.5])}
    shape = {"a": dice.uniform(0.3, 5), "b": dice.uniform(0.3, 5)}
    n = dice.randint(2, 7)
    values = [f"v{i}" for i in range(n)]
    return dice.choice(
        [
            {"values": values},
            {"min": dice.randint(-9, 3), "max": dice.randint(4, 99)},
            {"distribution": "uniform", **wide},
            {"distribution": "q_uniform", **wide, **q},
            {"distribution": "log_uniform", "min": low, "max": low + 4.0},
            {"distribution": "q_log_uniform", "min": 1.0, "max": 6.0, **q},
            {"distribution": "inv_log_uniform", "min": low, "max": low + 4.0},
            {"distribution": "log_uniform_values", **positive},
            {"distribution": "q_log_uniform_values", **positive, **q},
            {"distribution": "inv_log_uniform_values", **positive},
            {"distribution": "normal", **normal},
            {"distribution": "q_normal", **normal, **q},
            {"distribution": "log_normal", **normal},
            {"distribution": "q_log_normal", **normal, **q},
            {"distribution": "beta", **shape},
            {"distribution": "q_beta", **shape, "q": dice.choice([0.1, 0.05])},
        ]
    )


def grid_section(dice: random.Random) -> dict[str, Any]:
    """Return a `parameters` section that a grid can walk."""
    forms = [
        lambda: {"values": dice.sample(["x", "y", "z", True, None, 2.5, 7], dice.randint(1, 4))},
        lambda: {"min": 1, "max": dice.randint(2, 4)},
        lambda: {"distribution": "q_uniform", "min": 0.1, "max": round(dice.uniform(0.5, 1.2), 2), "q": 0.2},
        lambda: {"value": dice.choice([3, "c", [1, 2]])},
    ]
    names = dice.sample(["lr", "Batch", "a.b", "width", "zeta", "alpha"], dice.randint(1, 4))
    return {name: dice.choice(forms)() for name in names}


def hyperband_question(dice: random.Random) -> dict[str, Any]:
    """Return curves with settings."""
    early: dict[str, Any] = dice.choice(
        [
            {"min_iter": dice.randint(1, 5), "eta": dice.choice([2, 3, 1.5])},
            {"max_iter": dice.randint(9, 60), "s": dice.randint(1, 4), "eta": dice.choice([2, 3])},
        ]
    )
    curves = {
        f"r{i}": [round(dice.gauss(0, 1), 1) for _ in range(dice.randint(1, 30))]
        for i in range(dice.randint(1, 25))
    }
    early["strict"] = dice.random() < 0.5
    return {
        "ask": "hyperband",
        "early": early,
        "goal": dice.choice(["minimize", "maximize"]),
        "curves": curves,
    }


def questions(n: int, seed: int) -> list[dict[str, Any]]:
    """Return `n` questions of each kind."""
    dice = random.Random(seed)
    found: list[dict[str, Any]] = []
    for _ in range(n):
        found.append({"ask": "quantiles", "parameter": parameter(dice), "at": AT})
        found.append({"ask": "grid", "parameters": grid_section(dice), "n": 60})
        found.append(hyperband_question(dice))
    return found


def ours(question: dict[str, Any]) -> Any:
    """Return our answer in the form of W&B's."""
    match question["ask"]:
        case "quantiles":
            [found], _ = read_parameters({"p": question["parameter"]})
            return [to_value(found, u) for u in question["at"]]
        case "grid":
            space, _ = read_parameters(question["parameters"])
            return [grid.cell(space, i) for i in range(min(grid.size(space), question["n"]))]
        case _:
            brackets = Brackets(
                EarlyTermination(**question["early"]), minimize=question["goal"] == "minimize"
            )
            for name, values in question["curves"].items():
                brackets.add(name, values)
            verdicts = {name: brackets.judge(name) for name in question["curves"]}
            return sorted(name for name, verdict in verdicts.items() if verdict and verdict.stop)


def agree(question: dict[str, Any], theirs: Any) -> bool:
    """Say whether our answer is W&B's, or better where W&B's leaves the limits."""
    mine = ours(question)
    if question["ask"] != "quantiles":
        return bool(mine == theirs)
    [found], _ = read_parameters({"p": question["parameter"]})
    for a, b in zip(mine, theirs, strict=True):
        if isinstance(b, str):
            if a != b:
                return False
            continue
        low, high = limits(found)
        if not low - 1e-12 <= b <= high + 1e-12:
            if not low <= a <= high:
                return False
        elif abs(a - b) > 1e-9 * max(1.0, abs(b)):
            return False
    return True
