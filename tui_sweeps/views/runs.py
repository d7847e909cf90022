"""The runs table: which columns a sweep's runs have, their cells, filter and sorting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from controller.domain.parameters import MISSING, leaf
from controller.domain.runs import Run
from controller.domain.sweeps import Sweep
from tui_sweeps.format import clock, duration, fit, number, sanitise
from tui_sweeps.model import Model
from tui_sweeps.views.cells import EMPTY, Cell, Column
from tui_sweeps.views.configs import flat, paths_of, value_text, varying
from tui_sweeps.views.filter import And, Node, RunSubject, matches, run_fields
from tui_sweeps.views.logged import LAST, MAX, MIN, WORDS, logged
from tui_sweeps.views.order import SortKey, rank, sort_words
from tui_sweeps.views.spark import spark
from tui_sweeps.views.states import BAD, GOOD, QUIET, WARN, run_state
from tui_sweeps.views.tally import duration_of

SPARK_CELLS = 10

N_LATEST = 50
"""Runs that are asked which metrics there are."""

BASE: tuple[Column, ...] = (
    Column("run", "RUN", 18, fixed=True),
    Column("state", "STATE", 12),
    Column("best", "BEST", 9, "right"),
    Column("delta", "Δ BEST", 9, "right"),
    Column("trend", "TREND", SPARK_CELLS),
)
TAIL: tuple[Column, ...] = (
    Column("duration", "TIME", 7, "right"),
    Column("step", "STEP", 7, "right"),
    Column("attempt", "TRY", 3, "right"),
    Column("host", "HOST", 14),
    Column("cause", "CAUSE", 30),
)
MORE: tuple[Column, ...] = (
    Column("latest", "LATEST", 9, "right"),
    Column("job", "JOB", 12),
    Column("agent", "AGENT", 10),
    Column("exit", "EXIT", 5, "right"),
    Column("started", "STARTED", 8),
    Column("points", "POINTS", 7, "right"),
    Column("tag", "TAGS", 16),
    Column("id", "ID", 10),
)
"""In the chooser, not shown unless chosen."""


class RunRows:
    """The runs of one sweep as rows; everything is asked by run id."""

    def __init__(self, model: Model, sweep_id: str) -> None:
        self.model = model
        self.sweep_id = sweep_id
        self._sweep: Sweep | None = None
        self._paths: dict[str, tuple[str, ...]] = {}
        self._makers: dict[str, Callable[[Run, float], Cell]] = self._own_makers()

    @property
    def sweep(self) -> Sweep:
        """The sweep as it stands now."""
        return self.model.world.sweeps[self.sweep_id]

    @property
    def paths(self) -> dict[str, tuple[str, ...]]:
        """Path in the config per parameter name."""
        if self._sweep is None or self._sweep.config is not self.sweep.config:
            self._sweep = self.sweep
            self._paths = paths_of(self.sweep)
        return self._paths

    def latest(self) -> list[Run]:
        """Return the latest runs, in the order of their numbers: what they log stands for all."""
        world = self.model.world
        ids = list(islice(reversed(world.runs_of[self.sweep_id]), N_LATEST))
        return [world.runs[one] for one in reversed(ids)]

    def summary_keys(self) -> list[str]:
        """Return the summary keys of the latest runs, in order of appearance."""
        keys: dict[str, None] = {}
        for run in self.latest():
            keys.update(dict.fromkeys(flat(run.summary)))
        return [key for key in keys if not key.startswith("_")]

    def fields(self) -> dict[str, tuple[str, ...]]:
        """Return every field the filter may name, with the only words it can hold."""
        return run_fields(self.sweep, self.summary_keys())

    def all_columns(self) -> list[Column]:
        """Return every column there is, in the order of the chooser."""
        shown = {parameter.name for parameter in varying(self.sweep)}
        constant = [name for name in self.paths if name not in shown]
        columns = [*BASE, *(self._parameter_column(name) for name in shown), *TAIL]
        keys = self.summary_keys()
        columns += [_logged_column(LAST, key) for key in keys]
        columns += [self._parameter_column(name) for name in constant]
        ranged = self.ranged_keys()
        columns += [_logged_column(kind, key) for key in keys if key in ranged for kind in (MIN, MAX)]
        return [*columns, *MORE]

    def ranged_keys(self) -> set[str]:
        """Return those keys of which the latest runs keep the lowest and the highest value."""
        return {key for run in self.latest() for key in run.extremes.metrics()}

    def columns(self, chosen: Sequence[str] = ()) -> list[Column]:
        """Return the columns to show: the chosen ones, or the view's own choice."""
        if chosen:
            known = {column.key: column for column in self.all_columns()}
            return [known["run"], *(known[key] for key in chosen if key in known and key != "run")]
        parameters = [self._parameter_column(parameter.name) for parameter in varying(self.sweep)]
        return [*BASE, *parameters, *TAIL]

    def _parameter_column(self, name: str) -> Column:
        title = fit(sanitise(self.paths[name][-1]), 12)
        return Column(f"config.{name}", title, max(8, min(12, len(title))), "right")

    def cell(self, run_id: str, key: str, now: float) -> Cell:
        """Return one cell."""
        run = self.model.world.runs.get(run_id)
        if run is None:
            return EMPTY
        maker = self._makers.get(key)
        if maker is not None:
            cell = maker(run, now)
            return Cell(cell.text, QUIET) if run.ignored else cell
        value = self.value(run, key, now)
        if value is MISSING or value is None:
            return EMPTY
        text = value_text(value, 12 if key.startswith("config.") else 14)
        return Cell(text, QUIET if run.ignored else "")

    def value(self, run: Run, key: str, now: float) -> Any:
        """Return what a column is about as a plain value: for sorting, filters and plots."""
        if key.startswith("config."):
            path = self.paths.get(key[7:])
            return MISSING if path is None else leaf(run.config, path)
        if key.startswith(("summary.", "min.", "max.")):
            return logged(run, key)
        if key == "run":
            return run.number
        if key == "duration":
            return duration_of(run, now)
        if key == "started":
            return run.started_at
        if key == "tag":
            return ", ".join(run.tags) or MISSING
        if key == "delta":
            return run.best
        return RunSubject(run, self.paths).field(key)

    def best(self) -> Run | None:
        """Return the run with the best metric."""
        best = self.model.world.best_of.get(self.sweep_id)
        return None if best is None else self.model.world.runs[best]

    def _own_makers(self) -> dict[str, Callable[[Run, float], Cell]]:
        return {
            "run": lambda run, _: Cell(f"{run.number:>4} {fit(sanitise(run.name), 13)}", "bold"),
            "state": lambda run, _: run_state(run, self.model.waiting.get(run.id, "")),
            "best": self._best_cell,
            "delta": self._delta_cell,
            "trend": lambda run, _: Cell(spark(self.model.tails.get(run.id, ()), SPARK_CELLS)),
            "duration": lambda run, now: (
                Cell(duration(duration_of(run, now))) if run.started_at is not None else EMPTY
            ),
            "step": lambda run, _: EMPTY if run.last_step is None else Cell(number(run.last_step, 7)),
            "attempt": lambda run, _: Cell(str(run.attempt), WARN if run.attempt > 1 else QUIET),
            "host": lambda run, _: Cell(fit(sanitise(run.host), 14), QUIET) if run.host else EMPTY,
            "cause": _cause_cell,
            "started": lambda run, _: EMPTY if run.started_at is None else Cell(clock(run.started_at)),
            "agent": lambda run, _: Cell(fit(sanitise(run.agent_id), 10)) if run.agent_id else EMPTY,
            "job": lambda run, _: Cell(fit(sanitise(run.job), 12)) if run.job else EMPTY,
            "tag": lambda run, _: Cell(fit(sanitise(", ".join(run.tags)), 16)) if run.tags else EMPTY,
            "id": lambda run, _: Cell(run.id, QUIET),
        }

    def _best_cell(self, run: Run, now: float) -> Cell:
        if run.best is None:
            return EMPTY
        holder = self.model.world.best_of.get(self.sweep_id)
        return Cell(number(run.best, 9), f"bold {GOOD}" if holder == run.id else "")

    def _delta_cell(self, run: Run, now: float) -> Cell:
        best = self.best()
        if run.best is None or best is None or best.best is None:
            return EMPTY
        if best.id == run.id:
            return Cell("best", GOOD)
        return Cell(f"{run.best - best.best:+.3g}"[:9], QUIET)


