from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from controller.domain.extremes import Extremes
from controller.domain.parameters import Distribution, Parameter
from controller.domain.queries import Belief, GetBelief, GetImportance, ImportanceTable, NotFound
from controller.domain.runs import Run
from controller.domain.states import RunState
from controller.domain.sweeps import Goal, Method, Metric, Sweep, SweepConfig
from controller.domain.world import Facts, World
from controller.engine.explaining import Explainer, _value

LR = Parameter(path=("lr",), distribution=Distribution.UNIFORM, min=0.0, max=1.0)


def sweep(goal: Goal = Goal.MINIMIZE) -> Sweep:
    config = SweepConfig(method=Method.RANDOM, parameters=(LR,), metric=Metric(name="loss", goal=goal))
    return Sweep(id="s", config=config, source="", directory="/", project="p", entity="e", name="n")


RUN = Run(
    id="r",
    sweep_id="s",
    number=1,
    name="a",
    config={"lr": 0.5},
    suggestion=0,
    state=RunState.FINISHED,
    summary={"loss": 0.7, "acc": 0.9},
    best=0.2,
    extremes=Extremes().widened({"loss": (0.2, 1.5)}),
)


@pytest.mark.parametrize(
    ("metric", "of", "expected"),
    [
        ("loss", "best", 0.2),
        ("loss", "last", 0.7),
        ("loss", "min", 0.2),
        ("loss", "max", 1.5),
        ("acc", "best", 0.9),
        ("acc", "min", None),
    ],
)
def test_each_word_means_its_value_of_the_run(metric: str, of: str, expected: float | None) -> None:
    assert _value(RUN, sweep(), metric, of) == expected


@pytest.mark.parametrize(
    ("metric", "of", "said"),
    [
        ("acc", "min", "the lowest acc was not kept when these runs logged it"),
        ("acc", "middle", "none of best, last, min and max"),
    ],
)
def test_value_that_no_run_has_is_said_instead_of_another_one_taken(metric: str, of: str, said: str) -> None:
    world = World(Facts(sweeps=(sweep(),), runs=(RUN,)))
    query = GetImportance(sweep_id="s", metric=metric, of=of)
    answer = asyncio.run(Explainer().importance(query, world))
    assert isinstance(answer, ImportanceTable)
    assert said in answer.note
    assert not answer.parameters


def test_sweep_that_is_not_there_is_said() -> None:
    answer = asyncio.run(Explainer().importance(GetImportance(sweep_id="x"), World()))
    assert isinstance(answer, NotFound)


@pytest.mark.parametrize(("metric", "hint"), [("acccc", "did you mean acc?"), ("zzzzz", "")])
def test_metric_that_no_run_has_logged_is_not_found_and_those_that_were_are_named(
    metric: str, hint: str
) -> None:
    world = World(Facts(sweeps=(sweep(),), runs=(RUN,)))
    answer = asyncio.run(Explainer().importance(GetImportance(sweep_id="s", metric=metric), world))
    assert answer == NotFound(
        reason=f"no run has logged {metric}; logged were loss, acc (sweep s)", hint=hint
    )


def test_belief_says_which_run_is_best_without_those_that_are_ignored() -> None:
    runs = [
        replace(RUN, id=f"r{n}", number=n, config={"lr": n / 10}, best=abs(n - 4.0), ignored=n == 4)
        for n in range(10)
    ]
    world = World(Facts(sweeps=(sweep(),), runs=tuple(runs)))
    explainer = Explainer()
    try:
        found = asyncio.run(explainer.belief(GetBelief(sweep_id="s"), world))
    finally:
        explainer.close()
    assert isinstance(found, Belief)
    assert found.run_id in ("r3", "r5")
    assert isinstance(asyncio.run(explainer.belief(GetBelief(sweep_id="x"), world)), NotFound)
