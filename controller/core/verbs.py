"""Pause, resume, stop and cancel of a sweep."""

from __future__ import annotations

from controller.core import endings
from controller.core.closing import CANCELLED, close_assigned, requeue, unqueue
from controller.core.creation import unknown_sweep
from controller.core.draft import Draft
from controller.domain.changes import AskedSet, StopAskSet, SweepStateSet, TargetReachedSet
from controller.domain.commands import CancelSweep, PauseSweep, ResumeSweep, StopSweep, SweepVerb
from controller.domain.replies import Accepted, Refused, Reply
from controller.domain.runs import Run, StopAsk
from controller.domain.states import (
    RUN_ACTIVE,
    SWEEP_OPEN,
    VERBS,
    AttemptState,
    RunState,
    SweepState,
    Verb,
)
from controller.domain.sweeps import Asked, Sweep

_PAST = {Verb.PAUSE: "paused", Verb.RESUME: "resumed", Verb.STOP: "stopped", Verb.CANCEL: "cancelled"}


def steer(draft: Draft, command: SweepVerb) -> Reply:
    """Obey a verb, or refuse it with what is possible instead; giving it twice is harmless."""
    sweep = draft.world.sweeps.get(command.sweep_id)
    if sweep is None:
        return unknown_sweep(command.sweep_id)
    froms, to = VERBS[command.verb]
    if sweep.state is to or (command.verb is Verb.RESUME and sweep.state is SweepState.PENDING):
        return Accepted(ids=(sweep.id,), text=f"sweep {sweep.id} is {sweep.state} already")
    if sweep.state not in froms:
        return Refused(
            reason=f"cannot {command.verb} sweep {sweep.id}: it is {sweep.state}",
            hint=_possible(draft, sweep),
        )
    match command:
        case PauseSweep():
            refused = None
        case ResumeSweep():
            refused = _resume(draft, sweep)
        case StopSweep():
            refused = None
        case CancelSweep():
            refused = _cancel(draft, sweep, command.actor)
    if refused is not None:
        return refused
    asked = Asked(verb=command.verb, actor=command.actor, at=draft.at)
    draft.add(AskedSet(sweep_id=sweep.id, asked=asked))
    if draft.world.sweeps[sweep.id].state is not to:
        since = draft.world.last_token if command.verb is Verb.RESUME else None
        draft.add(
            SweepStateSet(
                sweep_id=sweep.id,
                state=to,
                cause=f"{_PAST[command.verb]} by {command.actor}",
                at=draft.at,
                since_token=since,
            )
        )
    draft.note(f"{command.verb}", actor=command.actor, sweep_id=sweep.id)
    draft.settle_later(sweep.id)
    return Accepted(ids=(sweep.id,), text=f"sweep {sweep.id} is {to}")


def allowed(draft_world: object, sweep: Sweep) -> tuple[Verb, ...]:
    """Return the verbs the table allows for a sweep in this state."""
    return tuple(verb for verb, (froms, _) in VERBS.items() if sweep.state in froms)


def _possible(draft: Draft, sweep: Sweep) -> str:
    verbs = [str(verb) for verb in allowed(draft.world, sweep)]
    return f"possible now: {', '.join(verbs)}" if verbs else "nothing can be asked of it any more"


def _resume(draft: Draft, sweep: Sweep) -> Refused | None:
    if sweep.state in SWEEP_OPEN:
        return None
    world = draft.world
    runs = [world.runs[run_id] for run_id in world.runs_of[sweep.id]]
    cut_short = [run.id for run in runs if _was_cut_short(run) and not run.queued]
    # Those that are still dying of the cancel come back by themselves once they are dead.
    dying = any(run.state in RUN_ACTIVE and run.stop and run.stop.cause == CANCELLED for run in runs)
    left = endings.n_unstarted(world, sweep) != 0 or world.queue_of[sweep.id] or cut_short or dying
    if not left:
        return Refused(
            reason=f"cannot resume sweep {sweep.id}: it is {sweep.state} and has nothing left to give",
            hint="raise its run_cap, or queue runs again with `tui-sweeps retry --failed " + sweep.id + "`",
        )
    if sweep.target_reached:
        draft.add(TargetReachedSet(sweep_id=sweep.id, reached=False))
    for run_id in cut_short:
        requeue(draft, run_id, "sweep resumed")
    return None


def _was_cut_short(run: Run) -> bool:
    cancelled = run.state is RunState.KILLED and run.cause.startswith(CANCELLED)
    return cancelled or run.state is RunState.PREEMPTED


def _cancel(draft: Draft, sweep: Sweep, actor: str) -> Refused | None:
    world = draft.world
    if sweep.state is SweepState.STOPPED and not world.open_of[sweep.id]:
        return Refused(
            reason=f"cannot cancel sweep {sweep.id}: it is stopped and no run of it is active",
            hint=_possible(draft, sweep),
        )
    for token in tuple(world.open_of[sweep.id]):
        attempt = world.attempts[token]
        if attempt.state is AttemptState.ASSIGNED:
            close_assigned(draft, token, cause=CANCELLED, actor=actor)
        else:
            stop = StopAsk(actor=actor, at=draft.at, kill=True, cause=CANCELLED)
            draft.add(StopAskSet(run_id=attempt.run_id, stop=stop))
    for run_id in tuple(world.queue_of[sweep.id]):
        unqueue(draft, run_id, cause=CANCELLED, actor=actor)
    return None
