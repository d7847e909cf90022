"""What running programs say: points, console lines, their end."""

from __future__ import annotations

import math
from typing import Any

from msgspec.structs import replace

from controller.core import breakers, endings
from controller.core.closing import crash, release_agent
from controller.core.draft import Draft
from controller.domain.agents import Agent
from controller.domain.changes import (
    AgentSet,
    AttemptPidSet,
    AttemptStateSet,
    HistoryGrew,
    LinesRecord,
    LogGrew,
    PointsRecord,
    RunFaultsSet,
    RunJudged,
    RunStateSet,
    StopAskSet,
    TargetReachedSet,
)
from controller.domain.effects import CheckEarlyTermination
from controller.domain.events import Judged, RunEnded, RunReported
from controller.domain.replies import Acked, MissingFrom, Refused, Reply, Superseded
from controller.domain.runs import Attempt, LogLines, Point, Run, StopAsk, metric_value
from controller.domain.states import ATTEMPT_OPEN, SWEEP_OPEN, AttemptState, RunState
from controller.domain.sweeps import Goal, Metric, Sweep


def reported(draft: Draft, event: RunReported) -> Reply:
    """Take in points and lines; what is known already is not taken twice."""
    attempt = draft.world.attempts.get(event.token)
    if attempt is None or attempt.agent_id != event.agent_id:
        return Superseded(reason="another attempt of this run took over; this one's data does not count")
    draft.heard_agent(event.agent_id)
    if attempt.state is AttemptState.ASSIGNED:
        return Refused(reason=f"attempt {event.token} was not started", hint="send its start first")
    if attempt.state is AttemptState.ABANDONED:
        return Superseded(reason=attempt.cause)
    if event.first_seq > attempt.last_seq + 1:
        return MissingFrom(seq=attempt.last_seq + 1)
    _revive(draft, attempt)
    if attempt.token in draft.world.open_of[attempt.sweep_id]:
        draft.heard_attempt(attempt.token)
    if event.last_seq > attempt.last_seq or event.summary:
        _grow(draft, attempt, event)
    _take_lines(draft, attempt, event.lines)
    _take_marks(draft, attempt, event)
    return Acked(last_seq=draft.world.attempts[attempt.token].last_seq)


def _grow(draft: Draft, attempt: Attempt, event: RunReported) -> None:
    run = draft.world.runs[attempt.run_id]
    sweep = draft.world.sweeps[attempt.sweep_id]
    new = tuple(point for point in event.points if point.seq > attempt.last_seq)
    summary: dict[str, Any] = {}
    for point in new:
        summary.update(point.values)
    summary.update(event.summary)
    metric = sweep.config.metric
    values = _metric_values(new, metric)
    draft.add(
        HistoryGrew(
            run_id=run.id,
            token=attempt.token,
            last_seq=max(attempt.last_seq, event.last_seq),
            n_points=len(new),
            last_step=new[-1].step if new else run.last_step,
            best=_best(run.best, values, metric),
            latest=values[-1] if values else run.latest,
            n_metric_values=len(values),
            summary=summary,
            at=draft.at,
        )
    )
    if new:
        draft.keep(PointsRecord(run_id=run.id, token=attempt.token, points=new))
    if values and sweep.config.early_terminate is not None and run.stop is None:
        draft.perform(CheckEarlyTermination(run_id=run.id, token=attempt.token, values=values))
    _look_at_target(draft, sweep, metric, draft.world.runs[run.id])


def _metric_values(points: tuple[Point, ...], metric: Metric | None) -> tuple[float, ...]:
    if metric is None:
        return ()
    found = (metric_value(point.values, metric.name) for point in points)
    return tuple(value for value in found if value is not None)


def _best(best: float | None, values: tuple[float, ...], metric: Metric | None) -> float | None:
    finite = [value for value in values if math.isfinite(value)]
    if best is not None:
        finite.append(best)
    if not finite or metric is None:
        return best
    return min(finite) if metric.goal is Goal.MINIMIZE else max(finite)


def _look_at_target(draft: Draft, sweep: Sweep, metric: Metric | None, run: Run) -> None:
    if metric is None or metric.target is None or run.best is None or sweep.target_reached:
        return
    if not metric.better(metric.target, run.best):
        draft.add(TargetReachedSet(sweep_id=sweep.id, reached=True))
        draft.note(f"target reached: {metric.name} = {run.best}", sweep_id=sweep.id, run_id=run.id)
        draft.settle_later(sweep.id)


def _take_lines(draft: Draft, attempt: Attempt, blocks: tuple[LogLines, ...]) -> None:
    if not blocks:
        return
    n_lines = draft.world.runs[attempt.run_id].n_log_lines
    for block in blocks:
        draft.keep(LinesRecord(run_id=attempt.run_id, token=attempt.token, lines=block))
        n_lines = max(n_lines, block.first + len(block.lines))
    draft.add(LogGrew(run_id=attempt.run_id, token=attempt.token, n_lines=n_lines))


