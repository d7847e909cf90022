"""Runs that are to count no longer: left out of the search, or out of their sweep altogether."""

from __future__ import annotations

from controller.core import endings
from controller.core.draft import Draft
from controller.core.operators import find_runs
from controller.domain.changes import RunIgnoredSet, RunRemoved
from controller.domain.commands import DeleteRuns, IgnoreRuns
from controller.domain.effects import ForgetCurves
from controller.domain.replies import Accepted, Refused, Reply
from controller.domain.runs import Run
from controller.domain.states import SWEEP_OPEN
from controller.domain.sweeps import Method, Suggestion, Sweep


def ignore_runs(draft: Draft, command: IgnoreRuns) -> Reply:
    """Leave runs out of search, best and importance, or take them in again."""
    runs, refused = find_runs(draft, command.run_ids)
    if refused is not None:
        return refused
    changed = [run for run in runs if run.ignored is not command.ignored]
    for run in changed:
        draft.add(RunIgnoredSet(run_id=run.id, ignored=command.ignored))
        text = "left out of the search" if command.ignored else "taken into the search again"
        draft.note(text, actor=command.actor, sweep_id=run.sweep_id, run_id=run.id)
    _look_again(draft, changed)
    what = "left out of" if command.ignored else "taken into"
    return Accepted(ids=tuple(run.id for run in runs), text=f"{len(changed)} run(s) {what} the search")


def delete_runs(draft: Draft, command: DeleteRuns) -> Reply:
    """Take ended runs out of their sweeps; those that are with an agent are named and left alone."""
    runs, refused = find_runs(draft, command.run_ids)
    if refused is not None:
        return refused
    held = [run for run in runs if run.token in draft.world.open_of[run.sweep_id]]
    chosen = [run for run in runs if run not in held]
    if not chosen:
        names = ", ".join(f"{run.name} ({run.state})" for run in held[:5])
        return Refused(reason=f"still with an agent: {names}", hint="stop them first")
    returned = dict.fromkeys((run.sweep_id for run in chosen), 0)
    for run in chosen:
        back = _returned(draft.world.sweeps[run.sweep_id], run)
        draft.add(RunRemoved(run_id=run.id, at=draft.at, back=back))
        returned[run.sweep_id] += back is not None
        text = f"deleted: {run.state}" + ("; its point is handed out again" if back else "")
        draft.note(text, actor=command.actor, sweep_id=run.sweep_id, run_id=run.id)
    _look_again(draft, chosen)
    texts = [f"deleted {len(chosen)} run(s)"]
    texts += [f"{len(held)} left alone: still with an agent"] if held else []
    for sweep_id, n_back in returned.items():
        sweep = draft.world.sweeps[sweep_id]
        if sweep.state not in SWEEP_OPEN and n_back:
            texts.append(f"sweep {sweep_id} is {sweep.state}: resume it to have their points run again")
    return Accepted(ids=tuple(run.id for run in chosen), text="; ".join(texts))


def _returned(sweep: Sweep, run: Run) -> Suggestion | None:
    """Return the run's config as a suggestion where search would never come by it again."""
    finds_it_again = sweep.config.method is Method.BAYES and not sweep.exhausted
    if sweep.size is None or finds_it_again:
        return None
    return Suggestion(number=run.suggestion, config=run.config, index=run.index, reason=run.reason)


def _look_again(draft: Draft, runs: list[Run]) -> None:
    """Let search and early termination see what counts now."""
    for sweep_id in dict.fromkeys(run.sweep_id for run in runs):
        sweep = draft.world.sweeps[sweep_id]
        if sweep.config.early_terminate is not None:
            draft.perform(ForgetCurves(sweep_id=sweep_id))
        endings.want_fresh(draft, sweep)
        draft.settle_later(sweep_id)
