"""Keys that are derived, not stored, from the home's secret: of an attempt, of an agent, of its owner.

Whoever may read the secret (controller, agents and commands of the same user) gets the same key, and the
controller knows it for as long as it knows the attempt or the sweep.
"""

from __future__ import annotations

import hashlib
import hmac

N_DIGITS = 40
"""W&B's clients up to 0.22.2 want exactly so many."""


def run_key(secret: str, run_id: str, token: int) -> str:
    """Return the key with which a program can report to this attempt and do nothing else."""
    return _derived(secret, f"run {run_id} {token}")


def agent_key(secret: str, sweep_id: str) -> str:
    """Return the key with which an agent can work for the project of a sweep, given by its bare id."""
    return _derived(secret, f"agent {sweep_id}")


def owner_key(secret: str) -> str:
    """Return the key that may do everything: of the user's own commands on other hosts."""
    return _derived(secret, "owner")


def _derived(secret: str, words: str) -> str:
    return hmac.new(secret.encode(), words.encode(), hashlib.sha256).hexdigest()[:N_DIGITS]
