"""What the terminal sends for keys, in one read or in several."""

from __future__ import annotations

import os

import pytest
from textual import events

from tui_sweeps.driver.keys import KeyParser, read_keys


def keys(*reads: str) -> list[str]:
    parser = KeyParser()
    found = [one for text in reads for one in parser.feed(text)]
    return [one.key for one in found if isinstance(one, events.Key)]


@pytest.mark.parametrize("letter", [*"anyqx1290-=/?:*<>", "ä"])
def test_escape_and_a_key_right_after_it_are_two_keys(letter: str) -> None:
    (key,) = keys(letter)
    assert keys(f"\x1b{letter}") == ["escape", key]
    assert keys("\x1b", letter) == ["escape", key]


def test_escape_is_not_lost_before_return_tab_space_or_an_arrow() -> None:
    assert keys("\x1b\r") == ["escape", "enter"]
    assert keys("\x1b\t\x1b ") == ["escape", "tab", "escape", "space"]
    assert keys("\x1b\x1b[A\x1bj\x1bk") == ["escape", "up", "escape", "j", "escape", "k"]
    assert keys("p\x1bx") == ["p", "escape", "x"]


def test_sequences_and_moves_by_words_stay_what_they_are() -> None:
    assert keys("\x1b[B\x1bOA\x1b[5~") == ["down", "up", "pageup"]
    assert keys("\x1bb\x1bf\x1b\x7f") == ["ctrl+left", "ctrl+right", "ctrl+w"]


def test_terminal_is_read_to_its_end_and_text_in_pieces_is_put_together() -> None:
    reading, writing = os.pipe()
    os.write(writing, "q\x1bjü".encode()[:-1])
    taken: list[str] = []
    n_asked = 0

    def ended() -> bool:
        nonlocal n_asked
        n_asked += 1
        if n_asked == 2:
            os.write(writing, "ü".encode()[-1:])
        return n_asked == 2

    try:
        read_keys(reading, ended, lambda message: taken.append(getattr(message, "key", "")))
    finally:
        os.close(reading)
        os.close(writing)
    assert taken == ["q", "escape", "j", "ü"]
