"""The sentences that tell why a run has its config and why it was stopped or not."""

from __future__ import annotations

from typing import Any

import pytest

from controller.domain.reasons import why_judged, why_suggested
from controller.domain.runs import Run, Verdict
from controller.domain.sweeps import EarlyTermination, Goal, Method, Metric, SweepConfig


def config(goal: Goal = Goal.MINIMIZE, *, strict: bool = False) -> SweepConfig:
    early = EarlyTermination(min_iter=3, strict=strict)
    return SweepConfig(
        method=Method.BAYES, parameters=(), metric=Metric(name="loss", goal=goal), early_terminate=early
    )


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ({"model": "grid", "index": 11, "of": 10**12}, "grid cell 12 of 1,000,000,000,000"),
        ({"model": "random", "of": None}, "drawn at random"),
        ({"model": "random", "because": "it was late"}, "drawn at random; it was late"),
        ({"model": "design", "point": 0, "of": 8}, "point 1 of 8 laid out before there is a model"),
        ({"model": "design"}, "far from all that was tried, before there is a model"),
        (
            {"model": "process", "mean": 0.12345678, "log_ei": -2.0, "failure": 0.25},
            "the model expects loss about 0.1235, log expected improvement -2, chance of failure 25%",
        ),
        ({"oracle": "dice"}, "oracle dice"),
        ({}, ""),
    ],
)
def test_reason_of_a_suggestion_is_a_sentence(reason: dict[str, Any], said: str) -> None:
    assert why_suggested(reason, config()) == said


@pytest.mark.parametrize(
    ("verdict", "goal", "strict", "said"),
    [
        (
            Verdict(stop=True, band=9, value=0.5, threshold=0.25, n_at_band=4),
            Goal.MINIMIZE,
            False,
            "stopped at band 9: best loss so far, 0.5, is above 0.25, the limit among 4 runs",
        ),
        (
            Verdict(stop=False, band=3, value=0.5, threshold=0.25, n_at_band=4),
            Goal.MAXIMIZE,
            True,
            "went on at band 3: loss there, 0.5, is not below 0.25, the limit among 4 runs",
        ),
        (
            Verdict(stop=False, band=3, value=0.5, threshold=0.5, n_at_band=1),
            Goal.MINIMIZE,
            False,
            "went on at band 3: the first run to come so far",
        ),
        (
            Verdict(stop=True, band=2, value=float("nan"), threshold=None, n_at_band=1),
            Goal.MINIMIZE,
            False,
            "stopped at value 2: it was no number",
        ),
        (None, Goal.MINIMIZE, False, ""),
    ],
)
def test_verdict_of_early_termination_is_a_sentence(
    verdict: Verdict | None, goal: Goal, strict: bool, said: str
) -> None:
    run = Run(id="r", sweep_id="s", number=1, name="n", config={}, suggestion=0, verdict=verdict)
    assert why_judged(run, config(goal, strict=strict)) == said
