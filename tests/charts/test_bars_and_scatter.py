from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tui_sweeps.charts.axes import Axis, axis_of, categorical_axis
from tui_sweeps.charts.bars import Bar, bars
from tui_sweeps.charts.glyphs import Glyphs
from tui_sweeps.charts.scatter import Dot, Panel, scatter

ITEMS = [
    Bar("learning_rate", 0.6, 0.5, 0.7, -0.71),
    Bar("batch", 0.2, 0.1, 0.35, 0.3),
    Bar("optimizer", 0.05),
]


def test_bars_show_value_interval_and_signed_correlation() -> None:
    rows = [row.plain for row in bars(ITEMS, width=80, glyphs=Glyphs.BRAILLE, colours=True)]
    assert rows[0].startswith("learning_rate ████")
    assert "├" in rows[0]
    assert "┤" in rows[0]
    assert "0.6" in rows[0]
    assert "-0.71 ████│" in rows[0]
    assert "+0.30" in rows[1]
    assert "│██" in rows[1]
    assert rows[0].count("█") > 2 * rows[1].count("█")
    assert "├" not in rows[2]


def test_bars_in_a_narrow_place_leave_the_correlation_out() -> None:
    rows = [row.plain for row in bars(ITEMS, width=40, glyphs=Glyphs.ASCII, colours=False)]
    assert all(row.isascii() and cell_len(row) <= 40 for row in rows)
    assert not any("0.71" in row for row in rows)


numbers = st.one_of(st.floats(), st.floats(0, 1))
items = st.builds(
    Bar, st.text(max_size=20), numbers, st.none() | numbers, st.none() | numbers, st.none() | numbers
)


@given(st.lists(items, max_size=6), st.integers(0, 100), st.sampled_from(Glyphs))
@settings(max_examples=80)
def test_any_bars_fit_their_width(found: list[Bar], width: int, kind: Glyphs) -> None:
    for row in bars(found, width=width, glyphs=kind, colours=True):
        assert cell_len(row.plain) <= width
        assert kind is not Glyphs.ASCII or row.plain.isascii()


METRIC = axis_of("val_acc", [0.0, 1.0])


def test_slices_stand_side_by_side_with_ticks() -> None:
    lr = Panel(axis_of("lr", [1e-4, 1e-1], log=True), (Dot(0.0, 0.0), Dot(1.0, 1.0)))
    optimizer = Panel(categorical_axis("optimizer", ["adam", "sgd"], has_missing=True), (Dot(None, 0.5, 3),))
    rows = [
        r.plain
        for r in scatter([lr, optimizer], METRIC, width=60, height=10, glyphs=Glyphs.BRAILLE, colours=True)
    ]
    assert rows[0].split() == ["lr", "(log)", "optimizer"]
    assert "1┤" in rows[1]
    assert "adam" in rows[-1]
    assert "sgd" in rows[-1]
    assert "0.1" in rows[-1]
    assert {cell_len(row) for row in rows} == {60}


@given(
    st.lists(st.lists(st.tuples(st.none() | st.floats(-1, 2), st.floats(-1, 2)), max_size=9), max_size=6),
    st.integers(0, 120),
    st.integers(0, 40),
    st.sampled_from(Glyphs),
)
@settings(max_examples=60)
def test_any_slices_fit_their_place(
    found: list[list[tuple[float | None, float]]], width: int, height: int, kind: Glyphs
) -> None:
    panels = [
        Panel(
            axis_of("p\x1b[2J宽", [0.0, None, 5.0]), tuple(Dot(x, y, at) for at, (x, y) in enumerate(points))
        )
        for points in found
    ]
    rows = scatter(panels, METRIC, width=width, height=height, glyphs=kind, colours=True)
    assert len(rows) <= max(1, height)
    assert all(cell_len(row.plain) <= width for row in rows)


def test_ticks_of_the_metric_are_whole_where_there_is_room() -> None:
    panel = Panel(axis_of("lr", [0.0, 1.0]), (Dot(0.0, 0.0), Dot(1.0, 1.0)))
    for label in ("0.97234", "-0.00125", "1e-05"):
        metric = Axis("loss", ticks=((0.5, label),))
        shown = scatter([panel], metric, width=60, height=12, glyphs=Glyphs.BRAILLE, colours=False)
        assert any(f"{label}┤" in line.plain for line in shown), label
        assert {line.cell_len for line in shown} == {60}
    long = Axis("loss", ticks=((0.5, "a" * 40),))
    shown = scatter([panel], long, width=60, height=12, glyphs=Glyphs.BRAILLE, colours=False)
    assert any("a…┤" in line.plain for line in shown)
