"""Signs of life, and what agents are told in return."""

from __future__ import annotations

from msgspec.structs import replace

from controller.core import tasks
from controller.core.closing import abandon, is_buried, revive
from controller.core.draft import Draft
from controller.domain.agents import Agent, AgentState
from controller.domain.changes import AgentSet, SweepStateSet
from controller.domain.events import AgentBeat, AgentLeft
from controller.domain.replies import Acked, AgentOrder, Refused, Reply, Wish
from controller.domain.states import SWEEP_OPEN, AttemptState, RunState, SweepState
from controller.domain.timing import Timing
from controller.domain.world import World

HEARD_EVERY_S = 60.0
"""`heard_at` is written down this often at most: a heartbeat alone costs no disk access."""

END_NEWS_S = 60.0
"""An end that moved by less is no news: SLURM counts in minutes."""


def beat(draft: Draft, event: AgentBeat) -> Reply:
    """Take a heartbeat and answer with the desired state."""
    agent = draft.world.agents.get(event.agent_id)
    if agent is None:
        return Refused(reason=f"agent {event.agent_id} is not known", hint="join first", code="unknown")
    draft.heard_agent(agent.id)
    rejoin(draft, agent.id)
    note_time_left(draft, agent.id, event.time_left_s)
    agent = draft.world.agents[agent.id]
    if draft.at - agent.heard_at >= HEARD_EVERY_S:
        draft.add(AgentSet(agent=replace(agent, heard_at=draft.at)))
    attempt = None if event.token is None else draft.world.attempts.get(event.token)
    if attempt is not None and attempt.agent_id == agent.id:
        revive(draft, attempt)
        if attempt.token in draft.world.open_of[agent.sweep_id]:
            draft.heard_attempt(attempt.token)
    return order_for(draft.world, draft.world.agents[agent.id], event.token, draft.moment.timing)


def order_for(world: World, agent: Agent, told: int | None, timing: Timing) -> AgentOrder:
    """Return what the controller wants of an agent that said it executes `told` (or nothing).

    What the agent said may be older than what it was handed since: a held answer speaks of the latter.
    But an attempt that was replaced is told its end in any case, for it may never report and so never
    learn of it otherwise.
    """
    replaced = told is not None and told not in world.attempts
    token = told if replaced or agent.token is None else agent.token
    return AgentOrder(
        wish=_wish(world, agent, token), token=token, heartbeat_s=timing.heartbeat_for(len(world.heard_s))
    )


def _wish(world: World, agent: Agent, token: int | None) -> Wish:
    leave = agent.state is not AgentState.ACTIVE or world.sweeps[agent.sweep_id].state not in SWEEP_OPEN
    if token is None:
        return Wish.LEAVE if leave else Wish.GO_ON
    attempt = world.attempts.get(token)
    run = None if attempt is None else world.runs[attempt.run_id]
    if run is None or run.deleted or run.token != token or agent.state is AgentState.SUPERSEDED:
        return Wish.KILL_LEAVE if leave else Wish.KILL
    if run.stop is None and not agent.kill:
        return Wish.LEAVE if leave else Wish.GO_ON
    if agent.kill or (run.stop is not None and run.stop.kill):
        return Wish.KILL_LEAVE if leave else Wish.KILL
    return Wish.STOP_LEAVE if leave else Wish.STOP


def note_time_left(draft: Draft, agent_id: str, time_left_s: float | None) -> None:
    """Write down when the agent's job ends, if that is news."""
    if time_left_s is None:
        return
    agent, end_at = draft.world.agents[agent_id], draft.at + time_left_s
    if agent.end_at is None or abs(agent.end_at - end_at) > END_NEWS_S:
        draft.add(AgentSet(agent=replace(agent, end_at=end_at)))


def rejoin(draft: Draft, agent_id: str) -> None:
    """An agent believed lost speaks again, and with it a sweep that was given up."""
    agent = draft.world.agents[agent_id]
    if agent.state not in (AgentState.LOST, AgentState.LEFT) or is_buried(draft, agent_id):
        return
    draft.add(
        AgentSet(agent=replace(agent, state=AgentState.ACTIVE, cause="", heard_at=draft.at, left_at=None))
    )
    draft.heard_agent(agent_id)
    draft.world.deserted_s.pop(agent.sweep_id, None)
    if draft.world.sweeps[agent.sweep_id].state is SweepState.CRASHED:
        draft.add(SweepStateSet(sweep_id=agent.sweep_id, state=SweepState.RUNNING, cause="", at=draft.at))


def left(draft: Draft, event: AgentLeft) -> Reply:
    """An agent says goodbye; what it had not started goes back to the queue."""
    agent = draft.world.agents.get(event.agent_id)
    if agent is None or agent.state in (AgentState.LEFT, AgentState.SUPERSEDED):
        return Acked()
    attempt = None if agent.token is None else draft.world.attempts.get(agent.token)
    if attempt is not None and attempt.state is AttemptState.ASSIGNED:
        abandon(draft, attempt.token, "the agent left before the start")
        agent = draft.world.agents[agent.id]
    draft.add(
        AgentSet(
            agent=replace(
                agent,
                state=AgentState.LEFT,
                cause=event.cause,
                token=agent.token if _is_open(draft.world, agent.token) else None,
                heard_at=draft.at,
                left_at=draft.at,
            )
        )
    )
    draft.note(
        f"agent {agent.id} left: {event.cause or 'done'}", actor=f"agent {agent.id}", sweep_id=agent.sweep_id
    )
    tasks.left(draft, agent)
    draft.settle_later(agent.sweep_id)
    return Acked()


def _is_open(world: World, token: int | None) -> bool:
    if token is None or token not in world.attempts:
        return False
    return world.runs[world.attempts[token].run_id].state in (RunState.RUNNING, RunState.PREEMPTING)
