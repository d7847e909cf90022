"""The Run screen's words: header, configuration beside the best run's, summary, attempts, command."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterable, Sequence
from typing import Any

from controller.domain.parameters import MISSING, leaf
from controller.domain.reasons import why_judged, why_suggested
from controller.domain.runs import Attempt, Run
from controller.domain.sweeps import Sweep
from controller.domain.wire import strict
from controller.domain.world import World
from tui_sweeps.format import clock, duration, fit, number, percent, sanitise
from tui_sweeps.model import Model
from tui_sweeps.views.cells import Cell
from tui_sweeps.views.configs import flat, value_text
from tui_sweeps.views.states import BAD, GOOD, QUIET, WARN, run_state
from tui_sweeps.views.tally import duration_of

Line = tuple[Cell, ...]

_GPU = re.compile(r"gpu\.([0-9]{1,3})\.gpu")
"""The load of one GPU of the host, as the wandb client names it."""

N_GPUS_SHOWN = 4

_HUGE = 1e12
"""No load, and no megabytes, that anybody has."""


def header(model: Model, run: Run, now: float) -> Line:
    """Return state, time, place and attempt on one line."""
    parts = [run_state(run, model.waiting.get(run.id, ""))]
    took_s = duration_of(run, now)
    if took_s is not None:
        parts.append(Cell(duration(took_s)))
    if run.best is not None:
        best = model.world.best_of.get(run.sweep_id)
        parts.append(Cell(f"best {number(run.best)}", f"bold {GOOD}" if best == run.id else ""))
    if run.last_step is not None:
        parts.append(Cell(f"step {run.last_step}"))
    if run.attempt > 1:
        parts.append(Cell(f"attempt {run.attempt}", WARN))
    if run.host:
        parts.append(Cell(sanitise(run.host), QUIET))
    if run.job:
        parts.append(Cell(sanitise(run.job), QUIET))
    if run.pid is not None:
        parts.append(Cell(f"pid {run.pid}", QUIET))
    if run.cause:
        parts.append(Cell(sanitise(run.cause), BAD if run.state in ("failed", "crashed") else QUIET))
    return tuple(parts)


def system_line(run: Run) -> Line:
    """Return the latest load of processor, memory and GPUs; empty when the program reported none.

    The names are the wandb client's, and so are its units: percent from 0 to 100, and `MB`.
    """
    values = {key: float(value) for key, value in run.system.items() if _is_finite(value)}
    parts: list[str] = []
    if "cpu" in values:
        parts.append(f"cpu {percent(values['cpu'] / 100)}")
    memory = values.get("memory_percent", values.get("memory"))
    if memory is not None:
        parts.append(f"memory {percent(memory / 100)}")
    if "proc.memory.rssMB" in values:
        parts.append(f"process {number(round(values['proc.memory.rssMB']))} MB")
    gpus = sorted(int(found[1]) for key in values if (found := _GPU.fullmatch(key)))
    for gpu in gpus[:N_GPUS_SHOWN]:
        text = f"gpu {gpu} {percent(values.get(f'gpu.{gpu}.gpu', math.nan) / 100)}"
        held = values.get(f"gpu.{gpu}.memoryAllocated")
        parts.append(text if held is None else f"{text}, memory {percent(held / 100)}")
    if len(gpus) > N_GPUS_SHOWN:
        parts.append(f"and {len(gpus) - N_GPUS_SHOWN} more GPUs")
    return tuple(Cell(part, QUIET) for part in parts)


def _is_finite(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < _HUGE  # false for NaN too


def own_config_lines(run: Run) -> list[Line]:
    """Return what the program's config holds besides what was assigned, one key a line."""
    values = flat(run.own_config)
    names = [fit(sanitise(name), 22) for name in values]
    room = max(map(len, names), default=0)
    return [
        (Cell(name.ljust(room), QUIET), Cell(value_text(value, 16)))
        for name, value in zip(names, values.values(), strict=True)
    ]


def stop_chain(run: Run) -> str:
    """Return how far a stop has come, to its end: asked, sent, gone."""
    if run.stop is None:
        return ""
    signal = "SIGKILL" if run.stop.kill else "SIGTERM"
    parts = [f"stop asked {clock(run.stop.at)} by {sanitise(run.stop.actor)}"]
    if run.stop_obeyed_at is not None:
        parts.append(f"{signal} sent {clock(run.stop_obeyed_at)}")
        if run.ended_at is None and not run.stop.kill:
            parts.append("SIGKILL after 30 s of grace")
    if run.ended_at is not None:
        parts.append(f"gone {clock(run.ended_at)}")
    return ", ".join(parts)


