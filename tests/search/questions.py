"""Questions on which our search and W&B's engine must agree, generated from a seed."""

from __future__ import annotations

import math
import random
from typing import Any

from controller.domain.sweepfile.reading import read, read_parameters
from controller.search import grid
from controller.search.distributions import limits, to_value
from controller.search.hyperband import Brackets
from tests.search import whole_configs

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
    parts = [dice.random() for _ in values]
    return dice.choice(
        [
            {"values": values},
            {"values": [3, 1, 2.5, "x", False][:n]},
            {"values": values, "probabilities": [part / sum(parts) for part in parts]},
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


SCALARS = ["x", "1", "", True, False, None, 2.5, 7, 0, 1, 1.0, 7.0, [1, 2], [1.0, 2], {"a": 1}]


def axis(dice: random.Random) -> dict[str, Any]:
    """Return one parameter that a grid can walk; values may be equal to each other."""
    low = dice.choice([0, 0.0, 0.1, -2, 1.5])
    return dice.choice(
        [
            {"values": [dice.choice(SCALARS) for _ in range(dice.randint(1, 5))]},
            {"values": dice.sample(SCALARS, dice.randint(1, 4)), "distribution": "categorical"},
            {"min": -1, "max": dice.randint(0, 3)},
            {"distribution": "int_uniform", "min": 3, "max": 5},
            {"distribution": "q_uniform", "min": low, "max": low + dice.choice([1, 0.7, 2.0]), "q": 0.25},
            {"distribution": "q_uniform", "min": low, "max": low + 3, "q": dice.choice([1, 2])},
            {"value": dice.choice(SCALARS)},
        ]
    )


def grid_section(dice: random.Random, depth: int = 0) -> dict[str, Any]:
    """Return a `parameters` section that a grid can walk."""
    names = dice.sample(["lr", "Batch", "a.b", "a", "b-x", "b", "zeta", "alpha"], dice.randint(1, 4 - depth))
    return {
        name: {"parameters": grid_section(dice, depth + 1)}
        if depth < 2 and dice.random() < 0.2
        else axis(dice)
        for name in names
    }


def hyperband_question(dice: random.Random) -> dict[str, Any]:
    """Return curves with settings; some runs have ended, some values are no numbers or are missing."""
    early: dict[str, Any] = dice.choice(
        [
            {"min_iter": dice.randint(1, 5), "eta": dice.choice([2, 3, 1.5, 1.1])},
            {"min_iter": dice.randint(1, 9)},
            {"max_iter": dice.randint(9, 60), "s": dice.randint(1, 4), "eta": dice.choice([2, 3])},
            {"max_iter": 27, "s": 2, "min_iter": 2},
        ]
    )
    odd = [math.nan, math.inf, -math.inf, None] if dice.random() < 0.3 else []
    curves = {
        f"r{i}": [
            dice.choice(odd) if odd and dice.random() < 0.1 else round(dice.gauss(0, 1), 1)
            for _ in range(dice.randint(0, 30))
        ]
        for i in range(dice.randint(1, 25))
    }
    early["strict"] = dice.random() < 0.5
    return {
        "ask": "hyperband",
        "early": early,
        "goal": dice.choice(["minimize", "maximize"]),
        "curves": curves,
        "running": [name for name in curves if dice.random() < 0.8],
    }


def questions(n: int, seed: int) -> list[dict[str, Any]]:
    """Return `n` questions of each kind."""
    dice = random.Random(seed)
    found: list[dict[str, Any]] = []
    for _ in range(n):
        found.append({"ask": "quantiles", "parameter": parameter(dice), "at": AT})
        found.append({"ask": "grid", "parameters": grid_section(dice), "n": 400})
        found.append(hyperband_question(dice))
        whole = whole_configs.config(dice)
        found.append({"ask": "whole", "config": whole, "n": 40 if whole["method"] == "grid" else 1})
    return found


def ours(question: dict[str, Any]) -> Any:
    """Return our answer in the form of W&B's."""
    match question["ask"]:
        case "quantiles":
            [found], _ = read_parameters({"p": question["parameter"]})
            return [to_value(found, u) for u in question["at"]]
        case "grid":
            space, _ = read_parameters(question["parameters"])
            # As text: the order of the names counts, and so does the type of a number.
            return [repr(grid.cell(space, i)) for i in range(min(grid.size(space), question["n"]))]
        case _:
            more = (
                f"{{type: hyperband, {', '.join(f'{k}: {v}' for k, v in question['early'].items())}}}".lower()
            )
            reading = read(HYPERBAND.format(question["goal"], more))
            assert reading.config is not None, reading.problems
            assert reading.config.early_terminate is not None
            brackets = Brackets(reading.config.early_terminate, minimize=question["goal"] == "minimize")
            for name, values in question["curves"].items():
                brackets.add(name, [value for value in values if value is not None])
            verdicts = {name: brackets.judge(name) for name in question["running"]}
            return sorted(name for name, verdict in verdicts.items() if verdict and verdict.stop)


HYPERBAND = (
    "method: random\nprogram: a.py\nparameters: {{a: {{values: [1, 2]}}}}\n"
    "metric: {{name: loss, goal: {}}}\nearly_terminate: {}\n"
)


def agree(question: dict[str, Any], theirs: Any) -> bool:
    """Say whether our answer is W&B's, or better where W&B's leaves the limits."""
    if question["ask"] == "whole":
        return whole_configs.agree(question, theirs)
    mine = ours(question)
    if question["ask"] != "quantiles":
        return bool(mine == theirs)
    [found], _ = read_parameters({"p": question["parameter"]})
    for a, b in zip(mine, theirs, strict=True):
        if found.values:
            if (type(a), a) != (type(b), b):
                return False
            continue
        low, high = limits(found)
        if not low - 1e-12 <= b <= high + 1e-12:
            if not low <= a <= high:
                return False
        elif abs(a - b) > 1e-9 * max(1.0, abs(b)):
            return False
    return True
