from __future__ import annotations

import math
import sys
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from controller.domain import wire
from controller.domain.extremes import N_METRICS_MOST, Extremes, Pair, pairs_of

names = st.sampled_from(["loss", "val.acc", "", "läuft", "\ud800", "_step", "x\x1fy"])
numbers = st.one_of(st.floats(), st.integers(), st.booleans(), st.just(10**400), st.none(), st.text())
rows = st.dictionaries(names, st.one_of(numbers, st.dictionaries(names, numbers, max_size=2)), max_size=4)


def plainly(history: list[dict[str, Any]]) -> dict[str, Pair]:
    """The same with a mapping and no cleverness."""
    found: dict[str, list[float]] = {}
    for row in history:
        flat = {}
        for name, value in row.items():
            flat.update(
                {f"{name}.{k}": v for k, v in value.items()} if isinstance(value, dict) else {name: value}
            )
        for name, value in flat.items():
            is_own = name.startswith("_") or "._" in name
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or is_own
                or abs(value) > sys.float_info.max
            ):
                continue
            if name and "\x1f" not in name and math.isfinite(value):
                found.setdefault(name, []).append(float(value))
    return {name: (min(values), max(values)) for name, values in found.items()}


@given(st.lists(rows, max_size=8), st.integers(1, 4))
def test_extremes_are_those_of_all_rows_however_they_are_bundled(
    history: list[dict[str, Any]], n_at_once: int
) -> None:
    history = [
        {k: v for k, v in row.items() if not (k.startswith("_") and isinstance(v, dict))} for row in history
    ]
    extremes = Extremes()
    for at in range(0, len(history), n_at_once):
        changed = extremes.wider(pairs_of(history[at : at + n_at_once]))
        assert extremes.widened(changed).wider(changed) == {}
        extremes = extremes.widened(changed)
    assert {name: extremes.of(name) for name in extremes.metrics()} == plainly(history)
    assert wire.decode(wire.encode(extremes), Extremes) == extremes


def test_extremes_of_runs_that_log_the_same_share_their_names() -> None:
    one = Extremes().widened({"loss": (1.0, 2.0), "acc": (0.0, 0.5)})
    other = wire.decode(wire.encode(one), Extremes)
    assert one.names is other.names
    assert other.of("acc") == (0.0, 0.5)


def test_extremes_follow_a_limited_number_of_metrics() -> None:
    made_up = {f"m{n}": (0.0, 1.0) for n in range(1000)}
    extremes = Extremes().widened(Extremes().wider(made_up))
    assert len(extremes.metrics()) == N_METRICS_MOST
    assert extremes.of("m999") is None
    assert extremes.wider({"m999": (5.0, 5.0), "m0": (-1.0, 0.0)}) == {"m0": (-1.0, 1.0)}
