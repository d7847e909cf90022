"""The driver against a terminal model: the screen after delta output equals the one after stock output."""

from __future__ import annotations

import re

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_sweeps.driver.delta import Shown
from tui_sweeps.driver.stream import Stream
from tui_sweeps.driver.styles import StyleTable
from tui_sweeps.format import ColourDepth

WIDTH, HEIGHT = 16, 5


class Terminal:
    """A pyte screen of a given size."""

    def __init__(self, width: int = WIDTH, height: int = HEIGHT) -> None:
        self.screen = pyte.Screen(width, height)
        self.screen.reset_mode(pyte.modes.DECAWM)
        self.stream = pyte.Stream(self.screen)

    def picture(self) -> list[list[tuple[object, ...]]]:
        rows = []
        for y in range(self.screen.lines):
            row = [self.screen.buffer[y][x] for x in range(self.screen.columns)]
            rows.append([seen(cell) for cell in row])
        return rows


def seen(cell: pyte.screens.Char) -> tuple[object, ...]:
    """Return what a person sees of a cell: on a plain blank neither colour nor weight."""
    if cell.data == " " and not cell.underscore and not cell.reverse:
        return (cell.data, cell.bg)
    return (cell.data, cell.fg, cell.bg, cell.bold, cell.italics, cell.underscore, cell.reverse)


class Link:
    """A stream and what the terminal behind it is told, frame by frame."""

    def __init__(self, depth: ColourDepth = ColourDepth.TRUE, *, only_ascii: bool = False) -> None:
        self.stream = Stream(StyleTable(depth), only_ascii=only_ascii)
        self.shown = Shown(self.stream.styles, WIDTH, HEIGHT)
        self.stream.feed("\x1b[?1049h")
        self.stream.passed.clear()

    def frame(self, *, resize: tuple[int, int] | None = None) -> str:
        grid = self.stream.grid
        if resize is not None:
            self.shown.forget(*resize)
        whole = self.stream.forget or resize is not None
        rows = {y: grid.rows[y] for y in (range(len(grid.rows)) if whole else sorted(grid.dirty))}
        grid.dirty.clear()
        self.stream.forget = False
        return self.shown.update(rows, (self.stream.x, self.stream.y))


styles = st.sampled_from(
    ["", "1", "31", "38;5;17", "38;2;1;2;3;48;2;9;9;9", "7", "1;4", "44", "3;92", "0;35", "1;31;48;5;200"]
)
words = st.text(st.sampled_from("ab  xyz─│⣿宽é"), min_size=1, max_size=10)


def painted(op: tuple[int, int, str, str]) -> str:
    x, y, style, text = op
    room, kept = WIDTH - x, ""
    for char in text:  # Textual never writes past the edge
        room -= 2 if char == "宽" else 1
        if room < 0:
            break
        kept += char
    return f"\x1b[{y + 1};{x + 1}H" + (f"\x1b[{style}m{kept}\x1b[0m" if style else kept)


ops = st.tuples(st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1), styles, words).map(painted)
whole_lines = st.tuples(
    st.integers(0, HEIGHT - 1), styles, st.sampled_from(["", "宽宽ab", "x─y", "run-1"])
).map(
    lambda op: (
        f"\x1b[{op[0] + 1};1H\x1b[{op[1]}m{op[2]}{' ' * (WIDTH - len(op[2]) - op[2].count('宽'))}\x1b[0m"
    )
)
frames = st.lists(
    st.lists(st.one_of(whole_lines, ops.filter(lambda o: "宽" not in o)), max_size=6), max_size=8
)


@given(frames)
@settings(max_examples=150)
def test_delta_output_shows_what_stock_output_shows(frames: list[list[str]]) -> None:
    stock, delta, link = Terminal(), Terminal(), Link()
    for frame in frames:
        # Half of a wide character written over is undefined between terminals: lines are cleared first.
        output = "".join(f"\x1b[{int(op[2 : op.index(';')])};1H\x1b[0m{' ' * WIDTH}{op}" for op in frame)
        stock.stream.feed(output)
        link.stream.feed(output)
        delta.stream.feed(link.frame())
        assert delta.picture() == stock.picture()
        assert (delta.screen.cursor.x, delta.screen.cursor.y) == (
            min(link.stream.x, WIDTH - 1),
            link.stream.y,
        )


@given(frames)
@settings(max_examples=60)
def test_skipped_frames_leave_the_newest_picture(frames: list[list[str]]) -> None:
    stock, delta, link = Terminal(), Terminal(), Link()
    for at, frame in enumerate(frames):
        output = "".join(op for op in frame if "宽" not in op)
        stock.stream.feed(output)
        link.stream.feed(output)
        if at % 3 == 0:
            delta.stream.feed(link.frame())
    delta.stream.feed(link.frame())
    assert delta.picture() == stock.picture()


def test_nothing_is_sent_when_nothing_changed() -> None:
    link = Link()
    link.stream.feed("\x1b[1;1H\x1b[31mhello\x1b[0m\x1b[1;1H")
    link.frame()
    link.stream.feed("\x1b[1;1H\x1b[31mhello\x1b[0m\x1b[1;1H")
    assert link.frame() == ""


def test_one_changed_cell_is_sent_alone() -> None:
    link = Link()
    link.stream.feed("\x1b[2;1Hloss 0.512   \x1b[1;1H")
    link.frame()
    link.stream.feed("\x1b[2;1Hloss 0.513   \x1b[1;1H")
    assert link.frame() == "\x1b[2;10H3\x1b[H"


