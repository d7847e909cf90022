"""A small history of a sweep, told change by change to a World, a Collector and whoever listens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from controller.domain.changes import (
    AttemptAdded,
    Change,
    LinesRecord,
    PointsRecord,
    Record,
    RunAdded,
    SweepAdded,
)
from controller.domain.delta import Collector, Delta
from controller.domain.runs import Attempt, LogLines, Point, Run
from controller.domain.sweeps import Method, Metric, Sweep, SweepConfig
from controller.domain.world import World

SWEEP = "abcdefgh"


class Scene:
    """Follows changes and gathers the delta of one transaction at a time."""

    def __init__(self) -> None:
        self.world = World()
        self._collector = Collector(self.world)

    def tell(self, *changes: Change, records: Iterable[Record] = ()) -> None:
        self.world.evolve(changes)
        self._collector.add(changes, records)

    def delta(self) -> Delta:
        delta = self._collector.build()
        self._collector = Collector(self.world)
        return delta


def a_sweep(sweep_id: str = SWEEP, **fields: Any) -> Sweep:
    plain = {"source": "method: random\n", "directory": "/", "project": "p", "entity": "", "name": "n"}
    config = SweepConfig(method=Method.RANDOM, parameters=(), metric=Metric(name="loss"))
    return Sweep(id=sweep_id, config=config, **{**plain, **fields})


def a_run(number: int = 1, **fields: Any) -> Run:
    plain = {"sweep_id": SWEEP, "name": f"run-{number}", "config": {"x": number}, "suggestion": number - 1}
    return Run(id=f"run{number:05d}", number=number, **{**plain, **fields})


def an_attempt(token: int = 1, run: int = 1, number: int = 1, **fields: Any) -> Attempt:
    return Attempt(
        token=token,
        run_id=f"run{run:05d}",
        sweep_id=SWEEP,
        number=number,
        agent_id="agent",
        ask=token,
        **fields,
    )


def a_scene(n_attempts: int = 1) -> Scene:
    """One sweep with one run that was attempted so often."""
    scene = Scene()
    scene.tell(SweepAdded(sweep=a_sweep()), RunAdded(run=a_run()))
    for token in range(1, n_attempts + 1):
        scene.tell(AttemptAdded(attempt=an_attempt(token, number=token)))
    return scene


def points(token: int, *rows: Point, run: int = 1) -> PointsRecord:
    return PointsRecord(run_id=f"run{run:05d}", token=token, points=rows)


def steps(token: int, low: int, high: int, run: int = 1) -> PointsRecord:
    """Points whose step is their report line and whose loss tells step and attempt."""
    return points(
        token, *(Point(n, n, float(n), {"loss": n + token / 10}) for n in range(low, high)), run=run
    )


def console(token: int, first: int, *texts: str, run: int = 1) -> LinesRecord:
    return LinesRecord(run_id=f"run{run:05d}", token=token, lines=LogLines(first=first, lines=texts))
