import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tui_sweeps.charts.axes import Axis, axis_of, categorical_axis, nice_ticks
from tui_sweeps.charts.glyphs import Glyphs
from tui_sweeps.charts.palette import N_STEPS, step_style
from tui_sweeps.charts.parallel import Line, parallel

LR = axis_of("lr", [1e-5, 1e-1], log=True)
OPTIMIZER = categorical_axis("optimizer", ["adam", "sgd", "lion"])
ACCURACY = axis_of("val_acc", [0.0, 1.0])


def picture(
    axes: list[Axis], lines: list[Line], highlight: int | None = None, kind: Glyphs = Glyphs.BRAILLE
) -> list[str]:
    out = parallel(axes, lines, width=60, height=12, glyphs=kind, colours=True, highlight=highlight)
    return [row.plain for row in out]


def test_axes_carry_names_ticks_and_scales() -> None:
    rows = picture([LR, OPTIMIZER, ACCURACY], [])
    assert rows[0].split() == ["lr", "optimizer", "val_acc"]
    assert rows[1].startswith(" ├0.1")
    assert "├lion" in rows[1]
    assert rows[1].rstrip().endswith("1┤")
    assert "├adam" in rows[-2]
    assert rows[-1].split() == ["log"]


def test_categories_stand_in_declared_order() -> None:
    rows = picture([OPTIMIZER, ACCURACY], [])
    seen = [word for row in rows for word in ("adam", "sgd", "lion") if word in row]
    assert seen == ["lion", "sgd", "adam"]


def test_flipped_axis_turns_over_and_says_so() -> None:
    axis = categorical_axis("optimizer", ["adam", "sgd", "lion"], flipped=True)
    rows = picture([axis, ACCURACY], [])
    assert "adam" in rows[1]
    assert "flipped" in rows[-1]


def test_missing_value_is_a_tick_of_its_own_below_the_axis() -> None:
    axis = axis_of("dropout", [0.1, None, 0.5])
    rows = picture([axis, ACCURACY], [Line((None, 0.5))])
    assert "├none" in rows[-2]
    assert rows[-3][1] == " "


def test_best_lines_lie_on_top() -> None:
    best, worst = Line((0.5, 0.5), N_STEPS - 1), Line((0.5, 0.5), 0)
    for lines in ([best, worst], [worst, best]):
        out = parallel([LR, ACCURACY], lines, width=40, height=9, glyphs=Glyphs.BRAILLE, colours=True)
        styles = {str(span.style) for row in out for span in row.spans}
        assert step_style(N_STEPS - 1) in styles
        assert step_style(0) not in styles


def test_highlighted_line_is_marked_on_every_axis() -> None:
    lines = [Line((0.1, 0.5, 0.9), 3), Line((0.9, 0.0, 0.1), 3)]
    rows = picture([LR, OPTIMIZER, ACCURACY], lines, highlight=1)
    assert sum(row.count("●") for row in rows) == 3


def test_brush_is_seen_without_colour() -> None:
    axis = axis_of("lr", [1e-5, 1e-1], log=True, brush=(0.25, 0.75))
    rows = picture([axis, ACCURACY], [])
    heavy = [at for at, row in enumerate(rows) if row[1] in "┃"]
    assert heavy == [3, 4, 5, 6, 7, 8]
    assert rows[heavy[0]][0] == "┏"
    assert rows[heavy[-1]][0] == "┗"


def test_ascii_picture_is_ascii() -> None:
    axis = axis_of("lr\x1b[2J宽", [1e-5, None, 1e-1], log=True, brush=(0.2, 0.4))
    rows = picture([axis, OPTIMIZER, ACCURACY], [Line((0.1, 0.5, None), 2)], highlight=0, kind=Glyphs.ASCII)
    assert all(row.isascii() for row in rows)


def test_too_small_a_place_is_said() -> None:
    out = parallel([LR], [], width=30, height=3, glyphs=Glyphs.BRAILLE, colours=True)
    assert [row.plain for row in out] == ["Too small for parallel coordi…"]
    assert (
        parallel([], [], width=30, height=9, glyphs=Glyphs.BRAILLE, colours=True)[0].plain
        == "No axis to draw."
    )


positions = st.one_of(st.none(), st.floats(-1, 2))
names = st.text(max_size=12)
axes = st.builds(
    Axis,
    names,
    st.sampled_from(["linear", "log", "categorical"]),
    st.lists(st.tuples(st.floats(0, 1), names), max_size=5).map(tuple),
    st.booleans(),
    st.booleans(),
    st.one_of(st.none(), st.tuples(st.floats(0, 1), st.floats(0, 1))),
)


@given(
    st.lists(axes, min_size=1, max_size=7),
    st.lists(st.lists(positions, min_size=1, max_size=7), max_size=10),
    st.integers(12, 90),
    st.integers(6, 24),
    st.sampled_from(Glyphs),
)
@settings(max_examples=60)
def test_picture_has_the_size_it_was_given(
    axes: list[Axis], values: list[list[float | None]], width: int, height: int, kind: Glyphs
) -> None:
    lines = [Line(tuple(run), at) for at, run in enumerate(values)]
    out = parallel(axes, lines, width=width, height=height, glyphs=kind, colours=True, highlight=0)
    assert len(out) == height
    assert {cell_len(row.plain) for row in out} == {width}


@pytest.mark.parametrize(
    ("low", "high", "n", "log", "expected"),
    [
        (0, 1, 4, False, [0, 0.25, 0.5, 0.75, 1]),
        (0.13, 0.87, 4, False, [0.2, 0.4, 0.6, 0.8]),
        (0, 272, 5, False, [0, 100, 200]),
        (1e-5, 1e-1, 5, True, [1e-5, 1e-4, 1e-3, 1e-2, 1e-1]),
        (3, 3, 4, False, [3]),
        (-1, 1, 2, False, [-1, 0, 1]),
        (float("nan"), 1, 2, False, []),
    ],
)
def test_ticks_are_round(low: float, high: float, n: int, log: bool, expected: list[float]) -> None:
    assert nice_ticks(low, high, n, log=log) == pytest.approx(expected)


@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12), st.integers(1, 10))
def test_ticks_lie_within_their_range(a: float, b: float, n: int) -> None:
    low, high = min(a, b), max(a, b)
    slack = (high - low) * 1e-6 + 1e-9 * max(1.0, abs(low), abs(high))
    assert all(low - slack <= tick <= high + slack for tick in nice_ticks(low, high, n))


def test_position_of_a_value_without_a_logarithm_is_missing() -> None:
    assert LR.position(0.0) is None
    assert LR.position(1e-3) == pytest.approx(0.5)
