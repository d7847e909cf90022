"""The key of one attempt: with it a program can report to its run and do nothing else.

It is derived, not stored: whoever may read the secret (controller and agents, the same user) gets the same
key, and the controller knows it for as long as it knows the attempt.
"""

from __future__ import annotations

import hashlib
import hmac

N_DIGITS = 40
"""W&B's clients up to 0.22.2 want exactly so many."""


def run_key(secret: str, run_id: str, token: int) -> str:
    """Return 40 hex digits."""
    text = f"run {run_id} {token}".encode()
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()[:N_DIGITS]
