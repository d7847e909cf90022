"""Runs and sweeps as a filter sees them: which fields they have and which texts are searched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from controller.domain.parameters import MISSING, leaf
from controller.domain.runs import Run
from controller.domain.states import RUN_ACTIVE, RUN_ENDED, RunState, SweepState
from controller.domain.sweeps import Method, Sweep
from tui_sweeps.views.logged import KINDS, last_of, logged

IS_WORDS = ("active", "ended", "queued", "set-aside", "early-stopped", "stopping", "ignored")
"""What `is:` can ask of a run."""

ANYTHING: tuple[str, ...] = ()
"""The words of a field that may hold any text or number."""

RUN_FIELDS: Mapping[str, tuple[str, ...]] = {
    "state": tuple(state.value for state in RunState),
    "is": IS_WORDS,
    **dict.fromkeys(
        (
            *("id", "name", "number", "host", "node", "agent", "job", "attempt", "cause", "exit"),
            *("best", "latest", "step", "points", "duration", "failures", "tag"),
        ),
        ANYTHING,
    ),
}
"""Fields every run has, each with the only words it can hold."""

SWEEP_FIELDS: Mapping[str, tuple[str, ...]] = {
    "state": tuple(state.value for state in SweepState),
    "method": tuple(method.value for method in Method),
    **dict.fromkeys(("id", "name", "project", "entity", "metric", "cause", "best"), ANYTHING),
}


def run_fields(sweep: Sweep, summary_keys: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return every field a filter on this sweep's runs may name, with the only words it can hold."""
    parameters = [parameter.name for parameter in sweep.config.parameters]
    keys = list(summary_keys)
    if sweep.config.metric is not None:
        keys.append(sweep.config.metric.name)  # also before the first run has logged it
    names = (
        *parameters,
        *keys,
        *(f"config.{name}" for name in parameters),
        *(f"{kind}.{key}" for key in keys for kind in KINDS),
    )
    return {**RUN_FIELDS, **{name: ANYTHING for name in names if name not in RUN_FIELDS}}


_LOGGED = tuple(f"{kind}." for kind in KINDS)


class RunSubject:
    """A run with its fields; config before summary where both have a name."""

    __slots__ = ("_paths", "run")

    def __init__(self, run: Run, paths: dict[str, tuple[str, ...]]) -> None:
        self.run = run
        self._paths = paths
        """Path in the config per parameter name."""

    def texts(self) -> Iterable[str]:
        """Yield name, id, host, job, tags and every text of the config."""
        run = self.run
        yield run.name
        yield run.id
        yield run.state.value
        if run.host:
            yield run.host
        if run.job:
            yield run.job
        yield from run.tags
        for path in self._paths.values():
            value = leaf(run.config, path)
            if isinstance(value, str):
                yield value

    def field(self, name: str) -> Any:
        """Return a field's value, or `MISSING`."""
        run = self.run
        if name in _OWN:
            return _OWN[name](run)
        if name.startswith(_LOGGED):
            value = logged(run, name)
            if value is not MISSING:
                return value
        if name.startswith("config.") and name[7:] in self._paths:
            return leaf(run.config, self._paths[name[7:]])
        if name in self._paths:
            return leaf(run.config, self._paths[name])
        return last_of(run, name)


def _is(run: Run) -> tuple[str, ...]:
    words = []
    if run.state in RUN_ACTIVE:
        words.append("active")
    if run.state in RUN_ENDED:
        words.append("ended")
    if run.queued:
        words.append("queued")
    if run.set_aside:
        words.append("set-aside")
    if run.verdict is not None and run.verdict.stop:
        words.append("early-stopped")
    if run.stop is not None and run.state in RUN_ACTIVE:
        words.append("stopping")
    if run.ignored:
        words.append("ignored")
    return tuple(words)


def _duration(run: Run) -> Any:
    if run.started_at is None or run.ended_at is None:
        return MISSING
    return run.ended_at - run.started_at


_OWN: dict[str, Any] = {
    "state": lambda run: run.state.value,
    "id": lambda run: run.id,
    "name": lambda run: run.name,
    "number": lambda run: run.number,
    "host": lambda run: run.host,
    "node": lambda run: run.host,
    "agent": lambda run: run.agent_id or "",
    "job": lambda run: run.job,
    "attempt": lambda run: run.attempt,
    "cause": lambda run: run.cause,
    "exit": lambda run: MISSING if run.exit_code is None else run.exit_code,
    "best": lambda run: MISSING if run.best is None else run.best,
    "latest": lambda run: MISSING if run.latest is None else run.latest,
    "step": lambda run: MISSING if run.last_step is None else run.last_step,
    "points": lambda run: run.n_points,
    "duration": _duration,
    "failures": lambda run: run.n_failures,
    "is": _is,
    "tag": lambda run: run.tags,
}


class SweepSubject:
    """A sweep with its fields."""

    __slots__ = ("best", "sweep")

    def __init__(self, sweep: Sweep, best: float | None) -> None:
        self.sweep = sweep
        self.best = best

    def texts(self) -> Iterable[str]:
        """Yield name, id, project, method, state."""
        sweep = self.sweep
        return (sweep.name, sweep.id, sweep.project, sweep.config.method.value, sweep.state.value)

    def field(self, name: str) -> Any:
        """Return a field's value, or `MISSING`."""
        sweep = self.sweep
        metric = sweep.config.metric
        return {
            "state": sweep.state.value,
            "id": sweep.id,
            "name": sweep.name,
            "project": sweep.project,
            "entity": sweep.entity,
            "method": sweep.config.method.value,
            "metric": MISSING if metric is None else metric.name,
            "cause": sweep.cause,
            "best": MISSING if self.best is None else self.best,
        }.get(name, MISSING)
