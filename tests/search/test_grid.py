import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.domain.parameters import leaf
from controller.search import count, grid
from tests.search.spaces import choice, config, parameter, suggest


def test_grid_walks_names_alphabetically_with_the_last_fastest():
    space = (choice("a", 1, 2), choice("g/x", "u", "v"), choice("z", True, False))
    cells = [grid.cell(space, i) for i in range(grid.size(space))]
    assert cells[:3] == [
        {"a": 1, "g": {"x": "u"}, "z": True},
        {"a": 1, "g": {"x": "u"}, "z": False},
        {"a": 1, "g": {"x": "v"}, "z": True},
    ]
    assert len(cells) == 8


def test_grid_leaves_out_the_upper_bound_of_steps_and_includes_that_of_integers():
    steps = parameter("q", "q_uniform", min=0, max=6, q=2)
    whole = parameter("i", "int_uniform", min=1, max=3)
    assert [grid.cell((steps,), i)["q"] for i in range(grid.size((steps,)))] == [0, 2, 4]
    assert [grid.cell((whole,), i)["i"] for i in range(grid.size((whole,)))] == [1, 2, 3]


@pytest.mark.parametrize("missing", ["min", "max"])
@pytest.mark.parametrize("distribution", ["int_uniform", "q_uniform"])
def test_grid_refuses_a_range_without_a_limit_rather_than_taking_it_for_0(distribution, missing):
    numbers = {"min": -2, "max": 3, missing: None}
    with pytest.raises(ValueError, match=f"x: {distribution} needs min and max"):
        grid.size((parameter("x", distribution, **numbers),))


def test_grid_counts_equal_values_once_and_other_types_apart():
    space = (choice("a", 1, 1, 1.0, True, "1", [1], [1], [1.0], {"x": 1, "y": 2}, {"y": 2, "x": 1}),)
    cells = [grid.cell(space, i)["a"] for i in range(grid.size(space))]
    assert list(map(repr, cells)) == ["1.0", "True", "'1'", "[1]", "[1.0]", "{'y': 2, 'x': 1}"]


def test_grid_cell_names_plain_parameters_before_groups():
    space = (choice("b/c", 1), choice("b-x", 2), choice("g/b/c", 3), choice("g/b-x", 4), choice("z", 5))
    assert repr(grid.cell(space, 0)) == "{'b-x': 2, 'z': 5, 'b': {'c': 1}, 'g': {'b-x': 4, 'b': {'c': 3}}}"


def test_grid_of_a_million_million_cells_is_exact_and_at_hand():
    space = tuple(parameter(f"p{i:02}", "int_uniform", min=0, max=9) for i in range(12))
    assert grid.size(space) == 10**12
    assert "".join(str(v) for v in grid.cell(space, 123456789012).values()) == "123456789012"


def test_grid_refuses_what_has_no_end_with_a_sentence():
    with pytest.raises(ValueError, match=r"opt\.lr: a grid cannot enumerate the distribution uniform"):
        grid.size((parameter("opt/lr", "uniform", min=0.0, max=1.0),))


def test_grid_counts_a_conditional_parameter_only_where_it_matters():
    on = ((("opt",), ("sgd",)),)
    space = (choice("momentum", 0.1, 0.5, 0.9, when=on), choice("opt", "adam", "sgd"))
    cells = [grid.cell(space, i) for i in range(grid.size(space))]
    assert cells == [{"opt": "adam"}] + [{"opt": "sgd", "momentum": m} for m in (0.1, 0.5, 0.9)]
    assert count(space) == 4


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 6000), st.integers(0, 2**64))
def test_order_is_a_bijection(n, seed):
    place = grid.order(n, seed)
    assert sorted(map(place, range(n))) == list(range(n))


def test_order_of_a_huge_grid_is_seeded_and_inside():
    place, same, other = grid.order(10**12, 1), grid.order(10**12, 1), grid.order(10**12, 2)
    first = [place(i) for i in range(200)]
    assert first == [same(i) for i in range(200)]
    assert first != [other(i) for i in range(200)]
    assert len(set(first)) == 200
    assert max(first) < 10**12


@pytest.mark.parametrize("shuffle", [False, True])
def test_grid_is_proposed_once_in_pieces_of_any_size(shuffle):
    sweep = config((choice("a", *range(7)), choice("b", *"xyz")), "grid", shuffle=shuffle)
    numbers, indexes, first = [], [], 0
    for n in (1, 5, 2, 13):
        proposal = suggest(sweep, n=n, first=first, seed=3)
        numbers += [s.number for s in proposal.suggestions]
        indexes += [s.index for s in proposal.suggestions]
        assert all(s.config == grid.cell(sweep.parameters, s.index) for s in proposal.suggestions)
        first = len(numbers)
    assert proposal.exhausted
    assert numbers == list(range(21))
    assert sorted(indexes) == list(range(21))
    assert (indexes == list(range(21))) is not shuffle
    assert suggest(sweep, n=4, first=21).suggestions == ()


def test_grid_and_hyperband_load_no_numpy():
    code = (
        "import sys; from controller.search import grid, hyperband, sizes, propose, Request; "
        "assert 'numpy' not in sys.modules and 'scipy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_leaf_of_a_grid_cell_keeps_falsy_values():
    space = (choice("a", None, 0, False, ""),)
    assert [leaf(grid.cell(space, i), ("a",)) for i in range(4)] == [None, 0, False, ""]
