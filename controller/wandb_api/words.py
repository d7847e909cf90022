"""W&B's words for our states, and its shapes for our values."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

from controller.domain.states import SweepState

SWEEP_WORDS: dict[SweepState, str] = {
    SweepState.PENDING: "PENDING",
    SweepState.RUNNING: "RUNNING",
    SweepState.PAUSED: "PAUSED",
    SweepState.STOPPED: "FINISHED",
    SweepState.CANCELLED: "CANCELED",
    SweepState.FINISHED: "FINISHED",
    SweepState.FAILED: "FAILED",
    SweepState.CRASHED: "CRASHED",
}
"""What the client calls them; it knows no word for a sweep that was stopped before its end."""

OWN_KEYS = frozenset({"_step", "_timestamp", "_runtime", "_wandb"})
"""What the client adds to each row and summary by itself."""


def moment(at: float | None) -> str | None:
    """Return a moment as the client writes it, in UTC; None where there is none."""
    if at is None or not math.isfinite(at):
        return None
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    except (OverflowError, ValueError, OSError):
        return None


def as_json(value: Any) -> str:
    """Return JSON text; bare NaN and Infinity are what the client itself writes and reads."""
    return json.dumps(value, separators=(",", ":"))


def boxed_config(config: dict[str, Any]) -> str:
    """Return a run's config as the client keeps it: every value in a box of its own."""
    return as_json({key: {"value": value} for key, value in config.items()})


def unboxed_config(text: Any) -> dict[str, Any]:
    """Return the values of a config as the client sends it, without its own part."""
    return {
        key: box["value"]
        for key, box in as_mapping(text).items()
        if key not in OWN_KEYS and isinstance(box, dict) and "value" in box
    }


def number_or_none(value: float | None) -> float | None:
    """Return a finite number: GraphQL's Float knows no other."""
    return value if value is not None and math.isfinite(value) else None


def as_mapping(text: Any) -> dict[str, Any]:
    """Return the object that a JSON string holds; an empty one when it holds none."""
    if isinstance(text, dict):
        return text
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
