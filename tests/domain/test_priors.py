"""Which earlier runs a search may learn from, and the words for those it may not."""

from __future__ import annotations

import math
from typing import Any

import pytest
from msgspec.structs import replace

from controller.domain.parameters import Distribution, Parameter
from controller.domain.priors import prior_value, refusal
from controller.domain.runs import Run
from controller.domain.states import RunState
from controller.domain.sweeps import Goal, Method, Metric, SweepConfig

LOSS = Metric(name="loss")
LR = Parameter(path=("lr",), distribution=Distribution.UNIFORM, min=0.0, max=1.0)
KIND = Parameter(path=("kind",), distribution=Distribution.CATEGORICAL, values=("adam", "sgd"))
MOMENTUM = Parameter(
    path=("momentum",), distribution=Distribution.UNIFORM, min=0.0, max=1.0, when=((("kind",), ("sgd",)),)
)
CONFIG = SweepConfig(method=Method.BAYES, metric=LOSS, parameters=(KIND, LR, MOMENTUM))


def run(config: dict[str, Any] | None = None, **more: Any) -> Run:
    fields: dict[str, Any] = {"state": RunState.FINISHED, "best": 0.5, "summary": {"loss": 0.7}} | more
    config = config or {"lr": 0.1, "kind": "adam"}
    return Run(id="r", sweep_id="s", number=1, name="n", suggestion=0, config=config, **fields)


@pytest.mark.parametrize(
    ("prior", "why"),
    [
        (run(), ""),
        (run({"lr": 7.0, "kind": "lion"}), ""),  # a range and a list may have changed
        (run({"lr": 0.1, "kind": "sgd"}), "its config has no momentum"),
        (run({"kind": "adam"}), "its config has no lr"),
        (run({"lr": "1e-4", "kind": "adam"}), "its lr is '1e-4', not a number"),
        (run({"lr": True, "kind": "adam"}), "its lr is True, not a number"),
        (run({"lr": math.nan, "kind": "adam"}), "its lr is nan, not a number"),
        (run(best=None), "it has no value of loss"),
        (run(best=None, state=RunState.FAILED), ""),  # where runs fail is worth knowing
        (run(state=RunState.RUNNING), "it has not ended: it is running"),
        (run(queued=True), "it has not ended: it is queued"),
        (run(ignored=True), "it is marked to be ignored"),
        (run(deleted=True), "it was deleted"),
    ],
)
def test_prior_run_is_used_or_refused_with_a_reason(prior: Run, why: str) -> None:
    assert refusal(prior, LOSS, CONFIG) == why


def test_prior_runs_teach_grid_and_random_search_nothing() -> None:
    assert refusal(run(), LOSS, replace(CONFIG, method=Method.GRID)) == (
        "method grid does not learn from earlier runs"
    )


@pytest.mark.parametrize(
    ("own", "value"),
    [(LOSS, 0.5), (Metric(name="loss", goal=Goal.MAXIMIZE), 0.7), (Metric(name="acc"), 0.7), (None, 0.7)],
)
def test_best_value_of_a_prior_run_counts_only_where_its_sweep_sought_the_same(
    own: Metric | None, value: float
) -> None:
    assert prior_value(run(), own, LOSS) == value
