"""When a sweep has nothing more to give, and when it wants suggestions.

Looked at once at the end of every decision, for the sweeps it touched.
"""

from __future__ import annotations

from msgspec.structs import replace

from controller.core.draft import Draft
from controller.domain.changes import (
    AskedSet,
    SearchAdvanced,
    ShelfEmptied,
    SweepStateSet,
)
from controller.domain.effects import Suggest
from controller.domain.events import Suggested
from controller.domain.states import SWEEP_OPEN, SweepState, Verb
from controller.domain.sweeps import Method, Sweep
from controller.domain.world import World

SHELF_BATCH = 16
"""Grid and random suggestions cost next to nothing; so many are fetched at a time."""


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
    shelf = draft.world.shelves.get(sweep.id, ())
    n_after = sweep.n_suggested - (len(shelf) if event.replace else 0)
    if event.first_number != n_after:
        draft.settle_later(sweep.id)
        return
    if event.replace and shelf:
        draft.add(ShelfEmptied(sweep_id=sweep.id))
    draft.add(SearchAdvanced(sweep_id=sweep.id, added=event.suggestions, exhausted=event.exhausted))
    draft.settle_later(sweep.id)


def want_fresh(draft: Draft, sweep: Sweep) -> None:
    """A result came in: model-based search should look again at what lies on its shelf."""
    if sweep.config.method is Method.BAYES and sweep.state in SWEEP_OPEN and not sweep.exhausted:
        draft.perform(Suggest(sweep_id=sweep.id, n=_shelf_size(draft.world, sweep), replace=True))


def _order_suggestions(draft: Draft, sweep: Sweep) -> None:
    if sweep.state not in SWEEP_OPEN or sweep.exhausted or sweep.target_reached:
        return
    room = n_unstarted(draft.world, sweep)
    n_wanted = _shelf_size(draft.world, sweep)
    if room is not None:
        n_wanted = min(n_wanted, room)
    n_missing = n_wanted - len(draft.world.shelves.get(sweep.id, ()))
    if n_missing > n_wanted // 2 or (n_missing > 0 and sweep.config.method is Method.BAYES):
        draft.perform(Suggest(sweep_id=sweep.id, n=n_missing))


def _shelf_size(world: World, sweep: Sweep) -> int:
    n_agents = max(1, len(world.agents_of[sweep.id]))
    if sweep.config.method is Method.BAYES:
        # A seeded sweep repeats exactly only when each suggestion knows all results before it.
        return 1 if sweep.config.seed is not None else n_agents
    return max(SHELF_BATCH, 2 * n_agents)


def _tell_obeyed(draft: Draft, sweep_id: str) -> None:
    sweep = draft.world.sweeps[sweep_id]
    asked = sweep.asked
    if asked is None or asked.obeyed_at is not None:
        return
    if asked.verb in (Verb.STOP, Verb.CANCEL) and draft.world.open_of[sweep_id]:
        return
    draft.add(AskedSet(sweep_id=sweep_id, asked=replace(asked, obeyed_at=draft.at)))
