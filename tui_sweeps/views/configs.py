"""Configurations as text: which parameters vary, their values, differences from the best run's."""

from __future__ import annotations

import json
from typing import Any

from controller.domain.parameters import MISSING, Distribution, Parameter, leaf
from controller.domain.runs import Run
from controller.domain.sweeps import Sweep
from tui_sweeps.format import fit, number, sanitise


def varying(sweep: Sweep) -> tuple[Parameter, ...]:
    """Return the parameters that can take more than one value."""
    return tuple(
        parameter
        for parameter in sweep.config.parameters
        if parameter.distribution is not Distribution.CONSTANT and len(set(map(repr, parameter.values))) != 1
    )


def paths_of(sweep: Sweep) -> dict[str, tuple[str, ...]]:
    """Return the path in the config per parameter name."""
    return {parameter.name: parameter.path for parameter in sweep.config.parameters}


def value_text(value: Any, width: int) -> str:
    """Return a config or summary value in at most so many cells."""
    if value is MISSING:
        return "·"
    if isinstance(value, dict | list | tuple):
        try:
            return fit(sanitise(json.dumps(value, ensure_ascii=False, default=str)), width)
        except (ValueError, RecursionError):
            return fit(sanitise(str(type(value).__name__)), width)
    return number(value, width)


def config_text(sweep: Sweep, run: Run, width: int) -> str:
    """Return the varying part of a config on one line: `lr=0.01 layers=3`."""
    parts = []
    for parameter in varying(sweep):
        value = leaf(run.config, parameter.path)
        if value is not MISSING:
            parts.append(f"{sanitise(parameter.path[-1])}={value_text(value, 12)}")
    return fit(" ".join(parts), width)


def flat(values: dict[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """Return nested values as one level with dotted names."""
    out: dict[str, Any] = {}
    for name, value in values.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and value and depth < 8:
            out.update(flat(value, f"{key}.", depth + 1))
        else:
            out[key] = value
    return out
