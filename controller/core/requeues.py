"""SLURM runs a task again: the instance before is dead or cut off, and its run waits for the new one.

A node that lost its network goes on working while SLURM starts the same task elsewhere, so two live
copies of one task are ordinary. The one with the higher restart count is right; the other is told to end,
and what it says counts no more once its run was handed out again.
"""

from __future__ import annotations

from msgspec.structs import replace

from controller.core.closing import CANCELLED, abandon, faults, is_missing, release_agent
from controller.core.draft import Draft
from controller.core.headway import count_preemption, is_stuck
from controller.domain.agents import AGENT_LIVE, Agent, AgentState, task_of
from controller.domain.changes import AgentSet, AttemptStateSet, RunStateSet
from controller.domain.runs import Attempt, Run
from controller.domain.states import SWEEP_OPEN, AttemptState, RunState
from controller.domain.world import World


def supersede(draft: Draft, newcomer: Agent) -> None:
    """An agent joined: earlier instances of its SLURM task are over, or it is itself one of them."""
    task = task_of(newcomer)
    if task is None:
        return
    for other in tuple(draft.world.agents.values()):
        if other.id == newcomer.id or task_of(other) != task or other.restart == newcomer.restart:
            continue
        if other.restart < newcomer.restart:
            _end(draft, other, newcomer)
        elif other.state in AGENT_LIVE:
            _end(draft, newcomer, other)
            return


def _end(draft: Draft, agent: Agent, later: Agent) -> None:
    """What the earlier instance held goes back; its later words change nothing."""
    world = draft.world
    cause = f"SLURM task {agent.job} was started again (restart {later.restart})"
    held = [attempt for attempt in world.attempts.values() if attempt.agent_id == agent.id]
    for attempt in held:
        run = world.runs[attempt.run_id]
        if attempt.state is AttemptState.ASSIGNED:
            abandon(draft, attempt.token, cause)
        elif attempt.state is AttemptState.RUNNING or (
            attempt.state is AttemptState.CRASHED and is_missing(run)
        ):
            cut_short(draft, attempt, cause, kept_for=later.job)
    agent = world.agents[agent.id]
    if agent.state not in (AgentState.LEFT, AgentState.SUPERSEDED):
        gone = replace(agent, state=AgentState.SUPERSEDED, cause=cause, left_at=draft.at)
        draft.add(AgentSet(agent=gone))
        draft.note(f"agent {agent.id} on {agent.host} superseded: {cause}", sweep_id=agent.sweep_id)
        draft.settle_later(agent.sweep_id)


def cut_short(
    draft: Draft, attempt: Attempt, cause: str, *, kept_for: str = "", out_of_time: bool = False
) -> None:
    """The scheduler took the node away before the run could say anything: it is resumed."""
    run = draft.world.runs[attempt.run_id]
    sweep = draft.world.sweeps[attempt.sweep_id]
    draft.add(
        AttemptStateSet(token=attempt.token, state=AttemptState.PREEMPTED, cause=cause, at=draft.at),
        # If its silence was counted as a crash before, it was none.
        faults(run, n_crashes=run.n_crashes - (attempt.state is AttemptState.CRASHED)),
    )
    release_agent(draft, attempt)
    cause = count_preemption(draft, run.id, cause, out_of_time=out_of_time)
    state, actor, queued = RunState.PREEMPTED, "", True
    if run.stop is not None:
        state, cause, actor = RunState.KILLED, f"{run.stop.cause}; {cause}", run.stop.actor
        queued = run.stop.cause == CANCELLED
    elif is_stuck(draft.world.runs[run.id]):
        state, queued = RunState.CRASHED, False
    queued = queued and sweep.state in SWEEP_OPEN
    draft.add(
        RunStateSet(
            run_id=run.id,
            state=state,
            cause=cause,
            actor=actor,
            queued=queued,
            kept_for=kept_for if queued else "",
            at=draft.at,
        )
    )
    keep(draft, run.id)
    draft.note(f"{state}: {cause}", sweep_id=sweep.id, run_id=run.id)
    draft.settle_later(sweep.id)


def keep(draft: Draft, run_id: str) -> None:
    """From now on a preempted run waits for its own task."""
    draft.world.kept_s[run_id] = draft.moment.mono_s


def is_own(world: World, agent: Agent, run: Run) -> bool:
    """Say whether an earlier instance of the agent's SLURM task had this run."""
    before = None if run.agent_id is None else world.agents.get(run.agent_id)
    task = task_of(agent)
    return before is not None and task is not None and task_of(before) == task and before.id != agent.id


def is_kept(draft: Draft, run: Run) -> bool:
    """Say whether a waiting run is still kept for its own SLURM task; the clock is full after a restart."""
    if not run.kept_for:
        return False
    now_s = draft.moment.mono_s
    return now_s - draft.world.kept_s.setdefault(run.id, now_s) < draft.moment.timing.kept_s
