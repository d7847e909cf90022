import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui_sweeps.format import MISSING, ago, clock, count, counted, duration, number, percent


@pytest.mark.parametrize(
    ("value", "width", "shown"),
    [
        (0.1, 8, "0.1"),
        (1e-05, 8, "1e-5"),
        (0.30000000000000004, 8, "0.3"),
        (123456.789, 8, "123457"),
        (-0.000123456, 8, "-0.00012"),
        (12, 8, "12"),
        (123456789012, 6, "1.2e11"),
        (True, 8, "true"),
        (None, 8, MISSING),
        (math.nan, 8, "nan"),
        (-math.inf, 8, "-inf"),
        ("adam\x1b[2J", 10, "adam␛"),
        ([1, 2], 10, "[1, 2]"),
        (1e300, 3, "###"),
        (10**400, 8, "huge"),
        (10**400, 3, "hu…"),
        (10**20, 8, "1e20"),
    ],
)
def test_number_shows_as_many_digits_as_fit(value: object, width: int, shown: str) -> None:
    assert number(value, width) == shown


@given(st.one_of(st.floats(), st.integers(), st.text(), st.none(), st.booleans()), st.integers(1, 12))
def test_number_never_exceeds_its_width(value: object, width: int) -> None:
    assert cell_len(number(value, width)) <= width


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_number_is_close_to_the_value_it_shows(value: float) -> None:
    assert float(number(value, 13)) == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0s"),
        (0.04, "0.1s"),
        (0.97, "1s"),
        (59.4, "59s"),
        (60, "1m00s"),
        (3599.9, "1h00m"),
        (8040, "2h14m"),
        (273600, "3d04h"),
        (-61, "-1m01s"),
        (None, MISSING),
        (math.inf, "∞"),
    ],
)
def test_duration_uses_the_two_largest_units(seconds: float | None, shown: str) -> None:
    assert duration(seconds) == shown


def test_ago_uses_one_unit() -> None:
    assert [ago(s) for s in (0, 59, 61, 7300, 200_000)] == ["now", "59s ago", "1m ago", "2h ago", "2d ago"]


def test_percent_is_whole_only_when_all_is_there() -> None:
    assert [percent(f) for f in (0, 0.001, 0.5, 0.9999, 1)] == ["0%", "<1%", "50%", "99%", "100%"]


def test_count_marks_thousands() -> None:
    assert [count(n) for n in (0, 1234, 999_999, 1_234_567, 5_000_000_000)] == [
        "0",
        "1,234",
        "999,999",
        "1.23M",
        "5G",
    ]


def test_clock_of_no_moment_is_missing() -> None:
    assert clock(None) == MISSING
    assert clock(1e300) == MISSING
    assert len(clock(0.0)) == 8


def test_noun_is_singular_for_one_only() -> None:
    assert [counted(n, "run") for n in (0, 1, 2, 1234)] == ["0 runs", "1 run", "2 runs", "1,234 runs"]
