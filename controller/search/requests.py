"""What the engine asks of search and what it gets: plain data that travels to the process pool."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from controller.domain.states import RunState
from controller.domain.sweeps import Suggestion, SweepConfig


class Observation(Struct, frozen=True, kw_only=True):
    """What one earlier run says about its config."""

    config: dict[str, Any]
    """Nested, as it was assigned."""
    value: float | None
    """Best value the run ever logged, in the user's own direction; None when it logged none."""
    state: RunState
    values: tuple[float, ...] = ()
    """Further measurements of the same config, for instance of earlier attempts."""
    early_stopped: bool = False
    """Early termination ended it; its value is what it logged, never "worst"."""


class Request(Struct, frozen=True, kw_only=True):
    """A wish for suggestions, with all that they may depend on."""

    config: SweepConfig
    n: int
    """How many suggestions are wanted."""
    first_number: int
    """Number of the first new suggestion: the sweep's cursor."""
    observations: tuple[Observation, ...] = ()
    pending: tuple[dict[str, Any], ...] = ()
    """Configs that were suggested and have not ended: open, queued and shelved ones."""
    seed: int = 0


class Proposal(Struct, frozen=True, kw_only=True):
    """The answer to a request."""

    suggestions: tuple[Suggestion, ...]
    exhausted: bool
    """Nothing is left to propose after these."""
