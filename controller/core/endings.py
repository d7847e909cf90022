"""When a sweep has nothing more to give, and when it wants suggestions.

Looked at once at the end of every decision, for the sweeps it touched.
"""

from __future__ import annotations

from itertools import takewhile

from msgspec.structs import replace

from controller.core.draft import Draft
from controller.domain.changes import (
    AskedSet,
    SearchAdvanced,
    SweepStateSet,
)
from controller.domain.effects import Suggest
from controller.domain.events import Suggested
from controller.domain.states import SWEEP_OPEN, SweepState, Verb
from controller.domain.sweeps import Method, Sweep
from controller.domain.world import World

SHELF_BATCH = 16
"""Grid and random suggestions cost next to nothing; so many are fetched at a time."""
FRESH_BATCH = 4
"""Model-based suggestions renewed after a result: what is handed out before the next result is in."""
TOP_UP_BATCH = 8
"""Model-based suggestions asked for at once: more would keep newer questions waiting."""


def settle_all(draft: Draft) -> None:
    """Bring every touched sweep to rest."""
    for sweep_id in tuple(draft.touched):
        settle(draft, sweep_id)


def settle(draft: Draft, sweep_id: str) -> None:
    """Finish the sweep if it is done; order suggestions if its shelf runs low."""
    world = draft.world
    sweep = world.sweeps[sweep_id]
    if sweep.state in SWEEP_OPEN and not world.open_of[sweep_id] and not has_more(world, sweep):
        cause = "target reached" if sweep.target_reached else "all runs done"
        draft.add(SweepStateSet(sweep_id=sweep_id, state=SweepState.FINISHED, cause=cause, at=draft.at))
        draft.note(f"finished: {cause}", sweep_id=sweep_id)
    elif sweep.state is SweepState.PAUSED and sweep.breaker and not world.agents_of[sweep_id]:
        draft.add(
            SweepStateSet(
                sweep_id=sweep_id, state=SweepState.FAILED, cause=sweep.cause, at=draft.at, breaker=True
            )
        )
        draft.note(f"failed: {sweep.cause}; nobody resumed it", sweep_id=sweep_id)
    _tell_obeyed(draft, sweep_id)
    _order_suggestions(draft, world.sweeps[sweep_id])


def has_more(world: World, sweep: Sweep) -> bool:
    """Say whether the sweep has a config to hand out, now or after more search."""
    if sweep.target_reached:
        return False
    return bool(world.queue_of[sweep.id]) or n_unstarted(world, sweep) != 0


def n_unstarted(world: World, sweep: Sweep) -> int | None:
    """Return how many further configs may be started: 0 means search is over, None that there is no limit."""
    cap = sweep.config.run_cap
    room = None if cap is None else max(0, cap - len(world.runs_of[sweep.id]))
    if sweep.exhausted:
        on_shelf = len(world.shelves.get(sweep.id, ()))
        return on_shelf if room is None else min(room, on_shelf)
    return room


def suggested(draft: Draft, event: Suggested) -> None:
    """Put search's answer on the shelf, unless the world has moved on since it was asked."""
    sweep = draft.world.sweeps.get(event.sweep_id)
    if sweep is None:
        return
    if event.error:
        if sweep.state in (SweepState.PENDING, SweepState.RUNNING):
            cause = f"search failed: {event.error}"
            draft.add(SweepStateSet(sweep_id=sweep.id, state=SweepState.PAUSED, cause=cause, at=draft.at))
            draft.note(cause, sweep_id=sweep.id)
        return
    if sweep.config.method is Method.BAYES:
        _take_model_based(draft, sweep, event)
    elif event.first_number == sweep.n_suggested:
        draft.add(SearchAdvanced(sweep_id=sweep.id, added=event.suggestions, exhausted=event.exhausted))
    draft.settle_later(sweep.id)