def config_lines(world: World, run: Run, width: int) -> list[Line]:
    """Return the configuration, one parameter a line; where the best run differs, its value too."""
    sweep = world.sweeps[run.sweep_id]
    best_id = world.best_of.get(run.sweep_id)
    best = world.runs[best_id] if best_id is not None and best_id != run.id else None
    names = [parameter.name for parameter in sweep.config.parameters]
    room = max([len(fit(sanitise(name), 22)) for name in names], default=0)
    lines: list[Line] = []
    for parameter in sweep.config.parameters:
        value = leaf(run.config, parameter.path)
        name = fit(sanitise(parameter.name), 22).ljust(room)
        cells = [Cell(name, QUIET), Cell(value_text(value, max(6, width - room - 1)))]
        other = MISSING if best is None else leaf(best.config, parameter.path)
        if best is not None and other != value:
            cells.append(Cell(f"best {value_text(other, 12)}", GOOD))
        lines.append(tuple(cells))
    known = {parameter.path[0] for parameter in sweep.config.parameters}
    for name, value in flat({key: val for key, val in run.config.items() if key not in known}).items():
        lines.append((Cell(fit(sanitise(name), 22).ljust(room), QUIET), Cell(value_text(value, 16))))
    return lines


def why_lines(world: World, run: Run) -> list[Line]:
    """Return why the run has its config, and why early termination let it go on or not."""
    config = world.sweeps[run.sweep_id].config
    words = (why_suggested(run.reason, config), why_judged(run, config))
    return [(Cell(sanitise(text), QUIET),) for text in words if text]


def summary_lines(run: Run, width: int) -> list[Line]:
    """Return the summary, one key a line."""
    values = {key: value for key, value in flat(run.summary).items() if not key.startswith("_")}
    room = max([len(fit(sanitise(key), 22)) for key in values], default=0)
    return [
        (Cell(fit(sanitise(key), 22).ljust(room), QUIET), Cell(value_text(value, max(6, width - room - 1))))
        for key, value in values.items()
    ]


def attempt_lines(attempts: Sequence[Attempt]) -> list[Line]:
    """Return every attempt with its end and cause."""
    lines: list[Line] = []
    for attempt in attempts:
        cells = [Cell(f"{attempt.number}", QUIET), Cell(attempt.state.value)]
        if attempt.started_at is not None:
            cells.append(Cell(clock(attempt.started_at), QUIET))
            if attempt.ended_at is not None:
                cells.append(Cell(duration(attempt.ended_at - attempt.started_at)))
        if attempt.signal is not None:
            cells.append(Cell(f"signal {attempt.signal}", WARN))
        elif attempt.exit_code is not None:
            cells.append(Cell(f"exit {attempt.exit_code}", BAD if attempt.exit_code else QUIET))
        if attempt.host:
            cells.append(Cell(sanitise(attempt.host), QUIET))
        if attempt.cause:
            cells.append(Cell(sanitise(attempt.cause)))
        lines.append(tuple(cells))
    return lines


def where_lines(sweep: Sweep, run: Run) -> list[Line]:
    """Return what stands in the program's environment about its run, and where its files are."""
    exports = {
        "WANDB_SWEEP_ID": sweep.id,
        "WANDB_RUN_ID": run.id,
        "WANDB_PROJECT": sweep.project,
        "WANDB_ENTITY": sweep.entity,
    }
    lines: list[Line] = [
        (Cell(name.ljust(14), QUIET), Cell(sanitise(value))) for name, value in exports.items() if value
    ]
    places = (
        ("tags", ", ".join(run.tags)),
        ("agent", run.agent_id or ""),
        ("started in", sweep.directory),
        ("files in", run.directory),
    )
    lines += [(Cell(name.ljust(14), QUIET), Cell(sanitise(value))) for name, value in places if value]
    return lines


def config_yaml(run: Run) -> str:
    """Return the config as a YAML document."""
    import yaml

    return str(yaml.safe_dump(strict(run.config), sort_keys=False, allow_unicode=True))


def command_text(run: Run) -> str:
    """Return the exact command as a shell would read it; empty before the first start."""
    return shlex.join(run.argv)


N_COMPARED = 7
"""Runs beside the one that is looked at; more curves are told apart by nobody."""


def compared(world: World, run: Run, marks: Iterable[str]) -> list[str]:
    """Return the runs to show beside this one: the marked ones, else the best."""
    marked = [one for one in marks if one != run.id and one in world.runs]
    best = world.best_of.get(run.sweep_id)
    return (marked or [one for one in (best,) if one is not None and one != run.id])[:N_COMPARED]


def metric_keys(sweep: Sweep, run: Run) -> list[str]:
    """Return the keys that can be drawn as curves: the sweep's metric first, then other logged numbers."""
    keys: dict[str, None] = {}
    if sweep.config.metric is not None:
        keys[sweep.config.metric.name] = None
    for key, value in flat(run.summary).items():
        if isinstance(value, int | float) and not isinstance(value, bool) and not key.startswith("_"):
            keys[key] = None
    return list(keys)
