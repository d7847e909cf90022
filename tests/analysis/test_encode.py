import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from controller.analysis.encode import encode, value_key
from controller.analysis.measures import levels, place, step
from controller.domain.parameters import Distribution, Parameter


def parameter(distribution, **more):
    return Parameter(path=("x",), distribution=Distribution(distribution), **more)


@pytest.mark.parametrize(
    ("it", "law"),
    [
        (parameter("uniform", min=-2.0, max=6.0), stats.uniform(-2, 8)),
        (parameter("log_uniform_values", min=1e-4, max=10.0), stats.loguniform(1e-4, 10)),
        (parameter("log_uniform", min=-3.0, max=2.0), stats.loguniform(math.exp(-3), math.exp(2))),
        (parameter("inv_log_uniform", min=-3.0, max=2.0), stats.loguniform(math.exp(-2), math.exp(3))),
        (parameter("inv_log_uniform_values", min=0.1, max=9.0), stats.loguniform(0.1, 9)),
        (parameter("normal", mu=3.0, sigma=2.0), stats.norm(3, 2)),
        (parameter("log_normal", mu=0.5, sigma=0.7), stats.lognorm(0.7, scale=math.exp(0.5))),
        (parameter("beta", a=2.0, b=5.0), stats.beta(2, 5)),
    ],
)
def test_place_is_the_distributions_own_probability(it, law):
    shares = np.linspace(0.01, 0.99, 21)
    assert place(it, law.ppf(shares)) == pytest.approx(shares, abs=1e-9)


@pytest.mark.parametrize(
    "it",
    [
        parameter("int_uniform", min=-3, max=8),
        parameter("q_uniform", min=0.0, max=1.0, q=0.1),
        parameter("q_log_uniform_values", min=1, max=64, q=8),
        parameter("q_log_uniform", min=0.0, max=3.0, q=1),
        parameter("q_normal", mu=0.0, sigma=1.0, q=0.5),
        parameter("q_log_normal", mu=0.0, sigma=0.5, q=1),
        parameter("q_beta", a=2.0, b=2.0, q=0.25),
    ],
)
def test_levels_are_multiples_of_the_step_and_share_everything(it):
    values, shares = levels(it)
    assert shares.sum() == pytest.approx(1.0)
    assert values / step(it) == pytest.approx(np.round(values / step(it)))
    assert place(it, values) == pytest.approx(np.cumsum(shares) - shares / 2, abs=1e-4)


def test_levels_keep_what_rounding_puts_below_the_least_value():
    # Draws below 4 become 0: log(4) / log(64) of them.
    values, shares = levels(parameter("q_log_uniform_values", min=1, max=64, q=8))
    assert values[0] == 0.0
    assert shares[0] == pytest.approx(1 / 3)


def test_levels_are_none_for_a_continuum_and_for_too_many():
    assert levels(parameter("uniform", min=0.0, max=1.0)) is None
    assert levels(parameter("int_uniform", min=0, max=100)) is None


@given(st.floats(0, 1), st.floats(-5, 5))
def test_encode_spreads_a_run_over_the_nodes_around_it(inside, outside):
    it = parameter("uniform", min=0.0, max=1.0)
    (column,) = encode((it,), ({"x": inside}, {"x": outside}, {}, {"x": None}))
    assert column.rows[0] @ column.positions == pytest.approx(inside, abs=1e-9)
    assert column.rows.sum(axis=1) == pytest.approx([1, 1, 0, 0])
    assert column.weights.sum() == pytest.approx(1.0)


def test_encode_tells_false_zero_and_empty_text_apart():
    values = (False, 0, "", None, [], {}, "false")
    it = parameter("categorical", values=values)
    (column,) = encode((it,), tuple({"x": value} for value in values))
    assert column.positions is None
    assert (column.rows == np.eye(len(values))).all()


def test_encode_orders_a_list_of_numbers_whatever_its_order():
    it = parameter("categorical", values=(64, 8, 32.0, 16))
    (column,) = encode((it,), tuple({"x": value} for value in (8, 16.0, 32, 64)))
    assert column.units.tolist() == [0.125, 0.375, 0.625, 0.875]


def test_encode_keeps_a_long_list_of_words_small():
    it = parameter("categorical", values=tuple(f"w{n}" for n in range(1000)))
    (column,) = encode((it,), ({"x": "w5"}, {"x": "w9"}, {"x": "unheard of"}))
    assert column.weights == pytest.approx([0.001, 0.001, 0.998])
    assert column.rows.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_encode_knows_nothing_of_a_parameter_whose_condition_fails():
    kind = Parameter(path=("kind",), distribution=Distribution.CATEGORICAL, values=("a", "b"))
    it = parameter("uniform", min=0.0, max=1.0, when=((("kind",), ("b",)),))
    _, column = encode((kind, it), ({"kind": "a", "x": 0.5}, {"kind": "b", "x": 0.5}))
    assert column.rows.sum(axis=1) == pytest.approx([0, 1])


def test_value_key_is_equal_for_equal_values_only():
    assert value_key(3) == value_key(3.0) != value_key("3")
    assert value_key(True) != value_key(1)
    assert value_key({"a": 1, "b": 2}) == value_key({"b": 2, "a": 1})
