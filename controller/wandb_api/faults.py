"""What is refused, as an HTTP status with a sentence.

The status decides what the client does: it tries again for hours after 5xx and 429, and gives up for good
after most others, so 4xx means "this will never work" and 503 "come back".
"""

from __future__ import annotations


class FaultError(Exception):
    """A request is not served."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def busy(message: str) -> FaultError:
    """Return the fault for something that will pass: the client tries again."""
    return FaultError(503, message)
