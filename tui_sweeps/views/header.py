"""A sweep's header: its state and what was asked, then its numbers."""

from __future__ import annotations

from controller.domain.queries import Belief
from controller.domain.sweeps import Sweep
from tui_sweeps.format import clock, count, counted, duration, number, sanitise
from tui_sweeps.model import Model
from tui_sweeps.views.cells import Cell
from tui_sweeps.views.drafts import Outlook, bands_text, size_text
from tui_sweeps.views.effects import possible_verbs
from tui_sweeps.views.states import BAD, GOOD, LIVE, QUIET, WARN, sweep_state
from tui_sweeps.views.sweeps import metric_cell, progress, range_text
from tui_sweeps.views.tally import Tally, eta


def asked_text(sweep: Sweep) -> str:
    """Return the last verb with when it was asked and when it was obeyed."""
    if sweep.asked is None:
        return ""
    text = f"{sweep.asked.verb} asked {clock(sweep.asked.at)}"
    return f"{text}, obeyed {clock(sweep.asked.obeyed_at)}" if sweep.asked.obeyed_at is not None else text


def belief_cell(model: Model, belief: Belief) -> Cell:
    """Return the value that search expects of the run that it takes for the best, all others considered."""
    run = model.world.runs[belief.run_id or ""]
    same = model.world.best_of.get(run.sweep_id) == run.id
    return Cell(f"expected {number(belief.mean, 9)}{'' if same else f' (run {run.number})'}", GOOD)


def state_line(model: Model, sweep: Sweep, belief: Belief | None = None) -> list[Cell]:
    """Return state, cause, method, metric, best value observed, best value expected."""
    cells = [sweep_state(sweep, model.waiting.get(sweep.id, "")), Cell(sweep.config.method.value)]
    if sweep.config.metric is not None:
        cells.append(metric_cell(sweep))
    best = model.world.best_of.get(sweep.id)
    if best is not None:
        run = model.world.runs[best]
        cells.append(Cell(f"best {number(run.best, 9)} (run {run.number})", f"bold {GOOD}"))
    if belief is not None and belief.run_id in model.world.runs_of[sweep.id]:
        cells.append(belief_cell(model, belief))
    if asked := asked_text(sweep):
        cells.append(Cell(asked, QUIET))
    if sweep.cause:
        cells.append(Cell(sanitise(sweep.cause), BAD if sweep.state in ("failed", "crashed") else QUIET))
    return cells


def space_line(sweep: Sweep, outlook: Outlook | None, n_active: int) -> list[Cell]:
    """Return the size of the space, the bands of early termination, the verbs that are possible now."""
    cells = []
    if outlook is not None:
        cells.append(Cell(f"space {size_text(outlook)}", QUIET))
        if outlook.bands:
            cells.append(Cell(bands_text(outlook.bands), QUIET))
    elif sweep.config.early_terminate is not None:
        cells.append(Cell("hyperband", QUIET))
    verbs = [verb.value for verb in possible_verbs(sweep, n_active)]
    cells.append(Cell(f"can: {', '.join(verbs)}" if verbs else "over for good", QUIET))
    return cells


def number_line(sweep: Sweep, numbers: Tally, now: float) -> list[Cell]:
    """Return progress, counts, time left, agents, run time."""
    cells = [progress(sweep, numbers)]
    cells.append(Cell(f"{count(numbers.n_active)} running", LIVE if numbers.n_active else QUIET))
    cells.append(Cell(f"{count(numbers.n_failed)} failed", BAD if numbers.n_failed else QUIET))
    if numbers.n_queued:
        cells.append(Cell(f"{count(numbers.n_queued)} queued", WARN))
    left = eta(sweep, numbers, now)
    if left is not None:
        cells.append(Cell(f"left {duration(left.middle_s)} ({range_text(left)})"))
    cells.append(Cell(counted(numbers.n_agents, "agent"), "" if numbers.n_agents else QUIET))
    cells.append(Cell(f"{duration(numbers.run_s(now))} run time", QUIET))
    return cells
