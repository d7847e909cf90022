"""Worlds that go to an extreme: very many runs, and texts that strangers chose."""

from __future__ import annotations

import math
import random

from controller.domain.parameters import Distribution, Parameter
from controller.domain.runs import Attempt, Run
from controller.domain.states import AttemptState, RunState
from controller.domain.sweeps import Method, Metric, SweepConfig
from controller.domain.world import Facts, Snapshot
from tests.scenes import NOW, categorical, digits_sweep, run_name

HOSTILE = (
    "[@click=app.quit]press me[/]",
    "\x1b]0;owned\x07title",
    "\x1b[31mred\x1b[2J",
    "bidi \u202eevil\u202c",
    "e" + "\u0301" * 1000,
    "漢字のなまえ漢字のなまえ",
    "tab\tnew\nline",
    "\ud800 lone",
    "",
    "a" * 3000,
)


def big(n_runs: int = 10_000) -> Snapshot:
    """One sweep with very many runs."""
    config = SweepConfig(
        method=Method.RANDOM,
        parameters=tuple(
            Parameter(path=(name,), distribution=Distribution.UNIFORM, min=0.0, max=1.0)
            for name in ("lr", "momentum", "decay", "dropout")
        ),
        metric=Metric(name="loss"),
    )
    dice = random.Random(1)
    runs = []
    for number in range(1, n_runs + 1):
        values = {parameter.path[0]: round(dice.random(), 6) for parameter in config.parameters}
        loss = round((values["lr"] - 0.3) ** 2 + 0.1 * values["momentum"] + 0.01 * dice.random(), 6)
        running = number > n_runs - 20
        runs.append(
            Run(
                id=f"b{number:07d}",
                sweep_id="big00000",
                number=number,
                name=run_name(number),
                config=values,
                suggestion=number,
                state=RunState.RUNNING if running else RunState.FINISHED,
                attempt=1,
                token=number,
                host=f"node{number % 50:02d}",
                summary={"loss": loss},
                best=loss,
                latest=loss,
                last_step=50,
                started_at=NOW - 5000 + number / 10,
                ended_at=None if running else NOW - 4000 + number / 10,
            )
        )
    attempts = tuple(
        Attempt(
            token=run.number,
            run_id=run.id,
            sweep_id=run.sweep_id,
            number=1,
            agent_id="a",
            ask=run.number,
            state=AttemptState.RUNNING,
        )
        for run in runs
        if run.ended_at is None
    )
    sweep = digits_sweep("big00000", name="big", config=config, n_expected=20_000)
    return Snapshot(seq=1, facts=Facts(sweeps=(sweep,), runs=tuple(runs), attempts=attempts))


def hostile() -> Snapshot:
    """Every string that a stranger can choose is chosen by one."""
    parameters = tuple(categorical("x" + text.replace(".", ""), text, "b") for text in HOSTILE[:4])
    config = SweepConfig(method=Method.GRID, parameters=parameters, metric=Metric(name=HOSTILE[0]))
    runs = tuple(
        Run(
            id=f"h{number}",
            sweep_id="hostile0",
            number=number,
            name=text,
            config={parameter.path[0]: text for parameter in parameters},
            suggestion=number,
            state=RunState.FAILED,
            cause=text,
            host=text,
            job=text,
            argv=(text,),
            summary={text or "empty": text, "n": math.nan, "inf": math.inf, "big": 2**80},
            best=0.1 * number,
            started_at=NOW - 10,
            ended_at=NOW,
        )
        for number, text in enumerate(HOSTILE, start=1)
    )
    sweeps = tuple(
        digits_sweep(f"hostile{n}", name=text, project=text, config=config, cause=text)
        for n, text in enumerate(HOSTILE[:9])
    )
    return Snapshot(seq=1, facts=Facts(sweeps=sweeps, runs=runs))
