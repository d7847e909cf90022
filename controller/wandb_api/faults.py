"""What is refused, as an HTTP status with a sentence.

The status decides what the client does: it tries again for hours after 5xx and 429, and gives up for good
after most others, so 4xx means "this will never work" and 503 "come back".
"""

from __future__ import annotations

from collections.abc import Callable


class FaultError(Exception):
    """A request is not served."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def busy(message: str) -> FaultError:
    """Return the fault for something that will pass: the client tries again."""
    return FaultError(503, message)


class Complaints:
    """Writes refusals to the log, so many a minute: strangers must not fill the disk with them."""

    def __init__(self, write: Callable[[str], None], n_a_minute: int = 30) -> None:
        self._write = write
        self._n_a_minute = n_a_minute
        self._since_s = float("-inf")
        self._n = 0

    def tell(self, text: str, now_s: float) -> None:
        """Write a line, or count it."""
        if now_s - self._since_s >= 60.0:
            if self._n > self._n_a_minute:
                self._write(f"{self._n - self._n_a_minute} more refusals were not written down")
            self._since_s, self._n = now_s, 0
        self._n += 1
        if self._n <= self._n_a_minute:
            self._write(text)
