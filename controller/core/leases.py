"""What silence means, after how long."""

from __future__ import annotations

from msgspec.structs import replace

from controller.core.closing import abandon, crash, is_missing
from controller.core.draft import Draft
from controller.core.requeues import cut_short
from controller.domain.agents import AGENT_LIVE, Agent, AgentState
from controller.domain.changes import AgentSet, SweepStateSet
from controller.domain.events import AgentJoined
from controller.domain.runs import Attempt
from controller.domain.states import AttemptState, RunState, SweepState
from controller.domain.world import World


def ticked(draft: Draft) -> None:
    """Look at every lease."""
    world, now_s, timing = draft.world, draft.moment.mono_s, draft.moment.timing
    for open_tokens in tuple(world.open_of.values()):
        for token in tuple(open_tokens):
            silent_s = now_s - world.token_heard_s.setdefault(token, now_s)
            attempt = world.attempts[token]
            if attempt.state is AttemptState.ASSIGNED:
                if silent_s > timing.start_s:
                    abandon(draft, token, f"handed out to agent {attempt.agent_id} and not started")
            elif silent_s > timing.lease_s:
                _lose_attempt(draft, attempt, f"no word for {silent_s:.0f} s")
    for live in tuple(world.agents_of.values()):
        for agent_id in tuple(live):
            silent_s = now_s - world.heard_s.setdefault(agent_id, now_s)
            if silent_s > timing.lease_s:
                lose_agent(draft, agent_id, f"no word for {silent_s:.0f} s")
    _look_for_deserted(draft)


def _lose_attempt(draft: Draft, attempt: Attempt, cause: str) -> None:
    """An attempt fell silent; one that had said that it is being preempted is over, and no crash."""
    if draft.world.runs[attempt.run_id].state is RunState.PREEMPTING:
        cut_short(draft, attempt, f"preempted; {cause}")
    else:
        crash(draft, attempt.token, cause, evidence=_host_restarted(draft.world, attempt.agent_id))


def restarted(draft: Draft) -> None:
    """The controller was away or asleep: nobody dies for our downtime."""
    world, now_s = draft.world, draft.moment.mono_s
    for open_tokens in world.open_of.values():
        for token in open_tokens:
            world.token_heard_s[token] = now_s
    for live in world.agents_of.values():
        for agent_id in live:
            world.heard_s[agent_id] = now_s
    for sweep_id in world.deserted_s:
        world.deserted_s[sweep_id] = now_s
    for sweep_id in world.sweeps:
        draft.settle_later(sweep_id)


def lose_agent(draft: Draft, agent_id: str, cause: str) -> None:
    """An agent is believed gone."""
    agent = draft.world.agents[agent_id]
    draft.add(AgentSet(agent=replace(agent, state=AgentState.LOST, cause=cause, left_at=draft.at)))
    draft.note(f"agent {agent_id} on {agent.host} lost: {cause}", sweep_id=agent.sweep_id)
    draft.settle_later(agent.sweep_id)


def bury(draft: Draft, agent: Agent, cause: str) -> None:
    """There is evidence that an agent is dead: what it held is handed out again, also if it had crashed."""
    world = draft.world
    for attempt in tuple(world.attempts.values()):
        if attempt.agent_id != agent.id:
            continue
        if attempt.state is AttemptState.ASSIGNED:
            abandon(draft, attempt.token, "its agent died before the start")
        elif attempt.state is AttemptState.RUNNING or (
            attempt.state is AttemptState.CRASHED and _waits_for_evidence(world, attempt.run_id)
        ):
            crash(draft, attempt.token, f"agent died: {cause}", evidence=True)
    if agent.state in AGENT_LIVE:
        lose_agent(draft, agent.id, cause)


def _waits_for_evidence(world: World, run_id: str) -> bool:
    run = world.runs[run_id]
    return is_missing(run) and not run.queued


def look_for_restarted_host(draft: Draft, newcomer: AgentJoined) -> None:
    """A newcomer from a host with another boot id is evidence: whoever ran there before is dead."""
    world, silence_s = draft.world, draft.moment.timing.silence_for(len(draft.world.heard_s))
    for agent in tuple(world.agents.values()):
        if not _is_earlier_boot(agent, newcomer.host, newcomer.boot_id) or agent.state is AgentState.LEFT:
            continue
        heard_s = world.heard_s.get(agent.id)
        if agent.state is AgentState.LOST or heard_s is None or draft.moment.mono_s - heard_s > silence_s:
            bury(draft, agent, f"{agent.host} was restarted")


def _host_restarted(world: World, agent_id: str) -> bool:
    """Say whether somebody joined from the agent's host after a restart of that host."""
    agent = world.agents.get(agent_id)
    return agent is not None and any(
        other.joined_at > agent.joined_at and _is_earlier_boot(agent, other.host, other.boot_id)
        for other in world.agents.values()
    )


def _is_earlier_boot(agent: Agent, host: str, boot_id: str) -> bool:
    return agent.host == host and bool(agent.boot_id) and bool(boot_id) and agent.boot_id != boot_id


def _look_for_deserted(draft: Draft) -> None:
    """A sweep whose agents all vanished in the middle of runs counts as crashed after a while."""
    world, now_s = draft.world, draft.moment.mono_s
    for sweep in tuple(world.sweeps.values()):
        deserted = (
            sweep.state is SweepState.RUNNING
            and not world.agents_of[sweep.id]
            and not world.open_of[sweep.id]
            and world.counts_of[sweep.id][RunState.CRASHED] > 0
        )
        if not deserted:
            world.deserted_s.pop(sweep.id, None)
            continue
        since_s = world.deserted_s.setdefault(sweep.id, now_s)
        if now_s - since_s > draft.moment.timing.crashed_after_s:
            cause = "every agent vanished and none came back"
            draft.add(SweepStateSet(sweep_id=sweep.id, state=SweepState.CRASHED, cause=cause, at=draft.at))
            draft.note(f"crashed: {cause}", sweep_id=sweep.id)
            world.deserted_s.pop(sweep.id, None)
