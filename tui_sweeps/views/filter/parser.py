"""From filter text to its tree; a mistake is an error with the place it is at, never silently ignored.

::

    expression := all ("|" all)*          bars with spaces around bind loosest
    all        := one+                    a space means "and"
    one        := ("!" | "-") one | "(" expression ")" | term
    term       := part ("|" part)*        bars without spaces bind tightest
    part       := field op value | /regex/ | "text" | word
    op         := ":" "=" "!=" "<" "<=" ">" ">="

A part without a field after one with a field has the same field: `optimizer=adam|sgd`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping

from tui_sweeps.views.filter.words import ORDERED, And, Compare, Node, Not, Op, Or, Regex, Word

OPERATOR = re.compile(r"!=|<=|>=|[:=<>]")

N_MOST = 2000
"""Longest filter text in characters: nobody types more, and deep nesting stays shallow."""


class FilterError(ValueError):
    """The text is no filter; `start` and `end` are the place of the mistake in it."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.start = start
        self.end = max(end, start + 1)


def parse(text: str, fields: Mapping[str, Collection[str]] | None = None) -> Node:
    """Return the tree of a filter text; an empty one holds for everything.

    Where `fields` is given, a field that is none of these is a mistake, and so is a word that a field with
    words of its own can never hold (an empty collection: it can hold anything).

    Raises:
        FilterError: with the place.
    """
    if len(text) > N_MOST:
        raise FilterError(f"a filter has at most {N_MOST} characters", N_MOST, len(text))
    parser = _Parser(text, fields)
    node = parser.expression(0)
    if parser.at < len(text):
        raise FilterError("this ) closes nothing", parser.at, parser.at + 1)
    return node


