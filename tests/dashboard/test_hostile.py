from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from tests.dashboard.hostile_terminal import HostileTerminal
from tests.dashboard.judge import Judge

SGR = re.compile(r"\x1b\[([0-9;]*)m")
PAGE, HOME = b"\x1b[6~", b"\x1b[H"
DRAWING = b"Drawing "
END_S = 5.0
"""Nothing new for so long, on a busy machine, too: the last page was there already."""


VIEWS = (b"2", b"3", b"4", b"5", b"6", b"7")
DIALOGS = (b"?", b":", b"C", b"S", b"\x10", b"a", b"p", b"X", b"R", b"T")


def open_view(terminal: HostileTerminal, view: bytes) -> None:
    """Wait until a view is there; a plot of many runs says that it is being drawn."""
    terminal.send(view)
    terminal.settle(0.1, END_S)
    while DRAWING in terminal.heard:
        terminal.settle(0.1, END_S)


def page_on(terminal: HostileTerminal, most: int) -> int:
    """Turn pages until nothing new comes, so many at the most; return how many came."""
    for n in range(most):
        terminal.send(PAGE)
        if not terminal.settle(0.03, END_S):
            return n
    return most


def walk(terminal: HostileTerminal, n_pages: int, n_log_pages: int = 2) -> tuple[int, int]:
    """Look at every view and dialog, at so many pages of runs and of one run's log; return the pages seen."""
    terminal.settle(0.3, 20.0)
    n_modes = terminal.judge.n_modes
    assert n_modes
    for view in VIEWS:
        open_view(terminal, view)
        terminal.press(b"j", b"j", PAGE)
        terminal.settle(0.1, 0.3)
    open_view(terminal, b"1")
    for dialog in DIALOGS:
        terminal.send(dialog)
        assert terminal.settle(0.1, END_S), dialog
        terminal.press(PAGE)
        terminal.send(b"\x03")  # an escape and the next key would be a third one
        assert terminal.settle(0.1, END_S), dialog
    terminal.press(HOME)
    n_pages = page_on(terminal, n_pages)
    terminal.press(b"\x1b[C", b"\x1b[C", b"\x1b[C", b"\r")  # sideways, then into a run
    terminal.settle(0.3)
    terminal.press(b"l", HOME)
    n_log_pages = page_on(terminal, n_log_pages)
    terminal.press(b"l", b"\x1b")
    terminal.settle(0.1)
    terminal.press(b"\x1b", PAGE)
    terminal.settle(0.3)
    assert terminal.judge.n_modes == n_modes
    return n_pages, n_log_pages


def test_judge_finds_what_is_not_allowed_even_in_pieces() -> None:
    judge = Judge()
    for piece in (b"plain \x1b[1;3", b"1mred\x1b[m\x1b[4;7H", b"x\x1b]52;c;", b"AA==\x07", b"\x1b[6n"):
        judge.take(piece)
    judge.take(b"", last=True)
    assert len(judge.offences) >= 2
    clean = Judge()
    clean.take("Sweeps \u203a \x1b[1mx\x1b[m\r\n\x1b[?2026l".encode(), last=True)
    assert clean.offences == []


def test_ten_thousand_hostile_names_values_and_lines_come_out_as_plain_text_and_do_nothing(
    tmp_path: Path,
) -> None:
    report = tmp_path / "report"
    terminal = HostileTerminal(1000, report, n_lines=4000)
    walk(terminal, 30, 112)  # a page has 34 runs with six such strings each, or 36 such lines
    assert terminal.end() == 0
    assert terminal.judge.offences == []
    assert terminal.judge.n_chars > 100_000
    assert report.read_text("utf-8") == "detach 0"


@pytest.mark.torture
def test_ten_thousand_hostile_runs_and_as_many_log_lines_are_paged_through(tmp_path: Path) -> None:
    report = tmp_path / "report"
    terminal = HostileTerminal(10_000, report, n_lines=10_000)
    n_pages, n_log_pages = walk(terminal, 400, 400)
    assert 10_000 / 40 < n_pages < 400, "to the last of them"
    assert 10_000 / 40 < n_log_pages < 400, "to the last of them"
    assert terminal.end() == 0
    assert terminal.judge.offences == []
    assert report.read_text("utf-8") == "detach 0"


def test_ascii_terminal_gets_no_byte_above_127(tmp_path: Path) -> None:
    report = tmp_path / "report"
    terminal = HostileTerminal(60, report, {"LANG": "C", "LC_ALL": "C", "NO_COLOR": "1"})
    texts: list[str] = []
    take = terminal.judge.take

    def also_keep(data: bytes, *, last: bool = False) -> None:
        texts.append(data.decode("latin-1"))
        take(data, last=last)

    terminal.judge.take = also_keep  # type: ignore[method-assign]
    walk(terminal, 2)
    assert terminal.end() == 0
    sent = "".join(texts)
    assert sent.isascii()
    parameters = {int(one) for found in SGR.findall(sent) for one in found.split(";") if one}
    assert not {one for one in parameters if 30 <= one <= 49 or 90 <= one <= 107}


def test_judge_finds_the_same_wherever_the_output_is_cut() -> None:
    sent = "ä\r\n \x1b[38;5;246mNo runs\x1b[K\n\x1b[5n".encode()
    for cut in range(len(sent) + 1):
        judge = Judge()
        judge.take(sent[:cut])
        judge.take(sent[cut:], last=True)
        assert len(judge.offences) == 2, cut  # the newline alone, and the question for a report
        assert judge.n_chars == len(sent.decode())


def test_random_sizes_are_survived(tmp_path: Path) -> None:
    report = tmp_path / "report"
    terminal = HostileTerminal(100, report)
    terminal.settle(0.3, 20.0)
    dice = random.Random(11)
    for n in range(40):
        width, height = dice.choice([(1, 1), (20, 5), (500, 200), (2, 100), (300, 2), (80, 24), (31, 9)])
        terminal.resize(width, height)
        terminal.press(dice.choice([*VIEWS, PAGE, b"\x1b[B", b"1", b"?", b"\r", b"\x1b"]))
        if n % 8 == 7:
            terminal.press(b"\x1b")
    terminal.resize(80, 24)
    for _ in range(6):
        terminal.settle(0.3)  # two escapes at once would be read as one key with alt
        terminal.press(b"\x1b")
    terminal.settle(0.3)
    assert terminal.end() == 0
    assert terminal.judge.offences == []
