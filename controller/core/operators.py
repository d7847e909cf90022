"""What operators ask of single runs and agents."""

from __future__ import annotations

from msgspec.structs import replace

from controller.core.closing import close_assigned, requeue, unqueue
from controller.core.draft import Draft
from controller.domain.agents import AGENT_LIVE, AgentState
from controller.domain.changes import AgentSet, StopAskSet, SweepStateSet
from controller.domain.commands import DrainAgents, RetryRuns, StopAgents, StopRuns
from controller.domain.replies import Accepted, Refused, Reply
from controller.domain.runs import Run, StopAsk
from controller.domain.states import RUN_ACTIVE, RunState, SweepState

STOPPED = "stopped"
"""Cause of runs that an operator stopped one by one."""


def stop_runs(draft: Draft, command: StopRuns) -> Reply:
    """Ask for the end of these runs; those that have ended already are named and left alone."""
    runs, refused = find_runs(draft, command.run_ids)
    if refused is not None:
        return refused
    alive = [run for run in runs if run.state in RUN_ACTIVE or run.state is RunState.PENDING or run.queued]
    if not alive:
        return Refused(reason=_ended_already(runs), hint="only pending and running runs can be stopped")
    for run in alive:
        _stop(draft, run, command.actor)
        draft.note("stop asked", actor=command.actor, sweep_id=run.sweep_id, run_id=run.id)
    skipped = len(runs) - len(alive)
    text = f"asked {len(alive)} run(s) to stop" + (f"; {skipped} had ended already" if skipped else "")
    return Accepted(ids=tuple(run.id for run in alive), text=text)


def _stop(draft: Draft, run: Run, actor: str) -> None:
    if run.state in RUN_ACTIVE:
        if run.stop is None:
            stop = StopAsk(actor=actor, at=draft.at, cause=STOPPED)
            draft.add(StopAskSet(run_id=run.id, stop=stop))
    elif run.queued:
        unqueue(draft, run.id, cause=STOPPED, actor=actor)
    elif run.token is not None:
        close_assigned(draft, run.token, cause=STOPPED, actor=actor)


def retry_runs(draft: Draft, command: RetryRuns) -> Reply:
    """Queue ended runs for another attempt of the same config."""
    runs, refused = find_runs(draft, command.run_ids)
    if refused is not None:
        return refused
    retryable = {RunState.FAILED, RunState.CRASHED, RunState.KILLED}
    if command.force:
        retryable.add(RunState.FINISHED)
    chosen = [
        run for run in runs if run.state in retryable or (run.state is RunState.PREEMPTED and not run.queued)
    ]
    if not chosen:
        states = ", ".join(sorted({str(run.state) for run in runs}))
        return Refused(
            reason=f"nothing to retry: {states}",
            hint="failed, crashed and killed runs can be retried; finished ones with --force",
        )
    texts = []
    for run in chosen:
        requeue(draft, run.id, f"retry asked by {command.actor}")
        draft.note("retry asked", actor=command.actor, sweep_id=run.sweep_id, run_id=run.id)
    for sweep_id in dict.fromkeys(run.sweep_id for run in chosen):
        texts += _reopen(draft, sweep_id, command.actor)
    text = "; ".join([f"queued {len(chosen)} run(s) again", *texts])
    return Accepted(ids=tuple(run.id for run in chosen), text=text)


def _reopen(draft: Draft, sweep_id: str, actor: str) -> list[str]:
    sweep = draft.world.sweeps[sweep_id]
    match sweep.state:
        case SweepState.FINISHED if sweep.target_reached:
            return [f"sweep {sweep_id} reached its target: resume it so that they are handed out"]
        case SweepState.FINISHED | SweepState.FAILED | SweepState.CRASHED:
            draft.add(
                SweepStateSet(
                    sweep_id=sweep_id,
                    state=SweepState.RUNNING,
                    cause=f"runs retried by {actor}",
                    at=draft.at,
                    since_token=draft.world.last_token,
                )
            )
            return []
        case SweepState.STOPPED | SweepState.CANCELLED | SweepState.PAUSED:
            return [f"sweep {sweep_id} is {sweep.state}: resume it so that they are handed out"]
        case _:
            return []


def drain_agents(draft: Draft, command: DrainAgents) -> Reply:
    """Let agents leave when their run has ended."""
    return _dismiss(draft, command.agent_ids, command.actor, stop=False)


def stop_agents(draft: Draft, command: StopAgents) -> Reply:
    """Let agents stop their run and leave."""
    return _dismiss(draft, command.agent_ids, command.actor, stop=True)


def _dismiss(draft: Draft, agent_ids: tuple[str, ...], actor: str, *, stop: bool) -> Reply:
    world = draft.world
    for agent_id in agent_ids:
        if agent_id not in world.agents:
            return Refused(reason=f"there is no agent {agent_id}", code="unknown")
    live = [world.agents[agent_id] for agent_id in agent_ids if world.agents[agent_id].state in AGENT_LIVE]
    if not live:
        return Refused(reason="these agents have left already")
    for agent in live:
        if agent.state is AgentState.ACTIVE:
            cause = f"asked to leave by {actor}"
            draft.add(AgentSet(agent=replace(agent, state=AgentState.DRAINING, cause=cause)))
        attempt = None if agent.token is None else world.attempts.get(agent.token)
        if stop and attempt is not None:
            _stop(draft, world.runs[attempt.run_id], actor)
        draft.note(
            f"agent {agent.id} asked to {'stop' if stop else 'drain'}", actor=actor, sweep_id=agent.sweep_id
        )
        draft.settle_later(agent.sweep_id)
    return Accepted(ids=tuple(agent.id for agent in live), text=f"asked {len(live)} agent(s) to leave")


def find_runs(draft: Draft, run_ids: tuple[str, ...]) -> tuple[list[Run], Refused | None]:
    """Return the runs of these ids, each once, or why there are none."""
    known = draft.world.runs
    missing = [run_id for run_id in run_ids if run_id not in known or known[run_id].deleted]
    if missing or not run_ids:
        what = ", ".join(missing[:5]) or "(none given)"
        hint = "list runs with `tui-sweeps runs SWEEP_ID`"
        return [], Refused(reason=f"there is no run {what}", hint=hint, code="unknown")
    return [draft.world.runs[run_id] for run_id in dict.fromkeys(run_ids)], None


def _ended_already(runs: list[Run]) -> str:
    return "already ended: " + ", ".join(f"{run.name} ({run.state})" for run in runs[:5])
