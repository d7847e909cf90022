"""Registering a sweep, and changing how much of it there is."""

from __future__ import annotations

from msgspec.structs import replace

from controller.core.draft import Draft
from controller.domain.changes import SweepAdded, SweepConfigSet
from controller.domain.commands import CreateSweep, SetRunCap
from controller.domain.priors import refusal
from controller.domain.replies import Accepted, Refused, Reply
from controller.domain.sweeps import Sweep

_MOST_TOLD = 10
"""Refused prior runs named in the answer; the log of events has them all."""


def create(draft: Draft, command: CreateSweep) -> Reply:
    """Register a sweep."""
    for run_id in command.prior_runs:
        if run_id not in draft.world.runs:
            return Refused(
                reason=f"prior run {run_id} is not known",
                hint="list runs with `tui-sweeps runs SWEEP_ID`",
                code="unknown",
            )
    config = command.config
    sweep_id = draft.moment.new_id()
    sweep = Sweep(
        id=sweep_id,
        config=config,
        source=command.source,
        directory=command.directory,
        project=command.project,
        entity=command.entity,
        name=command.name or config.name or sweep_id,
        size=command.n_expected,
        n_expected=capped(command.n_expected, config.run_cap),
        parent=command.parent,
        prior_runs=command.prior_runs,
        created_at=draft.at,
        updated_at=draft.at,
    )
    draft.add(SweepAdded(sweep=sweep))
    size = "an unbounded number of" if sweep.n_expected is None else str(sweep.n_expected)
    draft.note(f"created: {config.method} search, {size} runs", actor=command.actor, sweep_id=sweep_id)
    text = _note_refused_priors(draft, sweep)
    draft.settle_later(sweep_id)
    return Accepted(ids=(sweep_id,), text=text)


def _note_refused_priors(draft: Draft, sweep: Sweep) -> str:
    """Say of each earlier run that was named why the search cannot learn from it."""
    world = draft.world
    told = []
    for run_id in sweep.prior_runs:
        run = world.runs[run_id]
        why = refusal(run, world.sweeps[run.sweep_id].config.metric, sweep.config)
        if why:
            told.append(f"{run.name} ({run.id}): {why}")
            draft.note(f"prior run {told[-1]}", sweep_id=sweep.id)
    if not told:
        return ""
    more = f"; and {len(told) - _MOST_TOLD} more, see the log of events" if len(told) > _MOST_TOLD else ""
    shown = "; ".join(told[:_MOST_TOLD])
    return f"{len(told)} of {len(sweep.prior_runs)} prior runs are not used: {shown}{more}"


def set_run_cap(draft: Draft, command: SetRunCap) -> Reply:
    """Change the number of configs a sweep may start."""
    sweep = draft.world.sweeps.get(command.sweep_id)
    if sweep is None:
        return unknown_sweep(command.sweep_id)
    n_runs = len(draft.world.runs_of[sweep.id])
    if command.run_cap is not None and command.run_cap < max(1, n_runs):
        return Refused(
            reason=f"run_cap {command.run_cap} is below the {n_runs} runs that were started already",
            hint=f"give {max(1, n_runs)} or more, or stop the sweep",
        )
    config = replace(sweep.config, run_cap=command.run_cap)
    draft.add(
        SweepConfigSet(
            sweep_id=sweep.id, config=config, n_expected=capped(sweep.size, command.run_cap), at=draft.at
        )
    )
    draft.note(f"run_cap set to {command.run_cap}", actor=command.actor, sweep_id=sweep.id)
    draft.settle_later(sweep.id)
    return Accepted(ids=(sweep.id,))


def capped(size: int | None, run_cap: int | None) -> int | None:
    """Return how many runs a sweep will have."""
    sizes = [n for n in (size, run_cap) if n is not None]
    return min(sizes) if sizes else None


def unknown_sweep(sweep_id: str) -> Refused:
    """Return the refusal for an id that is no sweep's."""
    return Refused(
        reason=f"there is no sweep {sweep_id}", hint="list the sweeps with `tui-sweeps ls`", code="unknown"
    )
