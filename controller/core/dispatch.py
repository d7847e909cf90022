"""Handing out runs: join, ask, start. At most once per attempt, whatever the network repeats."""

from __future__ import annotations

from msgspec.structs import replace

from controller.core import endings, tasks
from controller.core.beats import note_time_left, rejoin
from controller.core.closing import abandon, close_assigned
from controller.core.draft import Draft
from controller.core.leases import look_for_restarted_host
from controller.core.requeues import is_kept, is_own, supersede
from controller.core.runtimes import needed_s, too_late
from controller.domain.agents import Agent, AgentState
from controller.domain.changes import (
    AgentAdded,
    AgentSet,
    AttemptAdded,
    AttemptStarted,
    RunAdded,
    RunStateSet,
    StopAskSet,
    SweepStateSet,
)
from controller.domain.events import AgentJoined, RunAsked, RunStarted
from controller.domain.replies import (
    ExitOrder,
    Granted,
    Joined,
    Refused,
    Reply,
    RunOrder,
    Superseded,
    WaitOrder,
)
from controller.domain.runs import Attempt, Run
from controller.domain.states import AttemptState, RunState, SweepState
from controller.domain.sweeps import Sweep
from controller.domain.world import World


def joined(draft: Draft, event: AgentJoined) -> Reply:
    """Let an agent in; the first one sets a pending sweep running."""
    *context, sweep_id = event.sweep_id.split("/")
    sweep = draft.world.sweeps.get(sweep_id)
    if sweep is None:
        return Refused(
            reason=f"there is no sweep {sweep_id}",
            hint="list the sweeps with `tui-sweeps ls`",
            code="unknown",
        )
    if context and context[-1] != sweep.project:
        return Refused(
            reason=f"sweep {sweep_id} belongs to project {sweep.project}, not {context[-1]}",
            hint=f"use {sweep.project}/{sweep_id} or the bare id",
            code="unknown",
        )
    if event.agent_id not in draft.world.agents:
        look_for_restarted_host(draft, event)
        agent = Agent(
            id=event.agent_id,
            sweep_id=sweep.id,
            host=event.host,
            pid=event.pid,
            boot_id=event.boot_id,
            job_id=event.job_id,
            job=event.job,
            node=event.node,
            cluster=event.cluster,
            array_job=event.array_job,
            array_task=event.array_task,
            slurm_job=event.slurm_job,
            restart=event.restart,
            n_gpus=max(0, event.n_gpus),
            end_at=None if event.time_left_s is None else draft.at + event.time_left_s,
            joined_at=draft.at,
            heard_at=draft.at,
        )
        draft.add(AgentAdded(agent=agent))
        supersede(draft, agent)
        draft.note(f"agent {agent.id} joined from {agent.host}", actor=f"agent {agent.id}", sweep_id=sweep.id)
        tasks.joined(draft, draft.world.agents[agent.id])
    else:
        rejoin(draft, event.agent_id)
    draft.heard_agent(event.agent_id)
    draft.world.deserted_s.pop(sweep.id, None)
    if sweep.state in (SweepState.PENDING, SweepState.CRASHED):
        draft.add(SweepStateSet(sweep_id=sweep.id, state=SweepState.RUNNING, cause="", at=draft.at))
    draft.settle_later(sweep.id)
    n_agents = len(draft.world.heard_s)
    return Joined(
        sweep_id=sweep.id,
        project=sweep.project,
        entity=sweep.entity,
        sweep_name=sweep.name,
        command=sweep.config.command,
        program=sweep.config.program,
        directory=sweep.directory,
        heartbeat_s=draft.moment.timing.heartbeat_for(n_agents),
        lease_s=draft.moment.timing.lease_s,
        on_lost=sweep.config.on_lost,
        capture=sweep.config.capture,
        time_matters=needed_s(draft.world, sweep) is not None,
    )