def _take_marks(draft: Draft, attempt: Attempt, event: RunReported) -> None:
    run = draft.world.runs[attempt.run_id]
    if event.pid is not None and attempt.pid != event.pid:
        draft.add(AttemptPidSet(token=attempt.token, pid=event.pid))
    if event.preempting and run.state is RunState.RUNNING:
        draft.add(RunStateSet(run_id=run.id, state=RunState.PREEMPTING, at=draft.at))
    if event.stop_obeyed and run.stop is not None and run.stop_obeyed_at is None:
        draft.add(StopAskSet(run_id=run.id, stop=run.stop, obeyed_at=draft.at))


def _revive(draft: Draft, attempt: Attempt) -> None:
    """A run believed crashed speaks again, and nothing has replaced it."""
    run = draft.world.runs[attempt.run_id]
    if attempt.state is not AttemptState.CRASHED or run.state is not RunState.CRASHED:
        return
    draft.add(
        AttemptStateSet(token=attempt.token, state=AttemptState.RUNNING, at=draft.at),
        RunStateSet(run_id=run.id, state=RunState.RUNNING, at=draft.at),
    )
    agent = draft.world.agents.get(attempt.agent_id)
    if agent is not None and agent.token is None:
        draft.add(AgentSet(agent=replace(agent, token=attempt.token)))
    draft.note("revived: its agent was heard of again", sweep_id=run.sweep_id, run_id=run.id)
    draft.heard_attempt(attempt.token)
    draft.settle_later(run.sweep_id)


def ended(draft: Draft, event: RunEnded) -> Reply:
    """Close an attempt, once all its report lines are in."""
    attempt = draft.world.attempts.get(event.token)
    if attempt is None or attempt.agent_id != event.agent_id:
        return Superseded(reason="another attempt of this run took over; this one's end does not count")
    draft.heard_agent(event.agent_id)
    if attempt.state is AttemptState.ABANDONED:
        return Superseded(reason=attempt.cause)
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


def _close(draft: Draft, attempt: Attempt, run: Run, event: RunEnded) -> None:
    sweep = draft.world.sweeps[attempt.sweep_id]
    state, cause, actor = _end_of(run, event)
    if state is RunState.CRASHED:
        crash(draft, attempt.token, cause or "the agent lost it", evidence=True)
        return
    draft.add(
        AttemptStateSet(
            token=attempt.token,
            state=AttemptState(state.value),
            cause=cause,
            exit_code=event.exit_code,
            signal=event.signal,
            at=draft.at,
        )
    )
    release_agent(draft, attempt)
    if state is RunState.FAILED:
        faults = RunFaultsSet(
            run_id=run.id,
            n_failures=run.n_failures + 1,
            n_crashes=run.n_crashes,
            failed_on=(*run.failed_on, attempt.agent_id),
            set_aside=run.set_aside,
        )
        draft.add(faults)
    draft.add(
        RunStateSet(
            run_id=run.id,
            state=state,
            cause=cause,
            exit_code=event.exit_code,
            signal=event.signal,
            actor=actor,
            queued=_again(draft, sweep, run.id, state),
            at=draft.at,
        )
    )
    _count_for_agent(draft, attempt, state)
    if state is RunState.FAILED:
        breakers.failed(draft, draft.world.attempts[attempt.token])
    if state is not RunState.FINISHED:
        draft.note(f"{state}: {cause}", actor=actor or "controller", sweep_id=sweep.id, run_id=run.id)
    endings.want_fresh(draft, draft.world.sweeps[sweep.id])
    draft.settle_later(sweep.id)


def _end_of(run: Run, event: RunEnded) -> tuple[RunState, str, str]:
    state = RunState(event.state.value)
    if state is RunState.KILLED and run.stop is not None:
        return state, run.stop.cause, run.stop.actor
    if run.stop is not None and run.stop.kill and state is RunState.FAILED:
        return RunState.KILLED, run.stop.cause, run.stop.actor
    if state is RunState.FAILED and run.state is RunState.PREEMPTING:
        return RunState.PREEMPTED, event.cause or "preempted", ""
    return state, event.cause or _plain_cause(state, event), ""


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


def judged(draft: Draft, event: Judged) -> None:
    """Keep early termination's verdict, and stop the run if it says so."""
    run = draft.world.runs.get(event.run_id)
    if run is None or run.token != event.token or event.token not in draft.world.open_of[run.sweep_id]:
        return
    draft.add(RunJudged(run_id=run.id, verdict=event.verdict))
    if event.verdict.stop and run.stop is None:
        verdict = event.verdict
        draft.add(
            StopAskSet(run_id=run.id, stop=StopAsk(actor="hyperband", at=draft.at, cause="early-stopped"))
        )
        draft.note(
            f"early-stopped at band {verdict.band}: {verdict.value:.6g} against {verdict.threshold}",
            actor="hyperband",
            sweep_id=run.sweep_id,
            run_id=run.id,
        )
