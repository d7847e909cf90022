"""Deterministic Worlds for picture tests and for `screenshots/make.py`."""

from __future__ import annotations

import itertools
import math
import random

from controller.domain.agents import Agent, AgentState
from controller.domain.extremes import Extremes
from controller.domain.parameters import Distribution, Parameter
from controller.domain.runs import Attempt, Run
from controller.domain.states import AttemptState, RunState, SweepState
from controller.domain.sweeps import Goal, Method, Metric, Sweep, SweepConfig
from controller.domain.world import Facts, Snapshot

NOW = 1_780_000_000.0
"""The scenes' present; the dashboard is given a clock that stands still here."""

DIRECTORY = "/home/ada/digits"

ADJECTIVES = ("brave", "calm", "deft", "eager", "fond", "glad", "hazy", "keen", "lucid", "mellow")
NOUNS = ("newt", "lark", "otter", "wren", "ibis", "hare", "finch", "mole", "crane", "seal", "toad")


def categorical(name: str, *values: object) -> Parameter:
    return Parameter(path=tuple(name.split(".")), distribution=Distribution.CATEGORICAL, values=values)


DIGITS_PARAMETERS = (
    categorical("alpha", 1e-5, 1e-4, 1e-3),
    categorical("batch_size", 16, 64),
    categorical("learning_rate", 0.001, 0.003, 0.01, 0.03),
    categorical("loss", "hinge", "log_loss"),
    Parameter(path=("epochs",), distribution=Distribution.CONSTANT, values=(30,)),
)

METRIC = Metric(name="val_accuracy", goal=Goal.MAXIMIZE)


def digits_sweep(sweep_id: str = "d1g1ts00", **changes: object) -> Sweep:
    fields: dict[str, object] = {
        "id": sweep_id,
        "config": SweepConfig(
            method=Method.GRID, parameters=DIGITS_PARAMETERS, metric=METRIC, program="train.py"
        ),
        "source": "program: train.py\n",
        "directory": DIRECTORY,
        "project": "digits",
        "entity": "local",
        "name": "digits-grid",
        "state": SweepState.RUNNING,
        "n_expected": 48,
        "n_suggested": 38,
        "created_at": NOW - 3000,
        "updated_at": NOW - 1,
    }
    fields.update(changes)
    return Sweep(**fields)  # type: ignore[arg-type]


def run_name(number: int) -> str:
    return f"{ADJECTIVES[number % 10]}-{NOUNS[number % 11]}-{number}"


def accuracy(config: dict[str, object]) -> float:
    rate = float(config["learning_rate"])  # type: ignore[arg-type]
    value = 0.97 - 0.035 * (math.log10(rate) + 2) ** 2 - 0.01 * (config["batch_size"] == 64)
    value += 0.012 * (config["loss"] == "log_loss") - 0.004 * abs(math.log10(float(config["alpha"])) + 4)  # type: ignore[arg-type]
    return round(value, 4)


def digits_configs() -> list[dict[str, object]]:
    names = [parameter.path[0] for parameter in DIGITS_PARAMETERS]
    values = [parameter.values for parameter in DIGITS_PARAMETERS]
    return [dict(zip(names, row, strict=True)) for row in itertools.product(*values)]


def digits() -> Snapshot:
    """A grid of 48 cells: 31 finished, 2 failed, 1 stopped, 2 running, the rest to come; and other sweeps."""
    runs: list[Run] = []
    attempts: list[Attempt] = []
    configs = digits_configs()
    random.Random(7).shuffle(configs)
    for number in range(1, 37):
        run, attempt = _digits_run(number, configs[number - 1])
        runs.append(run)
        attempts.append(attempt)
    agents = tuple(
        Agent(
            id=f"agent{n}",
            sweep_id="d1g1ts00",
            host=f"node0{n}",
            pid=4000 + n,
            token=34 + n,
            n_runs=17,
            n_failures=n,
            joined_at=NOW - 2900,
            heard_at=NOW - 3,
        )
        for n in (1, 2)
    )
    gone = Agent(
        id="agent9",
        sweep_id="d1g1ts00",
        host="node09",
        pid=999,
        state=AgentState.QUARANTINED,
        cause="3 failures in a row, each under 60 s",
        n_runs=3,
        n_failures=3,
        joined_at=NOW - 2000,
        heard_at=NOW - 1500,
    )
    return Snapshot(
        seq=1,
        facts=Facts(
            sweeps=(digits_sweep(), *_other_sweeps()),
            runs=(*runs, *_other_runs()),
            attempts=tuple(attempts),
            agents=(*agents, gone),
            last_token=900,
        ),
    )


