from collections import Counter

import pytest

from controller.search import count
from controller.search.cells import key
from tests.search.spaces import choice, config, parameter, suggest

WEIGHTED = parameter(
    "w", "categorical_w_probabilities", values=("often", "seldom"), probabilities=(0.95, 0.05)
)
ON = ((("c",), ("y",)),)


def points(sweep, numbers, seed=0):
    return [suggest(sweep, first=k, seed=seed).suggestions[0].config for k in numbers]


def test_random_draw_depends_on_seed_and_number_alone():
    sweep = config((parameter("x", "uniform", min=0.0, max=1.0), choice("c", "x", "y")), "random")
    whole = [s.config for s in suggest(sweep, n=20, seed=5).suggestions]
    assert points(sweep, range(20), seed=5) == whole
    assert points(sweep, range(20), seed=6) != whole


@pytest.mark.parametrize(
    "space",
    [
        (choice("a", 1, 2, 3), choice("b", *"wxyz")),
        (WEIGHTED, parameter("k", "int_uniform", min=1, max=6)),
        (
            choice("c", "x", "y"),
            choice("d", 1, 2, 3, when=ON),
            parameter("q", "q_uniform", min=0, max=6, q=2),
        ),
    ],
)
def test_random_gives_each_point_of_a_finite_space_once_and_ends(space):
    sweep = config(space, "random")
    size = count(sweep.parameters)
    assert size in (12, 16)
    proposal = suggest(sweep, n=size + 5, seed=1)
    assert len({key(sweep.parameters, s.config) for s in proposal.suggestions}) == size
    assert len(proposal.suggestions) == size
    assert proposal.exhausted
    assert not suggest(sweep, n=size - 1, seed=1).exhausted


def test_random_draws_likely_items_first():
    space = (WEIGHTED, parameter("k", "int_uniform", min=1, max=200))
    drawn = [s.config["w"] for s in suggest(config(space, "random"), n=100).suggestions]
    assert Counter(drawn)["often"] > 80


def test_random_repeats_nothing_in_a_large_uneven_space():
    space = (WEIGHTED, parameter("k", "int_uniform", min=1, max=100_000))
    sweep = config(space, "random")
    drawn = [s.config for s in suggest(sweep, n=300).suggestions]
    assert len({key(sweep.parameters, c) for c in drawn}) == 300
    again = suggest(sweep, first=0, pending=drawn).suggestions[0].config
    assert key(sweep.parameters, again) not in {key(sweep.parameters, c) for c in drawn}


def test_random_leaves_out_what_does_not_matter():
    space = (choice("c", "x", "y"), parameter("u", "uniform", min=0.0, max=1.0, when=ON))
    for point in points(config(space, "random"), range(40)):
        assert ("u" in point) is (point["c"] == "y")


@pytest.mark.parametrize(
    ("p", "size"),
    [
        (parameter("p", "uniform", min=0.0, max=1.0), None),
        (parameter("p", "normal"), None),
        (parameter("p", "q_normal"), None),
        (parameter("p", "q_log_uniform_values", min=1, max=64, q=8), 8),
        (parameter("p", "q_beta", q=0.1), 11),
        (parameter("p", "constant", values=(3,)), 1),
        (WEIGHTED, 2),
    ],
)
def test_count_is_exact_or_none(p, size):
    assert count((p,)) == size