def asked(draft: Draft, event: RunAsked) -> Reply:
    """Answer an agent that wants a run; the same ask always gets the same run."""
    world = draft.world
    agent = world.agents.get(event.agent_id)
    if agent is None:
        return Refused(reason=f"agent {event.agent_id} is not known", hint="join first", code="unknown")
    draft.heard_agent(agent.id)
    known = world.asks.get((agent.id, event.ask))
    if known is not None:
        return _order(draft, world.attempts[known])
    sweep = world.sweeps[agent.sweep_id]
    if agent.token is not None and (held := world.attempts.get(agent.token)) is not None:
        if held.state is AttemptState.RUNNING:
            return Refused(
                reason=f"agent {agent.id} still executes run {held.run_id}", hint="report its end first"
            )
        if event.ask < held.ask:
            return WaitOrder(reason="this ask is older than the last one")
        if held.state is AttemptState.ASSIGNED:
            abandon(draft, held.token, "the agent asked for another run")
    rejoin(draft, agent.id)
    note_time_left(draft, agent.id, event.time_left_s)
    agent = world.agents[agent.id]
    if agent.state is not AgentState.ACTIVE or agent.kill:
        return ExitOrder(reason=agent.cause or f"agent is {agent.state}")
    match sweep.state:
        case SweepState.PAUSED:
            return WaitOrder(reason="the sweep is paused")
        case SweepState.PENDING | SweepState.RUNNING:
            return _next(draft, agent, sweep, event)
        case _:
            return ExitOrder(reason=f"the sweep is {sweep.state}")


def _next(draft: Draft, agent: Agent, sweep: Sweep, event: RunAsked) -> Reply:
    world = draft.world
    if not endings.has_more(world, sweep):
        return _wait_or_leave(draft, sweep)
    if late := too_late(world, sweep, event.time_left_s):
        return ExitOrder(reason=late)
    run = _from_queue(draft, agent, sweep)
    if run is None and endings.n_unstarted(world, sweep) != 0:
        run = _from_shelf(draft, sweep)
        if run is None:
            endings.want_one(draft, sweep)
            draft.settle_later(sweep.id)
            return WaitOrder(reason="search is thinking")
    if run is None:
        return _wait_or_leave(draft, sweep)
    return _assign(draft, agent, run, event.ask)


def _from_queue(draft: Draft, agent: Agent, sweep: Sweep) -> Run | None:
    """Take the first waiting run; one that failed on this agent only if there is no other.

    What an earlier instance of the agent's SLURM task had comes first, then what was preempted or never
    started, then what is retried. What is kept for another task is not there. The order is one of facts, so
    that a restart does not change it.
    """
    world = draft.world
    everything = [world.runs[run_id] for run_id in world.queue_of[sweep.id]]
    waiting = [run for run in everything if is_own(world, agent, run) or not is_kept(draft, run)]
    fresh = [run for run in waiting if agent.id not in run.failed_on]
    return min(
        fresh or waiting,
        key=lambda run: (not is_own(world, agent, run), not _was_cut_short(world, run), run.number),
        default=None,
    )


def _was_cut_short(world: World, run: Run) -> bool:
    return run.state is RunState.PREEMPTED or _unstarted_attempt(world, run) is not None


def _unstarted_attempt(world: World, run: Run) -> Attempt | None:
    """Return the run's latest attempt if it was handed out in vain."""
    latest = None if run.token is None else world.attempts.get(run.token)
    return latest if latest is not None and latest.state is AttemptState.ABANDONED else None


def _from_shelf(draft: Draft, sweep: Sweep) -> Run | None:
    shelf = draft.world.shelves.get(sweep.id, ())
    if not shelf:
        return None
    suggestion = shelf[0]
    number = draft.world.last_run_of.get(sweep.id, 0) + 1
    run = Run(
        id=draft.moment.new_id(),
        sweep_id=sweep.id,
        number=number,
        name=f"{sweep.name}-{number}",
        config=suggestion.config,
        suggestion=suggestion.number,
        index=suggestion.index,
        reason=suggestion.reason,
        created_at=draft.at,
    )
    draft.add(RunAdded(run=run))
    return run