def test_wide_characters_stay_in_their_cells_when_a_neighbour_changes() -> None:
    terminal, link = Terminal(), Link()
    link.stream.feed("\x1b[1;1Ha宽b宽c")
    terminal.stream.feed(link.frame())
    link.stream.feed("\x1b[1;1Ha宽x宽y")
    terminal.stream.feed(link.frame())
    assert "".join(cell[0] for cell in terminal.picture()[0]).rstrip() == "a宽x宽y"


def test_half_a_wide_character_written_over_leaves_a_space() -> None:
    link = Link()
    link.stream.feed("\x1b[1;1H宽宽\x1b[1;2Hx")
    assert link.stream.grid.rows[0].chars == [" ", "x", "宽", ""]


def test_combining_marks_share_a_cell_with_their_letter() -> None:
    link = Link()
    link.stream.feed("\x1b[1;1Hae\u0301b")
    assert link.stream.grid.rows[0].chars == ["a", "e\u0301", "b"]


def test_cursor_is_placed_anew_after_a_character_of_doubtful_width() -> None:
    link = Link()
    link.stream.feed("\x1b[1;1H😀ab")
    assert "😀\x1b[3Ga" in link.frame()


@pytest.mark.parametrize("size", [(8, 3), (30, 10)])
def test_resize_repaints_the_whole_picture_at_the_new_size(size: tuple[int, int]) -> None:
    terminal, link = Terminal(*size), Link()
    link.stream.feed("\x1b[1;1Habcdefg宽hijklmno\x1b[5;1Hlast")
    link.frame()
    terminal.stream.feed("garbage everywhere")
    terminal.stream.feed(link.frame(resize=size))
    text = ["".join(cell[0] for cell in row).rstrip() for row in terminal.picture()]
    assert text[0] == "abcdefg宽hijklmno"[: size[0] - 1].rstrip("宽")
    assert (text[4] == "last") if size[1] > 4 else ("last" not in text)


def test_more_styles_than_a_byte_counts_stay_apart() -> None:
    terminal, stock, link = Terminal(), Terminal(), Link()
    for first in range(0, 1000, 80):
        output = "".join(
            f"\x1b[{n // WIDTH + 1};{n % WIDTH + 1}H"
            f"\x1b[38;2;{(first + n) % 256};{(first + n) // 256};7mx\x1b[0m"
            for n in range(WIDTH * HEIGHT)
        )
        stock.stream.feed(output)
        link.stream.feed(output)
        terminal.stream.feed(link.frame())
        assert terminal.picture() == stock.picture()


def test_modes_queries_and_clipboard_pass_in_order() -> None:
    link = Link()
    sent = ["\x1b[?1000h", "\x1b[?25l", "\x1b[>1u", "\x1b[?2026$p", "\x1b]52;c;YQ==\x07", "\x07", "\x1b[2 q"]
    link.stream.feed("x".join(sent))
    assert link.stream.passed == sent


def test_frame_marks_and_hyperlinks_do_not_pass() -> None:
    link = Link()
    link.stream.feed("\x1b[?2026h\x1b]8;id=1;http://evil\x1b\\text\x1b]8;;\x1b\\\x1b[?2026l")
    assert link.stream.passed == []
    assert link.stream.synchronized
    assert "".join(link.stream.grid.rows[0].chars) == "text"


@given(st.text(st.sampled_from("\x1b[]?;0123mHhJ2K\\\x07\x08\r\nab宽P_"), max_size=40))
def test_stream_takes_any_input_in_any_pieces(text: str) -> None:
    whole, pieces = Link(), Link()
    whole.stream.feed(text)
    for character in text:
        pieces.stream.feed(character)
    pictures = [
        [("".join(row.chars).rstrip()) for row in link.stream.grid.rows if "".join(row.chars).strip()]
        for link in (whole, pieces)
    ]
    assert whole.stream.passed == pieces.stream.passed
    assert pictures[0] == pictures[1]


def test_leaving_the_alternate_screen_forgets_the_picture() -> None:
    link = Link()
    link.stream.feed("\x1b[1;1Hsecret\x1b[?1049l")
    assert not link.stream.alternate
    assert link.stream.forget
    assert link.stream.passed == ["\x1b[?1049l"]


COLOURED = "\x1b[1;1H\x1b[1;38;2;200;30;30;48;5;17ma\x1b[0m\x1b[91mb\x1b[0m\x1b[7mc\x1b[0m"


def test_no_colour_code_is_sent_when_there_are_no_colours() -> None:
    link = Link(ColourDepth.NONE)
    link.stream.feed(COLOURED)
    codes = {code for group in re.findall(r"\x1b\[([\d;]*)m", link.frame()) for code in group.split(";")}
    assert codes <= {"", "0", "1", "7"}
    assert {"1", "7"} <= codes


def test_sixteen_colours_are_all_a_small_terminal_gets() -> None:
    link = Link(ColourDepth.STANDARD)
    link.stream.feed(COLOURED)
    codes = {code for group in re.findall(r"\x1b\[([\d;]*)m", link.frame()) for code in group.split(";")}
    assert not codes & {"38", "48"}
    assert "91" in codes


def test_text_is_not_hidden_when_two_colours_fall_on_one() -> None:
    styles = StyleTable(ColourDepth.STANDARD)
    number = styles.after(0, "38;2;1;1;1;48;2;2;2;2")
    assert styles.sequence(0, number) in ("\x1b[30m", "\x1b[90m")


def test_ascii_terminal_gets_ascii_only() -> None:
    link = Link(only_ascii=True)
    link.stream.feed("\x1b[1;1H┌─宽─┐⣿é…\x1b]2;tïtle\x07")
    assert "".join(link.stream.passed).isascii()
    frame = link.frame()
    assert frame.isascii()
    assert "+-??-+#e." in frame
