"""Words to JSON text and back.

The text is what Python's `json` writes: NaN and the infinities as bare tokens, integers of any
size, lone surrogates escaped; so every value a program can log survives the way to the store and
to a client bit-equal. What leaves towards scripts (`--json`) is strict JSON instead: `strict`
turns non-finite numbers into the strings "NaN", "Infinity" and "-Infinity".
"""

from __future__ import annotations

import json
import math
from typing import Any, TypeVar

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
    try:
        return msgspec.convert(json.loads(text), kind, strict=True, str_keys=True)
    except (ValueError, RecursionError) as error:
        raise WireError(str(error)) from error


def strict(value: Any) -> Any:
    """Return a plain value that strict JSON can carry."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {str(key): strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [strict(item) for item in value]
    return value