def _digits_run(number: int, config: dict[str, object]) -> tuple[Run, Attempt]:
    state = RunState.FINISHED
    if number in (11, 23):
        state = RunState.FAILED
    elif number == 17:
        state = RunState.KILLED
    elif number >= 35:
        state = RunState.RUNNING
    value = accuracy(config)
    start = NOW - 3000 + 80 * number if number < 35 else NOW - 40 + number
    took = 70.0 + (number * 37) % 90
    step = 29 if state is RunState.FINISHED else (number * 7) % 20 + 2
    host = f"node0{number % 2 + 1}"
    run = Run(
        id=f"r{number:07d}",
        sweep_id="d1g1ts00",
        number=number,
        name=run_name(number),
        config=config,
        suggestion=number - 1,
        index=number - 1,
        state=state,
        cause={"failed": "exit code 1", "killed": "stopped"}.get(state.value, ""),
        exit_code={"finished": 0, "failed": 1}.get(state.value),
        signal=15 if state is RunState.KILLED else None,
        attempt=2 if number == 23 else 1,
        token=number,
        agent_id=f"agent{number % 2 + 1}",
        host=host,
        pid=20000 + number,
        directory=f"{DIRECTORY}/runs/r{number:07d}",
        argv=("/usr/bin/env", "python", "train.py", *(f"--{name}={val}" for name, val in config.items())),
        summary={"val_accuracy": value, "val_loss": round(1.02 - value, 4), "epoch": step},
        extremes=Extremes().widened(
            {"val_accuracy": (0.42, value), "val_loss": (round(1.02 - value, 4), 0.61), "epoch": (0, step)}
        ),
        n_points=step + 1,
        last_step=step,
        best=None if number == 11 else value,
        latest=value,
        n_log_lines=60,
        created_at=start - 1,
        started_at=start,
        ended_at=None if state is RunState.RUNNING else start + took,
    )
    ended = run.ended_at is not None
    attempt = Attempt(
        token=number,
        run_id=run.id,
        sweep_id=run.sweep_id,
        number=run.attempt,
        agent_id=run.agent_id or "",
        ask=number,
        state=AttemptState(state.value) if ended else AttemptState.RUNNING,
        cause=run.cause,
        exit_code=run.exit_code,
        host=host,
        pid=run.pid,
        assigned_at=start - 1,
        started_at=start,
        ended_at=run.ended_at,
    )
    return run, attempt


def _other_sweeps() -> tuple[Sweep, ...]:
    random_config = SweepConfig(
        method=Method.RANDOM,
        parameters=(Parameter(path=("lr",), distribution=Distribution.UNIFORM, min=0.0, max=1.0),),
        metric=Metric(name="loss"),
    )
    return (
        digits_sweep(
            "resnet01",
            name="resnet-augment",
            state=SweepState.PAUSED,
            config=random_config,
            n_expected=200,
            created_at=NOW - 90_000,
            updated_at=NOW - 7200,
        ),
        digits_sweep(
            "bayes001",
            name="transformer-lr",
            state=SweepState.FINISHED,
            config=random_config,
            n_expected=24,
            created_at=NOW - 260_000,
            updated_at=NOW - 180_000,
            ended_at=NOW - 180_000,
        ),
        digits_sweep(
            "open0001",
            name="baseline-search",
            state=SweepState.STOPPED,
            config=random_config,
            n_expected=None,
            created_at=NOW - 400_000,
            updated_at=NOW - 390_000,
            ended_at=NOW - 390_000,
        ),
    )


def _other_runs() -> tuple[Run, ...]:
    out = []
    dice = random.Random(3)
    for sweep_id, n_runs in (("resnet01", 74), ("bayes001", 24), ("open0001", 130)):
        for number in range(1, n_runs + 1):
            lr = dice.random()
            loss = (lr - 0.4) ** 2 + 0.05 * dice.random()
            failed = number % 37 == 0
            out.append(
                Run(
                    id=f"{sweep_id}-{number}",
                    sweep_id=sweep_id,
                    number=number,
                    name=run_name(number),
                    config={"lr": round(lr, 5)},
                    suggestion=number,
                    state=RunState.FAILED if failed else RunState.FINISHED,
                    exit_code=1 if failed else 0,
                    cause="exit code 1" if failed else "",
                    attempt=1,
                    host=f"node{number % 7:02d}",
                    summary={"loss": loss},
                    best=loss,
                    latest=loss,
                    last_step=100,
                    created_at=NOW - 90_000 + 60 * number,
                    started_at=NOW - 90_000 + 60 * number,
                    ended_at=NOW - 89_000 + 60 * number + dice.randint(0, 400),
                )
            )
    return tuple(out)


def empty() -> Snapshot:
    """Nothing yet."""
    return Snapshot(seq=0, facts=Facts())
