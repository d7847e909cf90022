"""What became of an attempt: what its end means for the run, its retries and its agent."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from controller.core import breakers, endings
from controller.core.closing import CANCELLED, crash, faults, release_agent
from controller.core.draft import Draft
from controller.core.headway import count_preemption, is_stuck
from controller.core.requeues import keep
from controller.core.unlogged import look_at_end
from controller.domain.agents import Agent
from controller.domain.changes import AgentSet, AttemptStateSet, RunStateSet
from controller.domain.events import RunEnded
from controller.domain.replies import Acked, MissingFrom, Refused, Reply, Superseded
from controller.domain.runs import Attempt, Run
from controller.domain.states import ATTEMPT_OPEN, SWEEP_OPEN, AttemptState, RunState
from controller.domain.sweeps import Sweep

ENDS = frozenset(
    {
        AttemptState.FINISHED,
        AttemptState.FAILED,
        AttemptState.KILLED,
        AttemptState.PREEMPTED,
        AttemptState.CRASHED,
    }
)
"""What an agent can say that became of an attempt."""


def ended(draft: Draft, event: RunEnded) -> Reply:
    """Close an attempt, once all its report lines are in."""
    if event.state not in ENDS:
        return Refused(reason=f"{event.state} is no end", hint=f"say one of {', '.join(sorted(ENDS))}")
    attempt = draft.world.attempts.get(event.token)
    if attempt is None or attempt.agent_id != event.agent_id:
        return Superseded(reason="another attempt of this run took over; this one's end does not count")
    draft.heard_agent(event.agent_id)
    if attempt.state is AttemptState.ABANDONED:
        return Superseded(reason=attempt.cause)
    if draft.world.runs[attempt.run_id].deleted:
        return Superseded(reason="the run was deleted")
    if attempt.state not in ATTEMPT_OPEN and attempt.state is not AttemptState.CRASHED:
        return Acked(last_seq=attempt.last_seq)
    if attempt.state is AttemptState.ASSIGNED:
        return Refused(reason=f"attempt {event.token} was not started", hint="send its start first")
    if event.last_seq > attempt.last_seq:
        return MissingFrom(seq=attempt.last_seq + 1)
    run = draft.world.runs[attempt.run_id]
    if attempt.state is AttemptState.CRASHED and run.state is not RunState.CRASHED:
        return Acked(last_seq=attempt.last_seq)
    _close(draft, attempt, run, event)
    return Acked(last_seq=attempt.last_seq)


@dataclass(frozen=True, slots=True)
class _End:
    """What an attempt's end makes of its run."""

    state: RunState
    cause: str
    actor: str = ""


def _close(draft: Draft, attempt: Attempt, run: Run, event: RunEnded) -> None:
    end = _end_of(run, event)
    if end.state is RunState.CRASHED:
        crash(draft, attempt.token, end.cause or "the agent lost it", evidence=True)
        return
    draft.add(
        AttemptStateSet(
            token=attempt.token,
            state=AttemptState(end.state.value),
            cause=end.cause,
            exit_code=event.exit_code,
            signal=event.signal,
            at=draft.at,
        )
    )
    release_agent(draft, attempt)
    end = _counted(draft, attempt, end, event)
    _end_run(draft, attempt, end, event)
    keep(draft, run.id)
    _count_for_agent(draft, attempt, end.state)
    sweep = draft.world.sweeps[attempt.sweep_id]
    if end.state is RunState.FAILED:
        breakers.failed(draft, draft.world.attempts[attempt.token])
    if end.state is RunState.FINISHED:
        look_at_end(draft, sweep, draft.world.runs[run.id])
    else:
        actor = end.actor or "controller"
        draft.note(f"{end.state}: {end.cause}", actor=actor, sweep_id=sweep.id, run_id=run.id)
    endings.want_fresh(draft, draft.world.sweeps[sweep.id])
    draft.settle_later(sweep.id)


def _counted(draft: Draft, attempt: Attempt, end: _End, event: RunEnded) -> _End:
    """Count a preemption or failure for the run; one preemption too many crashes it."""
    run = draft.world.runs[attempt.run_id]
    if end.state is RunState.PREEMPTED:
        cause = count_preemption(draft, run.id, end.cause, out_of_time=event.out_of_time)
        stuck = is_stuck(draft.world.runs[run.id])
        return _End(RunState.CRASHED if stuck else end.state, cause, end.actor)
    if end.state is RunState.FAILED:
        failed_on = (*run.failed_on, attempt.agent_id)
        draft.add(faults(run, n_failures=run.n_failures + 1, failed_on=failed_on))
    return end


def _end_run(draft: Draft, attempt: Attempt, end: _End, event: RunEnded) -> None:
    """Set the run's state, and queue it where it is to be handed out again."""
    again = _again(draft, draft.world.sweeps[attempt.sweep_id], attempt.run_id, end.state)
    agent = draft.world.agents.get(attempt.agent_id)
    draft.add(
        RunStateSet(
            run_id=attempt.run_id,
            state=end.state,
            cause=end.cause,
            exit_code=event.exit_code,
            signal=event.signal,
            actor=end.actor,
            queued=again,
            kept_for=agent.job if agent is not None and again and event.comes_back else "",
            at=draft.at,
        )
    )


def _end_of(run: Run, event: RunEnded) -> _End:
    state = RunState(event.state.value)
    if state in (RunState.KILLED, RunState.PREEMPTED) and run.stop is not None:
        # Preempted while it was being stopped: it is not to come back.
        return _End(RunState.KILLED, run.stop.cause, run.stop.actor)
    if run.stop is not None and run.stop.kill and state is RunState.FAILED:
        return _End(RunState.KILLED, run.stop.cause, run.stop.actor)
    if state is RunState.FAILED and run.state is RunState.PREEMPTING:
        return _End(RunState.PREEMPTED, event.cause or "preempted")
    return _End(state, event.cause or _plain_cause(state, event))


def _plain_cause(state: RunState, event: RunEnded) -> str:
    """Return a cause for an agent that gave none."""
    if event.signal is not None:
        return f"signal {event.signal}"
    if event.exit_code:
        return f"exit code {event.exit_code}"
    return "" if state is RunState.FINISHED else f"{state}, said its agent"


def _again(draft: Draft, sweep: Sweep, run_id: str, state: RunState) -> bool:
    """Say whether the run is to be handed out again by itself."""
    run = draft.world.runs[run_id]
    if sweep.state not in SWEEP_OPEN:
        return False
    if run.stop is not None:
        # Not after a stop; but a sweep that was cancelled and resumed at once gives its configs again.
        return state is RunState.KILLED and run.stop.cause == CANCELLED
    if state is RunState.PREEMPTED:
        return True
    retry = sweep.config.retry
    return (
        state is RunState.FAILED
        and state.value in retry.on
        and run.n_failures <= retry.max
        and not run.set_aside
    )


def _count_for_agent(draft: Draft, attempt: Attempt, state: RunState) -> None:
    agent: Agent | None = draft.world.agents.get(attempt.agent_id)
    if agent is None:
        return
    lasted_s = draft.at - (attempt.started_at or draft.at)
    quick = state is RunState.FAILED and lasted_s < draft.moment.timing.quick_s
    n_quick = agent.n_quick_failures + 1 if quick else agent.n_quick_failures
    if state is RunState.FINISHED or (state is RunState.FAILED and not quick):
        n_quick = 0
    draft.add(
        AgentSet(
            agent=replace(
                agent,
                n_runs=agent.n_runs + 1,
                n_failures=agent.n_failures + (state is RunState.FAILED),
                n_quick_failures=n_quick,
            )
        )
    )
