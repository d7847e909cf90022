import math
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tui_sweeps.charts.curves import curves, smoothed, thinned
from tui_sweeps.charts.glyphs import Glyphs

LOSS = [(float(at), math.exp(-at / 30)) for at in range(100)]


def picture(
    series: dict[str, list[tuple[float, float]]], kind: Glyphs = Glyphs.BRAILLE, **how: bool
) -> list[str]:
    return curves(series, width=60, height=14, glyphs=kind, colours=True, **how).plain.split("\n")


def test_curve_has_a_frame_round_ticks_a_letter_and_a_legend() -> None:
    rows = picture({"train/loss": LOSS})
    assert len(rows) == 14
    assert rows[-1].startswith("a train/loss")
    assert {"0", "50"} <= set(rows[-2].split())
    assert any("0.5┤" in row for row in rows)
    assert any("a│" in row or "a " in row for row in rows[:-1])


def test_log_axis_has_powers_of_ten() -> None:
    rows = picture({"loss": [(float(at), 10.0 ** (-at)) for at in range(5)]}, log_y=True)
    ticks = {row.split("┤")[0].strip() for row in rows if "┤" in row}
    assert {"1", "0.01", "0.0001"} <= ticks


def test_values_without_a_logarithm_are_gaps() -> None:
    assert picture({"x": [(0, -1.0), (1, 0.0)]}, log_y=True) == ["No positive values for a log axis."]


def test_gap_is_not_bridged() -> None:
    whole = [(float(at), 1.0) for at in range(60)]
    broken = [(x, math.nan if 20 <= x < 40 else y) for x, y in whole]
    rows = {kind: picture({"x": points}) for kind, points in (("whole", whole), ("broken", broken))}
    n_drawn = {
        kind: sum(0x2800 < ord(char) < 0x2900 for row in picture for char in row)
        for kind, picture in rows.items()
    }
    assert n_drawn["broken"] < 0.8 * n_drawn["whole"]


@pytest.mark.parametrize("points", [[(3.0, 0.5)], [(0.0, 5.0), (9.0, 5.0)], [(0.0, 0.0)], [(1.0, -1e300)]])
def test_one_point_and_a_constant_are_drawn(points: list[tuple[float, float]]) -> None:
    assert len(picture({"x": points})) == 14


@pytest.mark.parametrize("points", [[], [(0.0, math.nan)], [(math.inf, 1.0)]])
def test_nothing_to_draw_is_said(points: list[tuple[float, float]]) -> None:
    assert picture({"x": points}) == ["No values yet."]


def test_names_and_titles_from_outside_are_cleaned() -> None:
    text = curves(
        {"\x1b[2Jx\u202e[@click=q]": LOSS},
        width=60,
        height=10,
        title="\x1b]0;t\x07run",
        glyphs=Glyphs.BRAILLE,
        colours=True,
    )
    assert text.plain.startswith("␛run\n")
    assert "␛x\ufffd[@click=q]" in text.plain


def test_ascii_and_colourless_pictures_are_just_that() -> None:
    text = curves({"é": LOSS, "b": LOSS[:5]}, width=60, height=12, glyphs=Glyphs.ASCII, colours=False)
    assert text.plain.isascii()
    assert not text.spans


def test_curves_have_colours_of_their_own() -> None:
    text = curves({"a": LOSS, "b": LOSS[:50]}, width=60, height=12, glyphs=Glyphs.BRAILLE, colours=True)
    assert len({str(span.style) for span in text.spans}) == 2


values = st.one_of(st.floats(), st.floats(-1e3, 1e3))


@given(st.lists(values, max_size=80), st.booleans(), st.floats(0, 1), st.sampled_from(Glyphs))
@settings(max_examples=60, deadline=None)
def test_any_values_fit_their_place(ys: list[float], log_y: bool, smoothing: float, kind: Glyphs) -> None:
    text = curves(
        {"x": [(float(at), y) for at, y in enumerate(ys)]},
        width=50,
        height=12,
        log_y=log_y,
        smoothing=smoothing,
        glyphs=kind,
        colours=True,
    )
    rows = text.plain.split("\n")
    assert len(rows) <= 12
    assert all(cell_len(row) <= 50 for row in rows)


def test_smoothing_keeps_a_constant_and_calms_noise() -> None:
    constant = [(float(at), 3.0) for at in range(20)]
    assert [y for _, y in smoothed(constant, 0.9)] == pytest.approx([3.0] * 20)
    noise = [(float(at), float(at % 2)) for at in range(100)]
    assert all(abs(y - 0.5) < 0.1 for _, y in smoothed(noise, 0.95)[50:])


def test_thinning_keeps_peaks_and_order() -> None:
    points = [(float(at), 0.0) for at in range(100_000)]
    points[54_321] = (54_321.0, 9.0)
    points[77_777] = (77_777.0, -9.0)
    kept = thinned(points, 100)
    assert len(kept) <= 202
    assert (54_321.0, 9.0) in kept
    assert (77_777.0, -9.0) in kept
    assert kept == sorted(kept)


def test_plotext_is_loaded_on_first_use_only() -> None:
    code = (
        "import sys, tui_sweeps.charts.curves; sys.exit('plotext' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
