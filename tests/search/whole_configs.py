"""Whole sweep configs, many of them broken, on which our reader and W&B's engine must agree."""

from __future__ import annotations

import math
import random
from typing import Any

from controller.domain.parameters import Distribution
from controller.domain.sweepfile import read_mapping
from controller.search.propose import propose
from controller.search.requests import Request

SCALARS = [1, 2, 0, -3, 1.0, 2.5, True, False, None, "a", "1", "", [1, 2], [1.0, 2], {"x": 1}, "1e-4", 10**12]
NUMBERS = [0, 1, 2, -3, 5, 10, 0.0, 0.1, 1.0, 2.5, -1.5, 100, 1e-5, 64]
FORMS = [
    {"type": "hyperband", "min_iter": 3},
    {"type": "hyperband", "max_iter": 27, "s": 2},
    {"type": "hyperband", "min_iter": 3, "max_iter": 9, "s": 2, "eta": 2, "strict": True},
    {"type": "hyperband", "min_iter": 3, "s": 2},
    {"type": "hyperband", "max_iter": 2, "s": 2},
    {"type": "hyperband", "min_iter": 3, "foo": 2},
    {"type": "hyperband"},
]
LARGEST = 1e15
"""Beyond it W&B's integers overflow, and what it hands out means nothing."""


def config(dice: random.Random) -> dict[str, Any]:
    """Return a sweep config as somebody in a hurry might write it."""
    method = dice.choice(["grid", "grid", "random", "random", "bayes", "tpe"][: dice.choice([5, 5, 5, 6])])
    names = dice.sample(["lr", "Batch", "a.b", "zeta", "alpha", "b", "opt", "x-y"], dice.randint(1, 3))
    found: dict[str, Any] = {"method": method, "parameters": {name: _specification(dice) for name in names}}
    if method == "bayes" or dice.random() < 0.4:
        found["metric"] = {"name": "loss", "goal": dice.choice(["minimize", "maximize"])}
    if dice.random() < 0.1:
        found["metric"] = dice.choice(["loss", {"goal": "minimize"}, {"name": "l", "target": 0.5}])
    if dice.random() < 0.2:
        found["early_terminate"] = dice.choice(FORMS)
    if dice.random() < 0.2:
        found[dice.choice(["name", "description", "program", "foo"])] = "x"
    return found


def _specification(dice: random.Random, depth: int = 0) -> dict[str, Any]:
    kind = dice.random()
    if kind < 0.35:
        found: dict[str, Any] = {"values": [dice.choice(SCALARS) for _ in range(dice.randint(0, 5))]}
    elif kind < 0.45:
        found = {"value": dice.choice(SCALARS)}
    elif kind < 0.6:
        found = {"min": dice.choice(NUMBERS), "max": dice.choice(NUMBERS)}
    elif kind < 0.75 and depth < 2:
        names = dice.sample(["c", "A", "b-x", "b", "z.z", "_q"], dice.randint(1, 2))
        return {"parameters": {name: _specification(dice, depth + 1) for name in names}}
    else:
        found = _distributed(dice)
    if dice.random() < 0.05:
        found[dice.choice(["min", "max", "q", "mu", "value", "values", "foo"])] = dice.choice(SCALARS)
    return found


def _distributed(dice: random.Random) -> dict[str, Any]:
    distribution = str(dice.choice(list(Distribution)))
    found: dict[str, Any] = {"distribution": distribution}
    if "uniform" in distribution:
        found |= {"min": dice.choice(NUMBERS), "max": dice.choice(NUMBERS)}
    may = {"normal": ("mu", "sigma"), "beta": ("a", "b"), "q_": ("q",)}
    for word, keys in may.items():
        if word in distribution:
            found |= {key: dice.choice(NUMBERS) for key in keys if dice.random() < 0.7}
    if "categorical" in distribution:
        found["values"] = [dice.choice(SCALARS) for _ in range(dice.randint(1, 4))]
    if "probabilities" in distribution:
        found["probabilities"] = [1 / len(found["values"])] * len(found["values"])
    if distribution == "constant":
        found["value"] = dice.choice(SCALARS)
    return found


def agree(asked: dict[str, Any], theirs: list[str] | None) -> bool:
    """Say whether we run what W&B's engine runs: a grid's cells alike, else the same names.

    What it refuses, hands out as NaN or may draw from beyond its integers is ours to judge.
    """
    mapping = asked["config"]
    if theirs is None or _reaches_too_far(mapping["parameters"]):
        return True
    runs = [eval(run, {"nan": math.nan, "inf": math.inf}) for run in theirs]
    if not all(_plain(run) for run in runs):
        return True
    config = read_mapping(mapping).config
    if config is None:
        return False
    request = Request(config=config, n=asked["n"], first_number=0)
    ours = [suggestion.config for suggestion in propose(request).suggestions]
    if mapping["method"] == "grid":
        return list(map(repr, ours)) == theirs
    return list(ours[0]) == list(runs[0])


def _reaches_too_far(value: Any) -> bool:
    """Say whether exponents lead beyond `LARGEST`: then it is luck what W&B's engine hands out."""
    if not isinstance(value, dict):
        return False
    limits = [value.get(name) for name in ("min", "max")]
    if "log_uniform" in str(value.get("distribution")) and "values" not in str(value["distribution"]):
        return any(isinstance(limit, int | float) and abs(limit) > math.log(LARGEST) for limit in limits)
    return any(map(_reaches_too_far, value.values()))


def _plain(value: Any) -> bool:
    if isinstance(value, dict | list):
        return all(map(_plain, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, int | float) or abs(value) < LARGEST
