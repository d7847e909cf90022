import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.analysis.columns import columns, flat
from controller.analysis.correlation import rank_correlation
from controller.analysis.smooth import exponential


def test_columns_are_dotted_and_keep_groups_together():
    first = {"lr": 1, "opt": {"name": "adam", "beta": {"one": 0.9}}, "seed": 1}
    second = {"lr": 1, "opt": {"name": "sgd", "momentum": 0.9}, "empty": {}}
    assert columns([first, second]) == ("lr", "opt.name", "opt.momentum", "empty", "opt.beta.one", "seed")


def test_columns_of_no_configs_are_none():
    assert columns([]) == ()


def test_flat_gives_each_column_its_value():
    assert flat({"a": {"b": None}, "c": False}) == {"a.b": None, "c": False}


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=30, unique=True))
def test_rank_correlation_sees_order_and_no_scale(values):
    assert rank_correlation(
        values, [math.atan(value / 1e6) + 2 * value for value in values]
    ) == pytest.approx(1)
    assert rank_correlation(values, [-value for value in values]) == pytest.approx(-1)


def test_rank_correlation_takes_the_mean_rank_of_ties():
    # ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4
    assert rank_correlation([1, 2, 2, 3], [10, 20, 30, 40]) == pytest.approx(4.5 / math.sqrt(4.5 * 5))


def test_rank_correlation_is_none_where_there_is_nothing_to_say():
    assert rank_correlation([1, 2], [1, 2]) is None
    assert rank_correlation([1, 1, 1], [1, 2, 3]) is None
    assert rank_correlation([1, None, 3, math.nan], [1, 2, 3, 4]) is None


@given(st.floats(-1e6, 1e6), st.floats(0, 0.99), st.integers(1, 50))
def test_exponential_returns_a_flat_curve_as_it_is(value, weight, n_points):
    assert exponential([value] * n_points, weight) == pytest.approx([value] * n_points)


def test_exponential_follows_the_debiased_average():
    assert exponential([1.0, 3.0], 0.5) == pytest.approx([1.0, (0.25 * 1 + 0.5 * 3) / 0.75])


def test_exponential_keeps_gaps_and_goes_on_behind_them():
    smoothed = exponential([1.0, None, math.inf, math.nan, 3.0], 0.5)
    assert all(math.isnan(value) for value in smoothed[1:4])
    assert smoothed[4] == exponential([1.0, 3.0], 0.5)[1]


@pytest.mark.parametrize("weight", [-0.1, 1.0, math.nan])
def test_exponential_refuses_a_weight_outside_its_range(weight):
    with pytest.raises(ValueError, match=r"lies in \[0, 1\)"):
        exponential([1.0], weight)


def test_analysis_loads_nothing_heavy_on_import():
    heavy = "import sys, controller.analysis, controller.analysis.importance, controller.analysis.curves\n"
    heavy += "print([name for name in ('numpy', 'scipy', 'sklearn') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
