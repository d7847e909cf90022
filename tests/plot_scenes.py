"""A World for the plots: every kind of axis, a landscape with a ridge, what is missing and what diverged."""

from __future__ import annotations

import math
import random

from controller.domain.extremes import Extremes
from controller.domain.parameters import Distribution, Parameter
from controller.domain.runs import Run
from controller.domain.states import RunState
from controller.domain.sweeps import Goal, Method, Metric, SweepConfig
from controller.domain.world import Facts, Snapshot
from tests.scenes import NOW, categorical, digits_sweep, run_name

SWEEP = "tuned000"

PARAMETERS = (
    Parameter(path=("lr",), distribution=Distribution.LOG_UNIFORM_VALUES, min=1e-5, max=1e-1),
    categorical("optimizer", "adam", "sgd", "lion"),
    Parameter(path=("dropout",), distribution=Distribution.UNIFORM, min=0.0, max=0.6),
    Parameter(path=("layers",), distribution=Distribution.INT_UNIFORM, min=1, max=8),
    categorical("augment", False, True),
    Parameter(
        path=("momentum",),
        distribution=Distribution.UNIFORM,
        min=0.0,
        max=1.0,
        when=((("optimizer",), ("sgd",)),),
    ),
)


def config_of(dice: random.Random, share: float) -> dict[str, object]:
    """Return a config; the later in the sweep, the nearer to the good ones."""
    centre = -3.2 + (1 - share) * dice.uniform(-1.6, 2.0)
    config: dict[str, object] = {
        "lr": float(f"{10 ** max(-5.0, min(-1.0, centre + dice.gauss(0, 0.25))):.4g}"),
        "optimizer": dice.choices(("adam", "sgd", "lion"), (0.3 + share, 0.4, 0.3 + share / 2))[0],
        "dropout": round(min(0.6, max(0.0, dice.gauss(0.25, 0.05 + 0.2 * (1 - share)))), 3),
        "layers": min(8, max(1, round(dice.gauss(5, 2)))),
        "augment": dice.random() < 0.4 + share / 2,
    }
    if config["optimizer"] == "sgd":
        config["momentum"] = round(dice.random(), 3)
    return config


def loss_of(config: dict[str, object], dice: random.Random) -> float:
    """Return a loss with a valley in the rate, the deeper with more layers and augmentation."""
    off = math.log10(float(config["lr"])) + 3.2  # type: ignore[arg-type]
    value = 0.21 + 0.09 * off * off + 0.3 * abs(float(config["dropout"]) - 0.22)  # type: ignore[arg-type]
    value += 0.012 * (8 - int(config["layers"])) - 0.04 * bool(config["augment"])  # type: ignore[call-overload]
    value += {"adam": 0.0, "lion": 0.02, "sgd": 0.07}[str(config["optimizer"])]
    return round(value + abs(dice.gauss(0, 0.015)), 4)


def tuned(n_runs: int = 240) -> Snapshot:
    """A sweep of bayesian search: most runs finished, some failed without a value, three running."""
    dice = random.Random(11)
    config = SweepConfig(
        method=Method.BAYES, parameters=PARAMETERS, metric=Metric(name="val_loss", goal=Goal.MINIMIZE)
    )
    runs = []
    for number in range(1, n_runs + 1):
        values = config_of(dice, number / n_runs)
        loss = loss_of(values, dice)
        running, failed = number > n_runs - 3, number % 29 == 0
        start = NOW - 7200 + 28 * number * 240 / n_runs
        runs.append(
            Run(
                id=f"t{number:07d}",
                sweep_id=SWEEP,
                number=number,
                name=run_name(number),
                config=values,
                suggestion=number - 1,
                state=RunState.RUNNING if running else RunState.FAILED if failed else RunState.FINISHED,
                cause="exit code 1" if failed else "",
                exit_code=None if running else int(failed),
                attempt=1,
                host=f"node{number % 4:02d}",
                summary={} if failed else {"val_loss": loss + 0.01, "accuracy": round(1.1 - loss, 4)},
                extremes=Extremes() if failed else Extremes().widened({"val_loss": (loss, 1.2 + loss)}),
                best=None if failed else loss,
                latest=None if failed else loss,
                last_step=None if failed else 40,
                created_at=start,
                started_at=start,
                ended_at=None if running else start + dice.uniform(90, 400),
            )
        )
    sweep = digits_sweep(SWEEP, name="tune-augmented", config=config, n_expected=300, project="vision")
    return Snapshot(seq=1, facts=Facts(sweeps=(sweep,), runs=tuple(runs)))
