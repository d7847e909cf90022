"""How attempts end and runs return to the queue: the moves that several decisions share."""

from __future__ import annotations

from msgspec.structs import replace

from controller.core.draft import Draft
from controller.domain.changes import (
    AgentSet,
    AttemptStateSet,
    RunFaultsSet,
    RunStateSet,
)
from controller.domain.runs import Attempt
from controller.domain.states import SWEEP_OPEN, AttemptState, RunState

MAX_CRASHES = 3
"""A config that took this many agents or nodes down is not handed out again by itself."""


def release_agent(draft: Draft, attempt: Attempt) -> None:
    """The agent is free again."""
    agent = draft.world.agents.get(attempt.agent_id)
    if agent is not None and agent.token == attempt.token:
        draft.add(AgentSet(agent=replace(agent, token=None)))


def abandon(draft: Draft, token: int, cause: str) -> None:
    """A config that was handed out and never started goes back to the front; nothing was executed."""
    attempt = draft.world.attempts[token]
    draft.add(AttemptStateSet(token=token, state=AttemptState.ABANDONED, cause=cause, at=draft.at))
    release_agent(draft, attempt)
    draft.add(
        RunStateSet(run_id=attempt.run_id, state=RunState.PENDING, cause=cause, queued=True, at=draft.at)
    )
    draft.settle_later(attempt.sweep_id)


def close_assigned(draft: Draft, token: int, *, cause: str, actor: str) -> None:
    """A config that was handed out and not started is wanted no more."""
    attempt = draft.world.attempts[token]
    draft.add(AttemptStateSet(token=token, state=AttemptState.ABANDONED, cause=cause, at=draft.at))
    release_agent(draft, attempt)
    draft.add(
        RunStateSet(run_id=attempt.run_id, state=RunState.KILLED, cause=cause, actor=actor, at=draft.at)
    )
    draft.settle_later(attempt.sweep_id)


def requeue(draft: Draft, run_id: str, cause: str) -> None:
    """An ended run waits for its next attempt."""
    run = draft.world.runs[run_id]
    draft.add(
        RunStateSet(run_id=run_id, state=RunState.PENDING, cause=cause, queued=True, at=draft.at),
        RunFaultsSet(run_id=run_id, n_failures=0, n_crashes=0, failed_on=(), set_aside=False),
    )
    draft.settle_later(run.sweep_id)


def unqueue(draft: Draft, run_id: str, *, cause: str, actor: str) -> None:
    """A waiting run is wanted no more; one that already has an end keeps it."""
    run = draft.world.runs[run_id]
    if run.state in (RunState.PENDING, RunState.PREEMPTED):
        state, text, who = RunState.KILLED, cause, actor
    else:
        state, text, who = run.state, run.cause, run.actor
    draft.add(
        RunStateSet(
            run_id=run_id,
            state=state,
            cause=text,
            exit_code=run.exit_code,
            signal=run.signal,
            actor=who,
            at=run.ended_at or draft.at,
        )
    )
    draft.settle_later(run.sweep_id)


def crash(draft: Draft, token: int, cause: str, *, evidence: bool) -> None:
    """The agent or its host vanished.

    With evidence of death the config is handed out again at once. Without it the program may still
    be training: under `on_lost: keep` the config waits for a late word, for evidence or for the user.
    """
    attempt = draft.world.attempts[token]
    run = draft.world.runs[attempt.run_id]
    sweep = draft.world.sweeps[attempt.sweep_id]
    draft.add(AttemptStateSet(token=token, state=AttemptState.CRASHED, cause=cause, at=draft.at))
    release_agent(draft, attempt)
    n_crashes = run.n_crashes + 1
    draft.add(
        RunFaultsSet(
            run_id=run.id,
            n_failures=run.n_failures,
            n_crashes=n_crashes,
            failed_on=run.failed_on,
            set_aside=run.set_aside,
        )
    )
    if run.stop is not None:
        text = f"{run.stop.cause}; {cause}"
        draft.add(
            RunStateSet(run_id=run.id, state=RunState.KILLED, cause=text, actor=run.stop.actor, at=draft.at)
        )
    else:
        again = (
            (evidence or sweep.config.on_lost == "fence")
            and n_crashes < MAX_CRASHES
            and sweep.state in SWEEP_OPEN
        )
        draft.add(RunStateSet(run_id=run.id, state=RunState.CRASHED, cause=cause, queued=again, at=draft.at))
    draft.note(f"crashed: {cause}", sweep_id=sweep.id, run_id=run.id)
    draft.settle_later(sweep.id)