def _assign(draft: Draft, agent: Agent, run: Run, ask: int) -> RunOrder:
    in_vain = _unstarted_attempt(draft.world, run)
    resume = run.state in (RunState.PREEMPTED, RunState.CRASHED) or (in_vain is not None and in_vain.resume)
    attempt = Attempt(
        token=draft.world.last_token + 1,
        run_id=run.id,
        sweep_id=run.sweep_id,
        number=run.attempt + 1,
        agent_id=agent.id,
        ask=ask,
        resume=resume,
        assigned_at=draft.at,
    )
    if run.state is not RunState.PENDING or run.queued:
        draft.add(RunStateSet(run_id=run.id, state=RunState.PENDING, at=draft.at))
    if run.stop is not None:
        draft.add(StopAskSet(run_id=run.id, stop=None))
    draft.add(AttemptAdded(attempt=attempt), AgentSet(agent=replace(agent, token=attempt.token)))
    draft.heard_attempt(attempt.token)
    draft.world.kept_s.pop(run.id, None)
    draft.settle_later(run.sweep_id)
    return _order(draft, attempt)


def _order(draft: Draft, attempt: Attempt) -> RunOrder:
    run = draft.world.runs[attempt.run_id]
    return RunOrder(
        run_id=run.id,
        name=run.name,
        number=run.number,
        token=attempt.token,
        attempt=attempt.number,
        config=run.config,
        resume=attempt.resume,
    )


def _wait_or_leave(draft: Draft, sweep: Sweep) -> Reply:
    """Nothing to hand out now: wait only while something may come back."""
    world = draft.world
    kept = [run for run_id in world.queue_of[sweep.id] if (run := world.runs[run_id]).kept_for]
    if kept and not sweep.target_reached:
        return WaitOrder(reason=f"run {kept[0].name} is kept for SLURM task {kept[0].kept_for}")
    open_attempts = [world.attempts[token] for token in world.open_of[sweep.id]]
    may_return = any(
        attempt.state is AttemptState.ASSIGNED or sweep.config.retry.max > 0 for attempt in open_attempts
    )
    if may_return and not sweep.target_reached:
        return WaitOrder(reason="the last runs are on their way")
    return ExitOrder(reason="the sweep has nothing more to give")


def started(draft: Draft, event: RunStarted) -> Reply:
    """Grant the execution of an attempt, once, to the agent that holds its token."""
    world = draft.world
    attempt = world.attempts.get(event.token)
    if attempt is None or attempt.agent_id != event.agent_id:
        return Superseded(reason="the run was handed out again or never to this agent")
    draft.heard_agent(event.agent_id)
    match attempt.state:
        case AttemptState.RUNNING:
            return Granted()
        case AttemptState.ASSIGNED:
            pass
        case _:
            return Superseded(reason=attempt.cause or f"the attempt is {attempt.state}")
    run = world.runs[attempt.run_id]
    sweep = world.sweeps[attempt.sweep_id]
    if run.stop is not None or sweep.state is SweepState.CANCELLED:
        actor = run.stop.actor if run.stop else "controller"
        close_assigned(draft, attempt.token, cause=run.stop.cause if run.stop else "cancelled", actor=actor)
        return Superseded(reason="the run was stopped before it started")
    agent = world.agents.get(event.agent_id)
    draft.add(
        AttemptStarted(
            token=attempt.token,
            host=event.host,
            job=agent.job if agent else "",
            directory=event.directory,
            argv=event.argv,
            at=draft.at,
            n_gpus=agent.n_gpus if agent else 0,
        ),
        RunStateSet(run_id=run.id, state=RunState.RUNNING, at=draft.at),
    )
    draft.heard_attempt(attempt.token)
    return Granted()
