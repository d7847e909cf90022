import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from controller.domain.states import AttemptState, RunState, SweepState
from tui_sweeps.charts.glyphs import Glyphs
from tui_sweeps.widgets.badges import BADGES, badge
from tui_sweeps.widgets.progress import progress, sparkline

glyph_sets = st.sampled_from(Glyphs)
counts = st.integers(0, 10_000)


def test_progress_tells_finished_running_failed_and_rest_apart() -> None:
    assert progress(30, 100, 40, running=4, failed=3).plain == "███████▓▚░░░░░░░░░░░░░░░░░░░ 30/100  30%"
    assert progress(30, 100, 24, running=4, failed=3, glyphs=Glyphs.ASCII).plain == "###>x....... 30/100  30%"


def test_progress_without_room_never_cuts_a_count() -> None:
    assert progress(30, 100, 6).plain == "30/100"
    assert progress(30, 100, 5).plain == "30%"


def test_progress_of_an_endless_sweep_says_so() -> None:
    assert progress(30, None, 40, running=4).plain == "30 done · 4 running · unbounded"


@given(counts, st.one_of(st.none(), counts), st.integers(0, 60), counts, counts, glyph_sets)
def test_progress_fits_whatever_the_counts(
    done: int, expected: int | None, width: int, running: int, failed: int, glyphs: Glyphs
) -> None:
    bar = progress(done, expected, width, running=running, failed=failed, glyphs=glyphs)
    assert cell_len(bar.plain) <= width
    assert not glyphs.is_ascii or bar.plain.isascii() or bar.plain.endswith("…")


@given(st.integers(1, 500), st.integers(0, 500))
def test_progress_is_full_only_at_the_end(expected: int, done: int) -> None:
    bar = progress(min(done, expected), expected, 40).plain
    assert ("░" not in bar) == (done >= expected)


def test_progress_sends_no_colour_without_colours() -> None:
    assert {str(span.style) for span in progress(3, 10, 30, running=2, failed=1, colours=False).spans} <= {
        "dim"
    }


@given(st.lists(st.one_of(st.none(), st.floats()), max_size=50), st.integers(0, 20), glyph_sets)
def test_sparkline_fits_whatever_the_values(values: list[float | None], width: int, glyphs: Glyphs) -> None:
    line = sparkline(values, width, glyphs=glyphs)
    assert cell_len(line) <= width
    assert not glyphs.is_ascii or line.isascii()


def test_sparkline_rises_with_the_values_and_shows_gaps() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8, glyphs=Glyphs.BLOCK) == "▁▂▃▄▅▆▇█"
    assert sparkline([1, None, math.nan, 2], 4, glyphs=Glyphs.BLOCK) == "▁  █"
    assert sparkline([0, 0, 3, 3], 4) == "⣀⣿"
    assert sparkline([5, 5], 4, glyphs=Glyphs.ASCII) == "__"


@pytest.mark.parametrize("state", [*SweepState, *RunState, *AttemptState])
def test_every_state_has_a_symbol_a_word_and_an_ascii_form(state: str) -> None:
    assert state in BADGES
    assert badge(state).plain.endswith(f" {state}")
    assert cell_len(badge(state).plain) == len(state) + 2
    assert badge(state, glyphs=Glyphs.ASCII).plain.isascii()
    assert badge(state, colours=False).style == ""


def test_run_states_are_told_apart_without_colour() -> None:
    symbols = [BADGES[state].symbol for state in RunState]
    assert len(set(symbols)) == len(symbols)


def test_unknown_state_is_shown_as_text() -> None:
    assert badge("we\x1b[2Jird").plain == "? we␛ird"
