"""A World as plain values: what the store loads and what a snapshot carries."""

from __future__ import annotations

from msgspec import Struct

from controller.domain.agents import Agent, Job
from controller.domain.arrays import Task
from controller.domain.runs import Attempt, Run
from controller.domain.sweeps import Suggestion, Sweep


class Facts(Struct, frozen=True, kw_only=True):
    """A World as plain values: what the store loads and what a snapshot carries."""

    sweeps: tuple[Sweep, ...] = ()
    runs: tuple[Run, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    """Open attempts always; closed ones may be left to the store."""
    agents: tuple[Agent, ...] = ()
    jobs: tuple[Job, ...] = ()
    tasks: tuple[Task, ...] = ()
    """Tasks of those jobs that are SLURM arrays."""
    shelves: dict[str, tuple[Suggestion, ...]] = {}
    last_token: int = 0


class Snapshot(Struct, frozen=True, kw_only=True, tag=True):
    """All facts as of one batch."""

    seq: int
    facts: Facts
