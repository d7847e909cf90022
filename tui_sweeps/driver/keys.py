"""Takes apart what the terminal sends for the keyboard: an escape with a key right after it is two keys.

A terminal sends the same bytes for escape and then `x` as for alt and `x`. Textual takes what comes within a
tenth of a second for alt, and drops the alt where it knows no such key: escape and return become return,
which answers yes to a question that was to be left. The dashboard has no key with alt, so here it is two
keys, but for the few that move by words in a line of text.
"""

from __future__ import annotations

import codecs
import os
import select
from collections.abc import Callable, Iterable

from textual import events
from textual._xterm_parser import XTermParser
from textual.message import Message

__all__ = ["KeyParser", "read_keys"]

LOOK_S = 0.1
"""A lone escape is told from the start of a sequence, and the end of reading noticed, so often."""

ESCAPE = "\x1b"

INTRODUCERS = frozenset("[]OPNX^_")
"""What follows the escape of a sequence."""

BY_WORDS = frozenset("bf\x7f")
"""Alt with these, or with an arrow on some keyboards, moves or deletes by words."""


class KeyParser(XTermParser):
    """Textual's parser, for a keyboard without alt; feed it text, and `tick` now and then."""

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        is_pair = len(sequence) == 2 and sequence[0] == ESCAPE and sequence[1] not in INTRODUCERS | BY_WORDS
        if is_pair or alt:
            yield events.Key("escape", ESCAPE)
            sequence = sequence[-1]
        yield from super()._sequence_to_key_events(sequence)


def read_keys(fileno: int, ended: Callable[[], bool], take: Callable[[Message], None]) -> None:
    """Read a terminal and hand on what comes until it `ended`, and once more: nobody else is to get that."""
    parser = KeyParser()
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    is_last = False
    while not is_last:
        is_last = ended()
        ready, _, _ = select.select([fileno], [], [], LOOK_S)
        if ready and (text := decode(os.read(fileno, 4096))):
            for message in parser.feed(text):
                take(message)
        for message in parser.tick():
            take(message)
