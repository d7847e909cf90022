import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.domain.parameters import Distribution
from controller.search.distributions import TABLE, limits, to_unit, to_value
from controller.search.values import position
from tests.search.spaces import choice, parameter, parameters

UNIT = st.floats(0, 1)


def test_table_knows_every_distribution():
    assert set(TABLE) == set(Distribution)


@settings(deadline=None)
@given(parameters, UNIT)
def test_value_comes_back_from_its_own_quantile(p, u):
    value = to_value(p, u)
    again = to_value(p, to_unit(p, value))
    if p.values:
        assert again == value
        assert isinstance(again, bool) is isinstance(value, bool)
    elif 1e-6 < u < 1 - 1e-6:
        assert math.isclose(again, value, rel_tol=1e-6, abs_tol=1e-9)


@settings(deadline=None)
@given(parameters, UNIT)
def test_values_are_plain_and_inside_their_limits(p, u):
    value = to_value(p, u)
    assert type(value) in (int, float, str, bool, type(None))
    if not p.values:
        low, high = limits(p)
        # A limit that is a multiple of the step up to binary noise counts as one.
        assert low - 1e-9 * abs(low) <= value <= high + 1e-9 * abs(high)


@settings(deadline=None)
@given(parameters, UNIT, UNIT)
def test_numbers_rise_with_their_quantile(p, a, b):
    if not p.values:
        low, high = sorted((a, b))
        assert to_value(p, low) <= to_value(p, high)


@settings(deadline=None)
@given(parameters, UNIT)
def test_quantiles_lie_in_the_unit_interval(p, u):
    assert 0 <= to_unit(p, to_value(p, u)) <= 1


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        (parameter("p", "q_log_uniform_values", min=1, max=64, q=8), [8, 8, 8, 24, 64]),
        (parameter("p", "q_uniform", min=1, max=10, q=4), [4, 4, 4, 8, 8]),
        (parameter("p", "int_uniform", min=3, max=6), [3, 3, 4, 5, 6]),
        (choice("p", "a", "b"), ["a", "a", "a", "b", "b"]),
    ],
)
def test_quantised_values_stay_inside_where_others_leave(p, expected):
    assert [to_value(p, u) for u in (0.0, 0.1, 0.5, 0.75, 1.0)] == expected


def test_integer_steps_give_integers_and_float_steps_floats():
    assert type(to_value(parameter("p", "q_normal", q=2), 0.9)) is int
    assert type(to_value(parameter("p", "q_normal", q=0.5), 0.9)) is float


def test_weighted_items_are_never_ones_without_a_share():
    p = parameter("p", "categorical_w_probabilities", values=("a", "b", "c"), probabilities=(0.0, 1.0, 0.0))
    assert {to_value(p, u) for u in (0.0, 0.5, 1.0)} == {"b"}


def test_position_tells_false_zero_empty_and_nothing_apart():
    values = (0, False, "", None, [1], [1.0], {"a": 1})
    assert [position(values, value) for value in values] == list(range(7))


def test_position_finds_a_value_that_came_back_as_text():
    assert position((True, False), "false") == 1
    assert position((1, 2), 2.0) == 1


def test_position_refuses_a_stranger():
    with pytest.raises(ValueError, match="none of the declared"):
        position(("a", "b"), "c")
