"""A big answer's JSON text in pieces, so that the loop turns while it is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from controller.client.parts import slices
from controller.domain.queries import Answer
from controller.domain.wire import encode

N_PER_PIECE = 512
"""History rows or console lines: about a millisecond of writing."""

N_CURVES_PER_PIECE = 16


def is_big(answer: Answer) -> bool:
    """Say whether an answer is better written in pieces."""
    return any(
        isinstance(value := getattr(answer, name), tuple | dict) and len(value) > _n_per_piece(value)
        for name in answer.__struct_fields__
    )


def answer_pieces(answer: Answer) -> Iterator[str]:
    """Yield the JSON text of an answer in pieces; together they equal `encode(answer)`."""
    config = answer.__struct_config__
    yield f"{{{encode(config.tag_field)}:{encode(config.tag)}"
    for field in msgspec.structs.fields(answer):
        value = getattr(answer, field.name)
        yield f",{encode(field.encode_name)}:"
        yield from _value_pieces(value)
    yield "}"


def _value_pieces(value: Any) -> Iterable[str]:
    if not isinstance(value, tuple | dict) or len(value) <= _n_per_piece(value):
        yield encode(value)
        return
    left, right = "[]" if isinstance(value, tuple) else "{}"
    for number, part in enumerate(slices(value, _n_per_piece(value))):
        yield (left if number == 0 else ",") + encode(part)[1:-1]
    yield right


def _n_per_piece(value: tuple[Any, ...] | dict[Any, Any]) -> int:
    return N_PER_PIECE if isinstance(value, tuple) else N_CURVES_PER_PIECE
