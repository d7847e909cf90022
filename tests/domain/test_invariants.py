"""Every breach is found and named; sound facts have none."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from controller.domain.facts import Facts
from controller.domain.invariants import breaches, miscounted, overlaps
from controller.domain.runs import Attempt, Run
from controller.domain.states import AttemptState, RunState, SweepState
from controller.domain.sweeps import Method, Suggestion, Sweep, SweepConfig

SWEEP = Sweep(
    id="s", config=SweepConfig(method=Method.GRID, parameters=()), source="", directory="/", project="p",
    entity="e", name="n", size=2, exhausted=True, state=SweepState.FINISHED,
)  # fmt: skip


def run(number: int, **more: Any) -> Run:
    values = {
        "id": f"r{number}", "sweep_id": "s", "number": number, "name": "", "config": {}, "attempt": 1,
        "suggestion": number, "index": number - 1, "token": number, "state": RunState.FINISHED,
        "ended_at": 9.0,
    }  # fmt: skip
    return Run(**(values | more))


def attempt(token: int, **more: Any) -> Attempt:
    values = {
        "token": token, "run_id": f"r{token}", "sweep_id": "s", "number": 1, "agent_id": "a", "ask": token,
        "state": AttemptState.FINISHED, "started_at": 1.0, "ended_at": 9.0,
    }  # fmt: skip
    return Attempt(**(values | more))


SOUND = Facts(sweeps=(SWEEP,), runs=(run(1), run(2)), attempts=(attempt(1), attempt(2)), last_token=2)
RUNNING = {"state": AttemptState.RUNNING, "ended_at": None}
CAPPED = replace(SWEEP, config=replace(SWEEP.config, run_cap=1))


def test_sound_facts_have_no_breach() -> None:
    assert list(breaches(SOUND)) == []
    assert list(breaches(Facts())) == []


@pytest.mark.parametrize(
    ("invariant", "facts"),
    [
        ("I1", replace(SOUND, attempts=(attempt(1, **RUNNING), attempt(2, run_id="r1", **RUNNING)))),
        ("I2", replace(SOUND, last_token=1)),
        ("I2", replace(SOUND, attempts=(attempt(1), attempt(1, run_id="r2")))),
        ("I2", replace(SOUND, attempts=(attempt(1, number=7), attempt(2)))),
        ("I3", replace(SOUND, attempts=(attempt(1, **RUNNING, started_at=None), attempt(2)))),
        ("I6", replace(SOUND, runs=(run(1), run(2, index=0)))),
        ("I6", replace(SOUND, runs=(run(1), run(2, index=2)))),
        ("I6", replace(SOUND, runs=(run(1), run(2, index=None)))),
        ("I6", replace(SOUND, runs=(run(1),))),
        ("I7", replace(SOUND, sweeps=(CAPPED,))),
        ("I8", replace(SOUND, attempts=(attempt(1, ended_at=None), attempt(2)))),
        ("I8", replace(SOUND, runs=(run(1, ended_at=None), run(2)))),
        ("I8", replace(SOUND, runs=(run(1, state=RunState.RUNNING), run(2)))),
        ("I8", replace(SOUND, runs=(run(1, state=RunState.CRASHED), run(2)))),
        ("I10", replace(SOUND, runs=(run(1), run(2, suggestion=1)))),
    ],
)
def test_a_breach_is_named_by_its_invariant(invariant: str, facts: Facts) -> None:
    assert invariant in [breach.invariant for breach in breaches(facts)]


def test_a_sweep_that_ended_early_need_not_have_all_cells() -> None:
    drawing = replace(SWEEP, exhausted=False)
    for sweep in (replace(drawing, target_reached=True), drawing):
        assert list(breaches(replace(SOUND, sweeps=(sweep,), runs=(run(1),)))) == []
    shelf = (Suggestion(number=2, index=1, config={}),)
    for sweep in (replace(SWEEP, state=SweepState.STOPPED), CAPPED):
        assert list(breaches(replace(SOUND, sweeps=(sweep,), runs=(run(1),), shelves={"s": shelf}))) == []


def test_a_deleted_runs_point_may_be_handed_out_again() -> None:
    runs = (run(1, deleted=True), run(2), run(3, index=0, suggestion=1))
    attempts = (attempt(1), attempt(2), attempt(3))
    assert list(breaches(replace(SOUND, runs=runs, attempts=attempts, last_token=3))) == []


@pytest.mark.parametrize(
    ("invariant", "later"),
    [
        ("I4", {"token": 5, "started_at": 3.0}),
        ("I2", {"token": 0, "started_at": 9.5}),
        (None, {"token": 5, "started_at": 9.5}),
        (None, {"token": 5, "started_at": None}),
    ],
)
def test_attempts_of_a_run_follow_each_other(invariant: str | None, later: dict[str, Any]) -> None:
    found = list(overlaps([attempt(**({"token": 5, "run_id": "r1", "number": 2} | later)), attempt(1)]))
    assert [breach.invariant for breach in found] == ([] if invariant is None else [invariant])


def test_what_was_lost_may_have_lived_on() -> None:
    lost = attempt(1, state=AttemptState.CRASHED)
    assert list(overlaps([lost, attempt(2, run_id="r1", number=2, started_at=3.0)])) == []


def test_rows_that_were_acknowledged_are_missed_when_they_are_gone() -> None:
    facts = replace(SOUND, runs=(run(1, n_points=3), run(2)))
    assert list(miscounted(facts, {"r1": 3})) == []
    (breach,) = miscounted(facts, {"r1": 2})
    assert breach.invariant == "I5"
    assert "3 history rows were acknowledged, 2 are stored" in breach.text