def _cause_cell(run: Run, now: float) -> Cell:
    parts = [f"{run.state}, ignored" if run.ignored else "", run.cause]
    if run.set_aside:
        parts.append("set aside")
    text = ", ".join(part for part in parts if part)
    if not text:
        return Cell("")
    return Cell(fit(sanitise(text), 30), BAD if run.state in ("failed", "crashed") else QUIET)


def _logged_column(kind: str, key: str) -> Column:
    title = fit(sanitise(key if kind == LAST else f"{WORDS[kind]} {key}"), 14)
    return Column(f"{kind}.{key}", title, max(9, len(title)), "right")


def run_passes(rows: RunRows, node: Node) -> Callable[[str], bool]:
    """Return the filter on a sweep's runs."""
    world, paths, sweep_id = rows.model.world, rows.paths, rows.sweep_id
    is_open = node == And(())

    def passes(run_id: str) -> bool:
        run = world.runs.get(run_id)
        if run is None or run.sweep_id != sweep_id:
            return False
        return is_open or matches(node, RunSubject(run, paths))

    return passes


def run_key(rows: RunRows, sort: str, now: float) -> Callable[[str], SortKey]:
    """Return the sorting of runs; the last word is always the number, newest first."""
    words = sort_words(sort)
    world = rows.model.world

    def key(run_id: str) -> SortKey:
        run = world.runs[run_id]
        wanted = tuple(rank(rows.value(run, word, now), descending) for word, descending in words)
        return (*wanted, (0, -run.number))

    return key
