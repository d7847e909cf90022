"""The text of a sweep file, and what is read of it."""

from __future__ import annotations

from controller.domain.problems import Problem
from controller.domain.sweepfile import Reading, read
from controller.domain.sweeps import SweepConfig


def sweep(parameters: str, *, method: str = "random", more: str = "") -> str:
    """Return a sweep file whose parameters begin on line 4."""
    return f"method: {method}\nprogram: train.py\nparameters:\n{parameters}\n{more}"


def config(source: str) -> SweepConfig:
    reading = read(source)
    assert reading.config is not None, reading.problems
    return reading.config


def only(reading: Reading) -> Problem:
    assert len(reading.problems) == 1, reading.problems
    return reading.problems[0]