class _Parser:
    """Reads from left to right; `at` is the next character."""

    def __init__(self, text: str, fields: Mapping[str, Collection[str]] | None) -> None:
        self.text = text
        self.fields = fields
        self.at = 0

    def expression(self, depth: int) -> Node:
        if depth > 50:
            raise FilterError("too many ( inside each other", self.at, self.at + 1)
        parts = [self._all(depth)]
        while self._peek() == "|":
            bar = self.at
            self.at += 1
            if not parts[-1]:
                raise FilterError("nothing stands before this |", bar, bar + 1)
            part = self._all(depth)
            if not part:
                raise FilterError("nothing stands after this |", bar, bar + 1)
            parts.append(part)
        nodes = [part[0] if len(part) == 1 else And(tuple(part)) for part in parts]
        return nodes[0] if len(nodes) == 1 else Or(tuple(nodes))

    def _all(self, depth: int) -> list[Node]:
        nodes: list[Node] = []
        while self._peek() not in ("", ")", "|"):
            nodes.append(self._one(depth))
        return nodes

    def _one(self, depth: int) -> Node:
        sign = self._peek()
        start = self.at
        if sign in "!-" and self.text[start + 1 : start + 2] not in ("", " "):
            self.at += 1
            if depth > 50:
                raise FilterError("too many ! in a row", start, self.at)
            return Not(self._one(depth + 1))
        if sign == "(":
            self.at += 1
            node = self.expression(depth + 1)
            if self._peek() != ")":
                raise FilterError("this ( is not closed", start, start + 1)
            self.at += 1
            return node
        return self._term()

    def _term(self) -> Node:
        parts: list[Node] = [self._part(None)]
        while self.text[self.at : self.at + 1] == "|" and self.text[self.at + 1 : self.at + 2].strip():
            self.at += 1
            last = parts[-1]
            parts.append(self._part(last if isinstance(last, Compare) else None))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _part(self, like: Compare | None) -> Node:
        start = self.at
        if self.text[start] == "/":
            return self._inherit(Regex(self._regex()), like, start)
        name, quoted = self._run_of("|() \t:=<>!" if like is None else "|() \t:=<>")
        found = OPERATOR.match(self.text, self.at)
        if found is None:
            if self.text[self.at : self.at + 1] == "!":
                raise FilterError("! stands before a word, or as != after a field", self.at, self.at + 1)
            if not name and not quoted:
                raise FilterError("a word is missing here", start, start + 1)
            return self._inherit(Word(name), like, start)
        if not name:
            raise FilterError(f"a field is missing before {found.group()}", found.start(), found.end())
        self._check_field(name, start, self.at)
        self.at = found.end()
        return self._value(name, Op(found.group()), start)

    def _inherit(self, node: Word | Regex, like: Compare | None, start: int = 0) -> Node:
        if like is None:
            return node
        if isinstance(node, Regex):
            return self._possible(Compare(like.field, like.op, "", None, node.pattern), start)
        return self._compare(like.field, like.op, node.text, start)

    def _value(self, field: str, op: Op, start: int) -> Node:
        place = self.at
        if self.text[place : place + 1] == "/" and op not in ORDERED:
            return self._possible(Compare(field, op, "", None, self._regex()), place)
        value, quoted = self._run_of("|() \t")
        if not value and not quoted:
            raise FilterError(f"a value is missing after {field}{op}", start, self.at)
        return self._compare(field, op, value, place)

    def _compare(self, field: str, op: Op, value: str, place: int) -> Compare:
        number = _number(value)
        if op in ORDERED and number is None:
            raise FilterError(f"{op} needs a number, and {value!r} is none", place, self.at)
        return self._possible(Compare(field, op, value, number), place)

    def _possible(self, term: Compare, place: int) -> Compare:
        """Refuse what no subject can ever fulfil: a word that the field does not know."""
        words = self.fields.get(term.field, ()) if self.fields is not None else ()
        if not words or any(_can_be(term, word) for word in words):
            return term
        if term.op in ORDERED:
            raise FilterError(f"{term.field} is a word: {term.op} says nothing about it", place, self.at)
        near = difflib.get_close_matches(term.value.casefold(), list(words), 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(words)}"
        raise FilterError(f"{term.field} is never {self.text[place : self.at]!r}; {hint}", place, self.at)

    def _check_field(self, name: str, start: int, end: int) -> None:
        if self.fields is None or name in self.fields:
            return
        near = difflib.get_close_matches(name, list(self.fields), 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise FilterError(f"there is no field {name!r}{hint}", start, end)

    def _regex(self) -> re.Pattern[str]:
        start = self.at
        end = start + 1
        while end < len(self.text) and self.text[end] != "/":
            end += 2 if self.text[end] == "\\" else 1
        if end >= len(self.text):
            raise FilterError("this / has no second one that ends the expression", start, len(self.text))
        self.at = end + 1
        try:
            return re.compile(self.text[start + 1 : end].replace("\\/", "/"), re.IGNORECASE)
        except (re.error, RecursionError, OverflowError) as error:
            raise FilterError(f"not a regular expression: {error}", start, self.at) from error

    def _run_of(self, stops: str) -> tuple[str, bool]:
        """Return the characters up to one of `stops`, with quoted stretches taken as they are."""
        out: list[str] = []
        quoted = False
        while self.at < len(self.text) and self.text[self.at] not in stops:
            if self.text[self.at] != '"':
                out.append(self.text[self.at])
                self.at += 1
                continue
            end = self.text.find('"', self.at + 1)
            if end < 0:
                raise FilterError('this " is not closed', self.at, len(self.text))
            out.append(self.text[self.at + 1 : end])
            self.at, quoted = end + 1, True
        return "".join(out), quoted

    def _peek(self) -> str:
        while self.text[self.at : self.at + 1] in (" ", "\t"):
            self.at += 1
        return self.text[self.at : self.at + 1]


def _can_be(term: Compare, word: str) -> bool:
    if term.op in ORDERED:
        return False
    if term.pattern is not None:
        found = term.pattern.search(word) if term.op is Op.HAS else term.pattern.fullmatch(word)
        return found is not None
    wanted = term.value.casefold()
    return wanted in word if term.op is Op.HAS else wanted == word


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