def _take_model_based(draft: Draft, sweep: Sweep, event: Suggested) -> None:
    """Number the suggestions anew, leave out what was handed out meanwhile, keep the shelf's size."""
    if event.fresh and sweep.exhausted:
        return  # every point that is left lies on the shelf already
    world = draft.world
    shelf = world.shelves.get(sweep.id, ())
    runs = (world.runs[run_id] for run_id in reversed(world.runs_of[sweep.id]))
    taken = [run.config for run in takewhile(lambda run: run.number > event.last_run, runs)]
    if not event.fresh:
        taken += [suggestion.config for suggestion in shelf]
    chosen = [suggestion for suggestion in event.suggestions if suggestion.config not in taken]
    added = tuple(replace(suggestion, number=sweep.n_suggested + n) for n, suggestion in enumerate(chosen))
    dropped: tuple[int, ...] = ()
    if event.fresh:
        configs = [suggestion.config for suggestion in added]
        room = max(0, _shelf_size(world, sweep) - len(added))
        rest = [suggestion for suggestion in shelf if suggestion.config not in configs]
        kept = {suggestion.number for suggestion in rest[:room]}
        dropped = tuple(suggestion.number for suggestion in shelf if suggestion.number not in kept)
    exhausted = sweep.exhausted or (event.exhausted and not event.fresh)
    draft.add(
        SearchAdvanced(
            sweep_id=sweep.id, added=added, exhausted=exhausted, front=event.fresh, dropped=dropped
        )
    )


def want_fresh(draft: Draft, sweep: Sweep) -> None:
    """A result came in: model-based search should look again at what it hands out next."""
    if sweep.config.method is not Method.BAYES or sweep.state not in SWEEP_OPEN or sweep.exhausted:
        return
    if sweep.config.seed is None:
        n = min(FRESH_BATCH, _shelf_size(draft.world, sweep))
        draft.perform(Suggest(sweep_id=sweep.id, n=n, fresh=True))


def want_one(draft: Draft, sweep: Sweep) -> None:
    """An agent waits at an empty shelf."""
    if sweep.config.method is Method.BAYES and not sweep.exhausted:
        on_demand = _is_drawn_on_demand(sweep)
        draft.perform(Suggest(sweep_id=sweep.id, n=1, waiting=not on_demand))


def _is_drawn_on_demand(sweep: Sweep) -> bool:
    """A seeded model-based sweep repeats exactly only when each suggestion knows all results before it."""
    return sweep.config.method is Method.BAYES and sweep.config.seed is not None


def _order_suggestions(draft: Draft, sweep: Sweep) -> None:
    if sweep.state not in SWEEP_OPEN or sweep.exhausted or sweep.target_reached:
        return
    if _is_drawn_on_demand(sweep):
        return
    room = n_unstarted(draft.world, sweep)
    n_wanted = _shelf_size(draft.world, sweep)
    if room is not None:
        n_wanted = min(n_wanted, room)
    n_missing = n_wanted - len(draft.world.shelves.get(sweep.id, ()))
    if sweep.config.method is Method.BAYES:
        if n_missing > 0:
            draft.perform(Suggest(sweep_id=sweep.id, n=min(n_missing, TOP_UP_BATCH)))
    elif n_missing > n_wanted // 2:
        draft.perform(Suggest(sweep_id=sweep.id, n=n_missing))


def _shelf_size(world: World, sweep: Sweep) -> int:
    n_agents = max(1, len(world.agents_of[sweep.id]))
    return n_agents if sweep.config.method is Method.BAYES else max(SHELF_BATCH, 2 * n_agents)


def _tell_obeyed(draft: Draft, sweep_id: str) -> None:
    sweep = draft.world.sweeps[sweep_id]
    asked = sweep.asked
    if asked is None or asked.obeyed_at is not None:
        return
    if asked.verb in (Verb.STOP, Verb.CANCEL) and draft.world.open_of[sweep_id]:
        return
    draft.add(AskedSet(sweep_id=sweep_id, asked=replace(asked, obeyed_at=draft.at)))
