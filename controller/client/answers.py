"""What the answers of the controller's wire mean, whatever carried them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from controller.client.door import ClientError, DeniedError, ProtocolError, UnreachableError
from controller.client.refusals import told

__all__ = ["fault_of", "whole_lines"]


async def whole_lines(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield the lines that are not empty, however long they are and however they were cut.

    Raises:
        ProtocolError: the last one has no end.
    """
    parts: list[bytes] = []
    async for piece in pieces:
        *ends, rest = piece.split(b"\n")
        for end in ends:
            line = b"".join((*parts, end))
            parts.clear()
            if line:
                yield line
        if rest:
            parts.append(rest)
    if parts:
        raise ProtocolError("A line of the controller's answer is cut off.", "try again")


def fault_of(status: int, body: bytes) -> ClientError:
    """Return what a status other than 200 means."""
    message, hint = told(body, f"The controller answered with status {status}.")
    if status == 503:
        return UnreachableError(message, hint or "try again in a moment")
    if status in (401, 403):
        return DeniedError(message, hint)
    return ProtocolError(message, hint or "are both sides of the same version?")
