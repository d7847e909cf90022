"""What the other side answered instead of an answer, as the door's errors; the same whatever the way."""

from __future__ import annotations

from typing import Any

from controller.client.door import ProtocolError
from controller.domain.wire import WireError, decode


def told(body: bytes, otherwise: str) -> tuple[str, str]:
    """Return a refusal's sentence and hint; `otherwise` stands for a body that says nothing."""
    try:
        words = decode(body, dict[str, Any])
    except WireError:
        words = {}
    return str(words.get("error") or otherwise), str(words.get("hint") or "")


def not_understood(error: Exception) -> ProtocolError:
    """Return the error for an answer that is not one of ours."""
    return ProtocolError(f"What was said is not understood: {error}", "are both sides of the same version?")
