import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.analysis.curves import downsample, lttb

logged = st.lists(
    st.one_of(st.floats(-1e6, 1e6), st.just(math.nan), st.just(math.inf), st.none()), min_size=1, max_size=400
)


def finite(values):
    return [value for value in values if value is not None and math.isfinite(value)]


@given(logged, st.integers(1, 30))
def test_downsample_keeps_extremes_and_only_logged_points(values, n_columns):
    steps, kept = downsample(range(len(values)), values, n_columns)
    assert len(steps) == len(kept) <= 5 * n_columns
    assert steps == sorted(set(steps))
    for step, value in zip(steps, kept, strict=True):
        original = values[int(step)]
        assert value == original or (math.isnan(value) and not finite([original]))
    if finite(values):
        assert min(finite(kept)) == min(finite(values))
        assert max(finite(kept)) == max(finite(values))


def test_downsample_leaves_a_gap_where_values_are_missing():
    values = [1.0] * 400 + [math.nan] * 200 + [2.0] * 400
    steps, kept = downsample(range(1000), values, 10)
    gaps = [step for step, value in zip(steps, kept, strict=True) if math.isnan(value)]
    assert gaps
    assert all(400 <= gap < 600 for gap in gaps)


def test_downsample_divides_steps_and_not_points():
    steps = [*range(1000), 2000]
    kept, _ = downsample(steps, [float(step) for step in steps], 2)
    assert kept == [0.0, 999.0, 2000.0]


def test_downsample_returns_a_short_curve_as_it_is():
    assert downsample([1, 2], [None, 3.0], 80)[0] == [1.0, 2.0]
    assert downsample([], [], 80) == ([], [])


@given(logged, st.integers(3, 50))
def test_lttb_keeps_the_number_of_points_and_both_ends(values, n_points):
    steps, kept = lttb(range(len(values)), values, n_points)
    known = [index for index, value in enumerate(values) if finite([value])]
    assert len(steps) == min(len(known), n_points)
    assert steps == sorted(set(steps))
    assert all(values[int(step)] == value for step, value in zip(steps, kept, strict=True))
    if known:
        assert (steps[0], steps[-1]) == (known[0], known[-1])


def test_lttb_keeps_a_lone_peak():
    values = [0.0] * 500
    values[137] = 9.0
    assert 137.0 in lttb(range(500), values, 20)[0]


def test_curves_refuse_what_makes_no_picture():
    with pytest.raises(ValueError, match="at least one column"):
        downsample([1], [1.0], 0)
    with pytest.raises(ValueError, match="at least 3 points"):
        lttb([1], [1.0], 2)
    with pytest.raises(ValueError, match="2 steps for 1 values"):
        downsample([1, 2], [1.0], 5)
