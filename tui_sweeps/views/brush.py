"""The brush: an axis' range moved by keys, written into the filter text and read back from it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tui_sweeps.format import number
from tui_sweeps.views.filter import choices_of, limits_of, with_choices, with_limits
from tui_sweeps.views.scales import Scale

N_STEPS = 20
"""A brush's end moves by this share of a numeric axis."""


@dataclass(frozen=True, slots=True)
class Range:
    """A chosen stretch of an axis; None: open to this side."""

    low: float | None = None
    """As a position, 0 to 1."""
    high: float | None = None

    def __bool__(self) -> bool:
        return self.low is not None or self.high is not None

    @property
    def ends(self) -> tuple[float, float]:
        """Both ends as positions."""
        return (0.0 if self.low is None else self.low, 1.0 if self.high is None else self.high)


def range_of(text: str, scale: Scale) -> Range:
    """Return what the filter chooses on an axis."""
    if scale.kind == "categorical":
        chosen = choices_of(text, scale.field, scale.choices)
        if not chosen:
            return Range()
        return Range(scale.position(float(chosen[0])), scale.position(float(chosen[-1])))
    low, high = limits_of(text, scale.field)
    return Range(
        None if low is None else _place(scale, low),
        None if high is None else _place(scale, high),
    )


def moved(text: str, scale: Scale, *, end: str, by: int) -> str:
    """Return the filter with one `end` ("low" or "high") of an axis' range moved `by` steps upwards."""
    if scale.kind == "categorical":
        return _moved_choices(text, scale, end, by)
    now = range_of(text, scale)
    ends = [round(place * _n_steps(scale)) for place in now.ends]
    at = 0 if end == "low" else 1
    ends[at] = min(max(0, ends[at] + by), _n_steps(scale))
    if ends[0] > ends[1]:
        return text
    low, high = limits_of(text, scale.field)
    if end == "low":
        low = _value(scale, ends[0]) if ends[0] > 0 else None
    else:
        high = _value(scale, ends[1]) if ends[1] < _n_steps(scale) else None
    return with_limits(text, scale.field, low, high)


def dropped(text: str, scale: Scale) -> str:
    """Return the filter without this axis' range."""
    if scale.kind == "categorical":
        return with_choices(text, scale.field, None)
    return with_limits(text, scale.field, None, None)


def best_share(text: str, scale: Scale, numbers: list[float], share: float, is_better_high: bool) -> str:
    """Return the filter that lets pass the best `share` of these numbers, at least one."""
    n_wanted = max(1, round(len(numbers) * share))
    last = sorted(numbers, reverse=is_better_high)[n_wanted - 1]
    # Rounded outwards, so that the last of the wanted ones passes its own limit.
    limit = _rounded(last, up=not is_better_high)
    low, high = (limit, None) if is_better_high else (None, limit)
    return with_limits(text, scale.field, low, high)


def words(text: str, scale: Scale) -> str:
    """Return the range for people: `0.001 … 0.03`."""
    if scale.kind == "categorical":
        chosen = choices_of(text, scale.field, scale.choices)
        return "" if chosen is None else ", ".join(scale.labels[at] for at in chosen) or "nothing"
    low, high = limits_of(text, scale.field)
    if low is not None and high is not None:
        return f"{number(low, 8)} … {number(high, 8)}"
    if low is not None:
        return f"≥ {number(low, 8)}"
    return "" if high is None else f"≤ {number(high, 8)}"


def _n_steps(scale: Scale) -> int:
    span = scale.high - scale.low
    return max(1, min(N_STEPS, int(span))) if scale.is_whole and scale.kind == "linear" else N_STEPS


def _place(scale: Scale, value: float) -> float:
    place = scale.position(value)
    return 0.0 if place is None else place


def _value(scale: Scale, step: int) -> float:
    value = scale.value_at(step / _n_steps(scale))
    return float(round(value)) if scale.is_whole else float(f"{value:.3g}")


def _rounded(value: float, *, up: bool) -> float:
    """Round to the six digits a limit is written with, away from the value."""
    if value == 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 5)
    if unit == 0 or not math.isfinite(value / unit):
        return value
    steps = math.ceil(value / unit) if up else math.floor(value / unit)
    limit = float(f"{steps * unit:.6g}")
    if limit < value if up else limit > value:
        # What division lost; one unit further it passes for certain.
        limit = float(f"{(steps + (1 if up else -1)) * unit:.6g}")
    return limit


def _moved_choices(text: str, scale: Scale, end: str, by: int) -> str:
    last = len(scale.choices) - 1
    chosen = choices_of(text, scale.field, scale.choices)
    ends = [0, last] if not chosen else [chosen[0], chosen[-1]]
    at = 0 if end == "low" else 1
    ends[at] = min(max(0, ends[at] + by), last)
    if ends[0] > ends[1]:
        return text
    if ends == [0, last]:
        return with_choices(text, scale.field, None)
    return with_choices(text, scale.field, scale.choices[ends[0] : ends[1] + 1])
