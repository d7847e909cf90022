"""Words to JSON text and back.

The text is what Python's `json` writes: NaN and the infinities as bare tokens, integers of any
size, lone surrogates escaped; so every value a program can log survives the way to the store and
to a client bit-equal. What leaves towards scripts (`--json`) is strict JSON instead: `strict`
turns non-finite numbers into the strings "NaN", "Infinity" and "-Infinity".
"""

from __future__ import annotations

import json
import math
from collections.abc import Hashable
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar, cast

import msgspec

T = TypeVar("T")


class WireError(ValueError):
    """The text is not what was expected: bad JSON, or not of the asked type."""


def encode(value: Any) -> str:
    """Return the ASCII JSON text of a word or plain value.

    Raises:
        WireError: something in it is not JSON at all.
    """
    try:
        return json.dumps(msgspec.to_builtins(value, str_keys=True), separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise WireError(f"cannot be written as JSON: {error}") from error


def decode(text: str | bytes, kind: type[T]) -> T:
    """Return the word of type `kind` (also a union) that the text holds.

    Raises:
        WireError: with the place and what was expected there.
    """
    with suppress(ValueError, RecursionError):
        # Strict JSON, as nearly all of it is, in a quarter of the time. What msgspec refuses is read below,
        # where it is also told what was expected where.
        return cast(T, _decoder(cast(Hashable, kind)).decode(text))
    try:
        boxed = msgspec.convert((json.loads(text),), _box(cast(Hashable, kind)), strict=True, str_keys=True)
    except (ValueError, RecursionError) as error:
        # The place is told from the box on, which nobody has sent.
        raise WireError(str(error).replace("`$[0]", "`$")) from error
    return cast(T, boxed.value)


@cache
def _decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(cast("Any", kind))


@cache
def _box(kind: Hashable) -> Any:
    """Return a one-place struct around a type: msgspec keeps what it learns of a union in a struct only."""
    return msgspec.defstruct("Box", [("value", kind)], array_like=True, frozen=True)


def strict(value: Any) -> Any:
    """Return a plain value that strict JSON can carry."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {str(key): strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [strict(item) for item in value]
    return value
