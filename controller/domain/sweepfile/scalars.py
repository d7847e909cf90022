"""Single values: numbers, integers and texts, with the fix for what YAML 1.1 read differently than meant."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable

from controller.domain.problems import ProblemList
from controller.domain.sweepfile.items import INT_MAX, INT_MIN, Item

_EXPONENT = re.compile(r"([-+]?)(\d[\d_]*\.?\d*|\.\d+)[eE]([-+]?)(\d+)")
"""What people write for a number; YAML 1.1 wants a dot before the `e` and a sign after it."""
_BOOLEAN_WORDS = frozenset({"yes", "no", "on", "off"})
_OLD_INTEGER = re.compile(r"[-+]?(0[0-7_]+|[1-9][0-9_]*(:[0-5]?[0-9])+)")
"""Octal and base-60 integers of YAML 1.1."""


def number_meant(text: str) -> str | None:
    """Return the spelling YAML 1.1 reads as the number `text` means, or None when it means none."""
    if not (match := _EXPONENT.fullmatch(text.strip())):
        return None
    sign, mantissa, exponent_sign, exponent = match.groups()
    if "." not in mantissa:
        mantissa += ".0"
    elif mantissa.endswith("."):
        mantissa += "0"
    elif mantissa.startswith("."):
        mantissa = "0" + mantissa
    return f"{sign}{mantissa}e{exponent_sign or '+'}{exponent}"


def is_number(value: object) -> bool:
    """Say whether a value is a number in W&B's sense: a boolean is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def number(item: Item, what: str, problems: ProblemList, *, key: str) -> float | int | None:
    """Return the item's number, or None after noting that it has none."""
    if is_number(item.value):
        return item.value  # type: ignore[no-any-return]
    if isinstance(item.value, str):
        problems.error(
            item, f"{what} must be a number, but YAML reads {item.value[:40]!r} as text", fix(item), key=key
        )
    else:
        problems.error(item, f"{what} must be a number, not {item.kind}", key=key)
    return None


def fix(item: Item) -> str:
    """Return what to write instead of a text that was meant as a number."""
    text = str(item.value).strip()
    if meant := number_meant(text):
        return f"write {meant}"
    try:
        value = float(text)
    except ValueError:
        return "write a number"
    return f"write {text} without quotes" if math.isfinite(value) else "write a finite number"


def integer(item: Item, what: str, problems: ProblemList, *, key: str) -> int | None:
    """Return the item's integer, or None after noting that it has none; 10.0 counts as 10."""
    value = number(item, what, problems, key=key)
    if value is None:
        return None
    if value != int(value) or not INT_MIN <= value <= INT_MAX:
        problems.error(item, f"{what} must be a whole number, not {value}", key=key)
        return None
    return int(value)


def text(item: Item, what: str, problems: ProblemList, *, key: str) -> str | None:
    """Return the item's text; other scalars become text with a warning, groups and lists are ignored."""
    if item.value is None or isinstance(item.value, str):
        return item.value
    if item.entries is not None or item.items is not None:
        problems.warning(item, f"{what} must be text, not {item.kind}; it is ignored", key=key)
        return None
    as_text = item.text if item.text is not None else str(item.value)
    problems.warning(
        item, f"{what} is {item.kind}; it is read as text", f'write "{as_text}" in quotes', key=key
    )
    return as_text


def note_surprises(item: Item, what: str, problems: ProblemList, *, key: str) -> None:
    """Warn where YAML 1.1 read unquoted scalars of a value differently than most people mean."""
    scalars = item.items if item.items is not None else (item,)
    texts = [
        each for each in scalars if each.text and isinstance(each.value, str) and number_meant(each.text)
    ]
    if texts:
        listed = ", ".join(str(each.text) for each in texts)
        problems.warning(
            texts[0],
            f"{what}: YAML reads {listed} as text, and so the program gets it as text",
            f"write {', '.join(str(number_meant(str(each.text))) for each in texts)} for numbers",
            key=key,
        )
    for each in scalars:
        word = each.text or ""
        if isinstance(each.value, bool) and word.lower() in _BOOLEAN_WORDS:
            problems.warning(
                each, f"{what}: YAML reads {word} as {each.value}", f'write "{word}" for text', key=key
            )
        elif isinstance(each.value, int) and _OLD_INTEGER.fullmatch(word) and str(each.value) != word:
            problems.warning(
                each,
                f"{what}: YAML reads {word} as the number {each.value}",
                f'write "{word}" for text',
                key=key,
            )


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word most like `word`, or None when none is near."""
    table = {each.lower(): each for each in known}
    near = difflib.get_close_matches(word.lower()[:100], list(table), n=1, cutoff=0.6)
    return table[near[0]] if near else None
