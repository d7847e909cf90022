import random

import pytest

from controller.domain.parameters import leaf
from controller.domain.states import RunState
from controller.domain.sweeps import Goal, Metric
from controller.search import Observation
from controller.search.cells import key
from tests.search.spaces import choice, config, failed, finished, parameter, suggest

SQUARE = (parameter("x", "uniform", min=0.0, max=1.0), parameter("y", "uniform", min=0.0, max=1.0))


def run(sweep, loss, n, agents=1, seed=0):
    """Search with `agents` at once; return the configs in the order of their ends, with their values."""
    dice, pending, seen = random.Random(seed), [], []
    for number in range(n):
        if len(pending) == agents:
            point = pending.pop(dice.randrange(agents))
            value = loss(point)
            seen.append(failed(point) if value is None else finished(point, value))
        found = suggest(sweep, first=number, seen=seen, pending=pending, seed=seed)
        pending += [s.config for s in found.suggestions]
    return seen, pending, found


@pytest.mark.parametrize("agents", [1, 8])
def test_bayes_gives_each_of_twelve_points_once_and_ends(agents):
    sweep = config((choice("a", True, False, None), choice("b", 0, 0.5, "", "z")), "bayes")
    seen, pending, last = run(sweep, lambda c: len(str(c)), 12, agents)
    points = {key(sweep.parameters, c) for c in [*pending, *(o.config for o in seen)]}
    assert len(points) == 12
    assert last.exhausted
    done = suggest(sweep, n=8, first=12, seen=seen, pending=pending)
    assert (done.suggestions, done.exhausted) == ((), True)


def test_bayes_fills_one_wish_with_different_points():
    sweep = config((choice("a", *range(3)), choice("b", *"wxyz")), "bayes")
    proposal = suggest(sweep, n=20)
    assert len({key(sweep.parameters, s.config) for s in proposal.suggestions}) == 12
    assert proposal.exhausted


def test_bayes_finds_a_minimum_that_random_search_does_not():
    sweep = config(SQUARE, "bayes")
    seen, _, _ = run(sweep, lambda c: (c["x"] - 0.31) ** 2 + (c["y"] - 0.77) ** 2, 25)
    assert min(o.value for o in seen) < 1e-3


def test_bayes_searches_in_the_direction_of_the_metric():
    sweep = config(SQUARE, "bayes")
    up = type(sweep)(method=sweep.method, parameters=SQUARE, metric=Metric(name="a", goal=Goal.MAXIMIZE))
    seen, _, _ = run(up, lambda c: 1 - (c["x"] - 0.31) ** 2 - (c["y"] - 0.77) ** 2, 25)
    assert max(o.value for o in seen) > 0.999


def test_bayes_repeats_itself_with_the_same_seed_and_results():
    sweep = config((*SQUARE, choice("c", "u", "v")), "bayes")

    def loss(c):
        return c["x"] + (c["c"] == "u")

    assert run(sweep, loss, 14, 3, seed=7)[0] == run(sweep, loss, 14, 3, seed=7)[0]
    assert run(sweep, loss, 14, 3, seed=8)[0] != run(sweep, loss, 14, 3, seed=7)[0]


def test_bayes_learns_where_runs_fail():
    sweep = config(SQUARE, "bayes")
    seen, _, _ = run(sweep, lambda c: None if c["x"] > 0.75 else -c["x"] + (c["y"] - 0.5) ** 2, 45)
    late = [o.state for o in seen[20:]]
    assert late.count(RunState.FAILED) <= 6
    assert min(o.value for o in seen if o.value is not None) < -0.7


def test_bayes_goes_on_where_crashes_are_chance():
    dice = random.Random(1)
    sweep = config(SQUARE, "bayes")
    seen, _, _ = run(sweep, lambda c: None if dice.random() < 0.3 else (c["x"] - 0.4) ** 2 + c["y"], 30)
    assert min(o.value for o in seen if o.value is not None) < 0.02


def test_bayes_goes_on_when_every_run_failed():
    sweep = config(SQUARE, "bayes")
    seen, _, found = run(sweep, lambda c: None, 15)
    assert len(found.suggestions) == 1
    assert len({str(o.config) for o in seen}) == 14


def test_bayes_leaves_out_what_does_not_matter():
    on = ((("algo",), ("svm",)),)
    space = (choice("algo", "svm", "knn"), parameter("gamma", "uniform", min=0.0, max=1.0, when=on))
    sweep = config(space, "bayes")
    seen, pending, _ = run(sweep, lambda c: c.get("gamma", 0.5), 20, 4)
    for point in [*pending, *(o.config for o in seen)]:
        assert ("gamma" in point) is (point["algo"] == "svm")


def test_bayes_takes_in_runs_of_another_space():
    space = (*SQUARE, choice("c", "u", "v"), parameter("n", "int_uniform", min=1, max=9))
    strange = [
        {"x": 3.0, "y": 0.1, "c": "gone", "n": 40},
        {"x": 0.2, "c": "u"},
        {"x": "text", "y": None, "c": ["u"], "n": "7"},
        {"y": 0.5, "extra": 1, "c": "v", "n": 3.5},
        {},
    ]
    seen = [finished(c, float(i)) for i, c in enumerate(strange * 2)]
    proposal = suggest(config(space, "bayes"), n=3, first=10, seen=seen)
    assert len(proposal.suggestions) == 3
    assert all(set(s.config) == {"x", "y", "c", "n"} for s in proposal.suggestions)


def test_bayes_counts_an_early_stopped_run_by_what_it_logged():
    sweep = config(SQUARE, "bayes")
    points = [s.config for s in suggest(sweep, n=6).suggestions]
    stopped = [Observation(config=c, value=c["x"], state=RunState.KILLED, early_stopped=True) for c in points]
    proposal = suggest(sweep, n=1, first=6, seen=stopped)
    assert proposal.suggestions[0].reason["model"] == "process"
    assert proposal.suggestions[0].reason["failure"] == 0.0


@pytest.mark.parametrize(
    "values", [[1.0] * 9, [0.0, 1e300, -1e300] * 3, [float("nan"), float("inf"), 1.0] * 3]
)
def test_bayes_survives_metrics_without_sense(values):
    sweep = config(SQUARE, "bayes")
    points = [s.config for s in suggest(sweep, n=9).suggestions]
    seen = [finished(c, v) for c, v in zip(points, values, strict=True)]
    assert len(suggest(sweep, n=4, first=9, seen=seen).suggestions) == 4


def test_bayes_says_why():
    sweep = config((choice("g/a", 1, 2, 4, 8), *SQUARE), "bayes")
    _, _, found = run(sweep, lambda c: leaf(c, ("g", "a")) + c["x"], 12)
    reason = found.suggestions[0].reason
    assert {"model", "mean", "deviation", "log_ei", "failure"} <= set(reason)
    assert all(type(v) in (str, float, int) for v in reason.values())
