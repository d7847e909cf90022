import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

import tui_sweeps
from tui_sweeps.format import ascii_only, fit, sanitise, sanitise_log

HOSTILE = [
    ("clear screen", "a\x1b[2Jb", "a␛b"),
    ("colour", "\x1b[31mred\x1b[0m", "␛red␛"),
    ("title", "\x1b]0;owned\x07run", "␛run"),
    ("title ended by ST", "\x1b]0;owned\x1b\\run", "␛run"),
    ("clipboard", "x\x1b]52;c;ZXZpbA==\x07y", "x␛y"),
    ("unterminated OSC", "a\x1b]0;never ends", "a␛"),
    ("unterminated CSI", "a\x1b[31", "a␛"),
    ("lone ESC", "a\x1b", "a␛"),
    ("device control", "\x1bP$qm\x1b\\z", "␛z"),
    ("application command", "\x1b_x\x1b\\z", "␛z"),
    ("C1 CSI", "a\x9b2Jb", "a␛b"),
    ("C1 OSC", "a\x9d0;t\x9cb", "a␛b"),
    ("other C1", "a\x85b", "a\ufffdb"),
    ("raw C1 byte kept as a surrogate", b"a\x9b2J".decode("utf-8", "surrogateescape"), "a\ufffd2J"),
    ("lone surrogate", "a\ud800b", "a\ufffdb"),
    ("bell and NUL", "a\x07\x00b", "a␇␀b"),
    ("newline, return, tab", "a\n\r\tb", "a␊␍␉b"),
    ("delete", "a\x7fb", "a␡b"),
    ("right-to-left override", "exe\u202ecod", "exe\ufffdcod"),
    ("isolates", "\u2066x\u2069", "\ufffdx\ufffd"),
    ("zero width space", "lr\u200b", "lr\ufffd"),
    ("joiner", "a\u200db", "a\ufffdb"),
    ("soft hyphen", "a\u00adb", "a\ufffdb"),
    ("byte order mark", "\ufeffa", "\ufffda"),
    ("line separator", "a\u2028b", "a\ufffdb"),
    ("tag characters", "a\U000e0041", "a\ufffd"),
    ("hangul filler", "a\u3164b", "a\ufffdb"),
    ("variation selector", "a\ufe0fb", "ab"),
    ("four marks", "e" + "\u0301" * 4, "e" + "\u0301" * 4),
    ("forty marks", "e" + "\u0301" * 40 + "x", "e" + "\u0301" * 4 + "\ufffdx"),
    ("mark without a base", "\u0301a", "\ufffda"),
    ("markup is text", "[@click=app.quit]x[/]", "[@click=app.quit]x[/]"),
    ("unbalanced markup", "[/bold]", "[/bold]"),
    ("plain words", "Grüße 宽 λ=1e-3", "Grüße 宽 λ=1e-3"),
]


@pytest.mark.parametrize(("text", "shown"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
def test_sanitise_shows_what_it_took_out(text: str, shown: str) -> None:
    assert sanitise(text) == shown


def is_harmless(text: str, allowed: str = "") -> bool:
    bad = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return all(c in allowed or unicodedata.category(c) not in bad for c in text)


hostile_text = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\x1b\x9b\x9d[]();m?\x07\\\u202e\u200d\u0301\ufe0f宽😀\ud800\n\t"),
    ),
    max_size=60,
)


@given(hostile_text)
def test_sanitise_leaves_no_control_format_or_bidi_character(text: str) -> None:
    assert is_harmless(sanitise(text))


@given(hostile_text, st.integers(-1, 30))
def test_sanitise_never_exceeds_its_width(text: str, width: int) -> None:
    assert cell_len(sanitise(text, width=width)) <= max(0, width)


@given(hostile_text)
def test_sanitise_twice_is_sanitise_once(text: str) -> None:
    once = sanitise(text)
    assert sanitise(once) == once


@given(hostile_text)
def test_sanitise_stacks_at_most_four_marks(text: str) -> None:
    run = 0
    for character in sanitise(text):
        run = run + 1 if cell_len(character) == 0 else 0
        assert run <= 4


@given(hostile_text)
def test_sanitise_keeps_only_the_controls_it_is_told_to(text: str) -> None:
    assert is_harmless(sanitise(text, allow="\n\x1b"), allowed="\n")


def test_sanitise_bounds_the_work_for_a_string_without_end() -> None:
    assert len(sanitise("\u202e" * 1_000_000)) == 100_001


@given(hostile_text)
def test_ascii_only_keeps_width_and_uses_ascii(text: str) -> None:
    clean = sanitise(text)
    plain = ascii_only(clean)
    assert plain.isascii()
    assert cell_len(plain) == cell_len(clean)


def test_ascii_only_draws_boxes_bars_and_letters() -> None:
    assert ascii_only("┌─┐│█░⣿é宽…") == "+-+|#.#e??."


def test_fit_tells_that_something_was_cut() -> None:
    assert fit("learning_rate", 8) == "learnin…"
    assert fit("宽宽宽", 4) == "宽…"
    assert fit("whole", 5) == "whole"


@given(hostile_text)
def test_log_line_leaves_no_control_character(text: str) -> None:
    assert is_harmless(sanitise_log(text).plain)


def test_log_line_keeps_colours_of_the_list() -> None:
    line = sanitise_log("\x1b[1;31merror\x1b[0m \x1b[38;5;33mx\x1b[48;2;1;2;3my\x1b[5mz")
    assert line.plain == "error xyz"
    assert [(line.plain[s.start : s.end], s.style) for s in line.spans] == [
        ("error", "bold red"),
        ("x", "color(33)"),
        ("yz", "color(33) on #010203"),
    ]


def test_log_line_follows_carriage_returns() -> None:
    assert sanitise_log(" 10%|#   |\r 55%|##  |\r100%").plain == "100%|##  |"


def test_log_line_never_reads_markup() -> None:
    line = sanitise_log("[bold]x[/bold] [@click=app.quit]y[/]\n")
    assert line.plain == "[bold]x[/bold] [@click=app.quit]y[/]"
    assert not line.spans


def test_log_line_survives_absurd_parameters() -> None:
    assert sanitise_log("\x1b[38;5;999mx\x1b[" + "1;" * 500 + "my\x1b[38;2mz").plain == "xyz"


def test_every_symbol_drawn_by_the_dashboard_has_an_ascii_form() -> None:
    room = Path(tui_sweeps.__file__).parent
    texts = [path.read_text() for path in room.rglob("*.py") if path.parent.name != "format"]
    symbols = {character for text in texts for character in text if not character.isascii()}
    assert sorted(symbol for symbol in symbols if "?" in ascii_only(symbol)) == []
