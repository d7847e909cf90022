from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui_sweeps.charts.glyphs import Glyphs, glyphs
from tui_sweeps.charts.raster import Raster


def plain(raster: Raster) -> list[str]:
    return [row.plain for row in raster.rows()]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TERM": "xterm-256color", "LANG": "en_US.UTF-8"}, Glyphs.BRAILLE),
        ({"TERM": "linux", "LANG": "en_US.UTF-8"}, Glyphs.BLOCK),
        ({"TERM": "xterm", "LANG": "C"}, Glyphs.ASCII),
        ({"TERM": "dumb", "LANG": "en_US.UTF-8"}, Glyphs.ASCII),
    ],
)
def test_glyphs_follow_the_environment(environ: dict[str, str], expected: Glyphs) -> None:
    assert glyphs(environ) is expected


def test_diagonal_is_drawn_in_dots() -> None:
    raster = Raster(2, 1)
    raster.line([(0, 0), (3, 3)])
    assert plain(raster) == ["⠑⢄"]


def test_steep_line_has_no_gaps() -> None:
    raster = Raster(1, 4)
    raster.line([(0, 0), (1, 15)])
    assert all(row != " " for row in plain(raster))


@given(st.integers(0, 12), st.integers(0, 119), st.integers(0, 119))
def test_segment_is_unbroken_and_stays_between_its_ends(dx: int, y0: int, y1: int) -> None:
    raster = Raster(8, 30)
    raster.line([(0, y0), (dx, y1)])
    columns = raster._layers[0][1][: dx + 1]
    runs = [[y for y in range(raster.n_dots_y + 1) if column >> y & 1] for column in columns]
    assert min(map(min, runs)) == min(y0, y1)
    assert max(map(max, runs)) == max(y0, y1)
    for left, right in pairwise(runs):
        assert min(abs(a - b) for a in left for b in right) <= 1


@given(st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39), st.integers(0, 39)), min_size=1))
def test_bundle_draws_what_its_lines_draw_one_by_one(lines: list[tuple[int, int, int]]) -> None:
    at_once, one_by_one = Raster(12, 10), Raster(12, 10)
    at_once.bundle([2, 9, 23], np.array(lines), np.zeros(len(lines), dtype=int), ["bold"])
    for line in lines:
        one_by_one.line(list(zip((2, 9, 23), line, strict=True)), "bold")
    assert at_once._layers == one_by_one._layers


def test_what_was_drawn_after_a_mark_is_taken_away() -> None:
    raster = Raster(4, 2)
    raster.line([(0, 0), (7, 7)])
    before, mark = plain(raster), raster.mark()
    raster.line([(0, 7), (7, 0)], "bold")
    raster.label(0, 0, "x")
    assert plain(raster) != before
    raster.back_to(mark)
    assert plain(raster) == before


def test_blocks_and_ascii_draw_the_same_line() -> None:
    for kind, picture in ((Glyphs.BLOCK, ["▀▄"]), (Glyphs.ASCII, ["'."])):
        raster = Raster(2, 1, kind)
        raster.line([(0, 0), (raster.n_dots_x - 1, raster.n_dots_y - 1)])
        assert plain(raster) == picture


def test_last_line_gives_a_cell_its_colour() -> None:
    raster = Raster(3, 1)
    raster.line([(0, 0), (5, 0)], "red")
    raster.line([(2, 3), (3, 3)], "green")
    (row,) = raster.rows()
    assert [(span.start, span.end, span.style) for span in row.spans] == [
        (0, 1, "red"),
        (1, 2, "green"),
        (2, 3, "red"),
    ]
    assert row.plain == "⠉⣉⠉"


def test_lone_line_clears_the_cells_it_passes() -> None:
    raster = Raster(3, 1)
    raster.line([(0, 0), (5, 0)], "red")
    raster.line([(2, 3), (3, 3)], "green", alone=True)
    assert plain(raster) == ["⠉⣀⠉"]


def test_colours_off_leaves_attributes_only() -> None:
    raster = Raster(2, 1)
    raster.line([(0, 0), (3, 0)], "bold red")
    assert [str(span.style) for row in raster.rows(colours=False) for span in row.spans] == ["bold"]


dots = st.tuples(st.integers(-50, 100), st.integers(-50, 100))


@given(
    st.lists(st.lists(dots, min_size=1, max_size=5).map(sorted), max_size=8),
    st.integers(0, 20),
    st.integers(0, 10),
    st.sampled_from(Glyphs),
)
def test_lines_outside_the_canvas_are_cut_off(
    lines: list[list[tuple[int, int]]], width: int, height: int, kind: Glyphs
) -> None:
    raster = Raster(width, height, kind)
    for line in lines:
        raster.line(line, "red")
    rows = plain(raster)
    assert len(rows) == height
    assert all(cell_len(row) == width for row in rows)
