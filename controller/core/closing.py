"""How attempts end and runs return to the queue: the moves that several decisions share."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from controller.core.draft import Draft
from controller.domain.agents import AgentState, JobState
from controller.domain.arrays import TASK_OVER, TaskState
from controller.domain.changes import (
    AgentSet,
    AttemptStateSet,
    RunFaultsSet,
    RunStateSet,
)
from controller.domain.runs import Attempt, Run
from controller.domain.states import SWEEP_OPEN, AttemptState, RunState

MAX_CRASHES = 3
"""A config that took this many agents or nodes down is not handed out again by itself."""

CANCELLED = "cancelled"
"""Cause of runs that ended because their sweep was cancelled."""


def faults(run: Run, **counts: Any) -> RunFaultsSet:
    """Return the change that counts against a run; what is not named stays as it is."""
    known = {field: getattr(run, field) for field in RunFaultsSet.__struct_fields__ if field != "run_id"}
    return RunFaultsSet(run_id=run.id, **(known | counts))


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
    """An ended run waits for its next attempt; a preempted one keeps its state, for it will be resumed."""
    run = draft.world.runs[run_id]
    state = RunState.PREEMPTED if run.state is RunState.PREEMPTED else RunState.PENDING
    draft.add(
        RunStateSet(run_id=run_id, state=state, cause=cause, queued=True, at=draft.at),
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
    Evidence may come after the lease ran out; one death counts once.
    """
    attempt = draft.world.attempts[token]
    run = draft.world.runs[attempt.run_id]
    sweep = draft.world.sweeps[attempt.sweep_id]
    draft.add(AttemptStateSet(token=token, state=AttemptState.CRASHED, cause=cause, at=draft.at))
    release_agent(draft, attempt)
    n_crashes = run.n_crashes + (attempt.state is not AttemptState.CRASHED)
    draft.add(faults(run, n_crashes=n_crashes))
    again = (evidence or sweep.config.on_lost == "fence") and sweep.state in SWEEP_OPEN
    if run.stop is not None:
        state, text, actor = RunState.KILLED, f"{run.stop.cause}; {cause}", run.stop.actor
        again = again and run.stop.cause == CANCELLED  # resumed since: the config is wanted again
    else:
        state, text, actor = RunState.CRASHED, cause, ""
        again = again and n_crashes < MAX_CRASHES
    draft.add(RunStateSet(run_id=run.id, state=state, cause=text, actor=actor, queued=again, at=draft.at))
    draft.note(f"crashed: {cause}", sweep_id=sweep.id, run_id=run.id)
    draft.settle_later(sweep.id)


def is_missing(run: Run) -> bool:
    """Say whether a run only counts as crashed: word of its agent, or of its task, may change that."""
    return run.state is RunState.CRASHED and not run.deleted


def revive(draft: Draft, attempt: Attempt) -> None:
    """An attempt believed crashed speaks again, and nothing has replaced it: it never crashed."""
    run = draft.world.runs[attempt.run_id]
    if attempt.state is not AttemptState.CRASHED or not is_missing(run):
        return
    if is_buried(draft, attempt.agent_id):
        return
    draft.add(
        AttemptStateSet(token=attempt.token, state=AttemptState.RUNNING, at=draft.at),
        RunStateSet(run_id=run.id, state=RunState.RUNNING, at=draft.at),
        faults(run, n_crashes=max(0, run.n_crashes - 1)),
    )
    agent = draft.world.agents.get(attempt.agent_id)
    if agent is not None and agent.token is None:
        draft.add(AgentSet(agent=replace(agent, token=attempt.token)))
    draft.note("revived: its agent was heard of again", sweep_id=run.sweep_id, run_id=run.id)
    draft.heard_attempt(attempt.token)
    draft.settle_later(run.sweep_id)


def is_buried(draft: Draft, agent_id: str) -> bool:
    """Say whether the agent is known to be over: words of it that arrive later bring nobody back."""
    agent = draft.world.agents.get(agent_id)
    if agent is not None and agent.state is AgentState.SUPERSEDED:
        return True
    job = None if agent is None or agent.job_id is None else draft.world.jobs.get(agent.job_id)
    if job is None or job.array is None:
        return job is not None and job.state is JobState.ENDED
    tasks = draft.world.tasks_of[job.id].values()
    return any(task.agent_id == agent_id and task.state in _SURELY_OVER for task in tasks)


_SURELY_OVER = TASK_OVER - {TaskState.LOST, TaskState.GONE}
"""A process on a node that is cut off may live on; SLURM knows of the others that they are dead."""
