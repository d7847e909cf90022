"""Values to columns and back, so that nothing a program can say is lost or refused half way.

Fast coders do the common case; what they cannot carry (NaN, lone surrogates) goes the way of
`domain.wire`, which carries everything.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

from controller.domain import wire

T = TypeVar("T")

_encode_fast = msgspec.json.Encoder().encode
_encode_exact = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_decode_fast = msgspec.json.Decoder().decode


def column(text: str) -> str | bytes:
    """Return the text as a column: a blob where it has lone surrogates, which UTF-8 cannot carry."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def from_column(value: str | bytes) -> str:
    """Return the text that `column` stored."""
    return value if isinstance(value, str) else value.decode("utf-8", "surrogatepass")


def encode_values(values: dict[str, Any]) -> str:
    """Return the JSON text of a history row's values, bit-equal after `decode_values`.

    Raises:
        ValueError: something in it is not JSON, or nests too deep.
    """
    try:
        text = _encode_fast(values)
        if b"null" not in text:  # NaN and the infinities would have become null
            return text.decode()
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError):
        pass
    try:
        return _encode_exact(values)
    except (TypeError, RecursionError) as error:
        raise ValueError(f"cannot be written as JSON: {error}") from error


def decode_values(body: str) -> dict[str, Any]:
    """Return the values that `encode_values` stored."""
    try:
        values: dict[str, Any] = _decode_fast(body)
    except (msgspec.MsgspecError, RecursionError):
        values = json.loads(body)
    return values


class Reader:
    """Decodes one kind of body, fast where possible."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self._fast = msgspec.json.Decoder(kind).decode

    def __call__(self, body: str) -> Any:
        """Return the word.

        Raises:
            WireError: the body is not of this kind.
        """
        try:
            return self._fast(body)
        except (msgspec.MsgspecError, RecursionError):
            return wire.decode(body, self._kind)
