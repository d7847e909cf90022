"""Breakers: one bad node, one bad config or one bug must not burn the whole sweep.

Preemptions and operators' kills never count.
"""

from __future__ import annotations

from msgspec.structs import replace

from controller.core.closing import faults, requeue
from controller.core.draft import Draft
from controller.domain.agents import Agent, AgentState
from controller.domain.changes import AgentSet, RunStateSet, SweepStateSet
from controller.domain.runs import Attempt
from controller.domain.states import RunState, SweepState

AGENT_STREAK = 3
"""Quick failures in a row, at least, before an agent is put into quarantine."""
CHANCE = 2e-3
"""A streak counts against the agent only when bad luck alone, at the rate at which everybody else fails,
gives one like it less often than once in so many sweeps of the present length: where 22 % of all
configs fail, three in a row say nothing."""
SWEEP_FIRST = 5
"""So many first attempts that all fail stop a sweep."""
CONFIG_AGENTS = 3
"""A config that failed on so many agents while others succeed is set aside."""


def failed(draft: Draft, attempt: Attempt) -> None:
    """Look at every breaker after a failure."""
    _config_breaker(draft, attempt)
    quarantined = _agent_breaker(draft, attempt)
    _sweep_breaker(draft, attempt, quarantined=quarantined)


def _config_breaker(draft: Draft, attempt: Attempt) -> None:
    run = draft.world.runs[attempt.run_id]
    others_succeed = draft.world.counts_of[run.sweep_id][RunState.FINISHED] > 0
    if run.set_aside or len(set(run.failed_on)) < CONFIG_AGENTS or not others_succeed:
        return
    draft.add(faults(run, set_aside=True))
    if run.queued:
        draft.add(
            RunStateSet(
                run_id=run.id,
                state=run.state,
                cause=run.cause,
                exit_code=run.exit_code,
                signal=run.signal,
                at=draft.at,
            )
        )
    draft.note(f"set aside: failed on {CONFIG_AGENTS} agents", sweep_id=run.sweep_id, run_id=run.id)


def _agent_breaker(draft: Draft, attempt: Attempt) -> bool:
    agent = draft.world.agents.get(attempt.agent_id)
    if agent is None or agent.state is not AgentState.ACTIVE or agent.n_quick_failures < AGENT_STREAK:
        return False
    if _n_streaks_by_chance(draft, agent) >= CHANCE:
        return False
    cause = f"quarantined: {agent.n_quick_failures} quick failures in a row"
    draft.add(AgentSet(agent=replace(agent, state=AgentState.QUARANTINED, cause=cause)))
    draft.note(f"agent {agent.id} on {agent.host} {cause}", sweep_id=agent.sweep_id)
    if draft.world.counts_of[agent.sweep_id][RunState.FINISHED]:
        _give_back(draft, agent)
    return True


def _n_streaks_by_chance(draft: Draft, agent: Agent) -> float:
    """Return how many streaks like this agent's the sweep so far gives by bad luck, all agents together.

    Any attempt may begin one, and each of its failures happens at the rate of those outside the streak.
    """
    agents = [a for a in draft.world.agents.values() if a.sweep_id == agent.sweep_id]
    n_all = sum(a.n_runs for a in agents)
    n_elsewhere = n_all - agent.n_quick_failures
    n_failures = sum(a.n_failures for a in agents) - agent.n_quick_failures
    # One more failure than was seen: a rate from few attempts may be low by luck itself.
    share = (n_failures + 1) / (n_elsewhere + 1) if n_failures else 0.0
    return float(n_all * share**agent.n_quick_failures)


def _give_back(draft: Draft, agent: Agent) -> None:
    """The configs of the streak were not at fault: others get them, unharmed."""
    world = draft.world
    streak = sorted(
        (
            run
            for run_id in world.runs_of[agent.sweep_id]
            if (run := world.runs[run_id]).state is RunState.FAILED
            and run.agent_id == agent.id
            and not run.queued
        ),
        key=lambda run: run.token or 0,
    )[-agent.n_quick_failures :]
    for run in streak:
        requeue(draft, run.id, f"its agent was quarantined after {run.cause}")


def _sweep_breaker(draft: Draft, attempt: Attempt, *, quarantined: bool) -> None:
    sweep = draft.world.sweeps[attempt.sweep_id]
    if sweep.state is not SweepState.RUNNING:
        return
    n_failed = 0
    for run_id in draft.world.runs_of[sweep.id]:
        other = draft.world.runs[run_id]
        if other.token is None or other.token <= sweep.since_token:
            continue
        if other.state is RunState.FINISHED or (other.verdict is not None and other.verdict.stop):
            return
        n_failed += other.n_failures
    active = [
        a
        for agent_id in draft.world.agents_of[sweep.id]
        if (a := draft.world.agents[agent_id]).state is AgentState.ACTIVE
    ]
    if n_failed < SWEEP_FIRST and not (quarantined and not active):
        return
    run = draft.world.runs[attempt.run_id]
    cause = f"breaker: all {n_failed} attempts failed, the last one ({run.name}) with {run.cause}"
    draft.add(
        SweepStateSet(sweep_id=sweep.id, state=SweepState.PAUSED, cause=cause, at=draft.at, breaker=True)
    )
    draft.note(cause, sweep_id=sweep.id, run_id=run.id)
