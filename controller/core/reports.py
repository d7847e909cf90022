"""What running programs say: points and console lines, and what early termination says of them."""

from __future__ import annotations

import math
from typing import Any

from controller.core.closing import revive
from controller.core.draft import Draft
from controller.core.unlogged import look_at_first_band
from controller.domain.changes import (
    AttemptPidSet,
    HistoryGrew,
    LinesRecord,
    LogGrew,
    PointsRecord,
    RunJudged,
    RunStateSet,
    StopAskSet,
    TargetReachedSet,
)
from controller.domain.effects import CheckEarlyTermination
from controller.domain.events import Judged, RunReported
from controller.domain.extremes import pairs_of
from controller.domain.replies import Acked, MissingFrom, Refused, Reply, Superseded
from controller.domain.runs import Attempt, LogLines, Point, Run, StopAsk, metric_value
from controller.domain.states import AttemptState, RunState
from controller.domain.sweeps import Goal, Metric, Sweep

MAX_TAGS, MAX_TAG = 100, 256
"""Tags of a run, and characters of a tag."""

MAX_INTEGER = 2**63 - 1
"""The largest integer a column of the store holds."""


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
    if draft.world.runs[attempt.run_id].deleted:
        return Superseded(reason="the run was deleted")
    recorded_seq = _recorded(attempt, event)
    if event.first_seq > recorded_seq + 1:
        return MissingFrom(seq=recorded_seq + 1)
    if (refused := _unfit(event)) is not None:
        return refused
    revive(draft, attempt)
    if attempt.token in draft.world.open_of[attempt.sweep_id]:
        draft.heard_attempt(attempt.token)
    told = event.summary or event.own_config or event.system or event.tags is not None
    if event.last_seq > recorded_seq or told:
        _grow(draft, attempt, event)
    _take_lines(draft, attempt, event.lines)
    _take_marks(draft, attempt, event)
    return Acked(last_seq=_recorded(draft.world.attempts[attempt.token], event))


def tidy_tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    """Return each tag once, short enough for a record."""
    return tuple(dict.fromkeys(tag[:MAX_TAG] for tag in tags if tag))[:MAX_TAGS]


def _recorded(attempt: Attempt, event: RunReported) -> int:
    """Return how far the report that this message continues is recorded."""
    return attempt.client_seq if event.from_client else attempt.last_seq


def _unfit(event: RunReported) -> Refused | None:
    """Refuse what no store can hold, before anything is added."""
    for point in event.points:
        if not -MAX_INTEGER <= point.step <= MAX_INTEGER:
            return Refused(reason="a step is out of range", hint="log steps below 2^63")
    if any(not 0 <= block.first <= MAX_INTEGER - len(block.lines) for block in event.lines):
        return Refused(reason="a console line's number is out of range", hint="count lines from 0")
    return None


def _grow(draft: Draft, attempt: Attempt, event: RunReported) -> None:
    run = draft.world.runs[attempt.run_id]
    sweep = draft.world.sweeps[attempt.sweep_id]
    new = _new_points(attempt, event)
    summary: dict[str, Any] = {}
    for point in new:
        summary.update(point.values)
    summary.update(event.summary)
    last_seq, client_seq = attempt.last_seq, attempt.client_seq
    if event.from_client:
        client_seq = max(client_seq, event.last_seq)
    else:
        last_seq = max(last_seq, event.last_seq)
    metric = sweep.config.metric
    values = _metric_values(new, metric)
    draft.add(
        HistoryGrew(
            run_id=run.id,
            token=attempt.token,
            last_seq=last_seq,
            client_seq=client_seq,
            n_points=len(new),
            last_step=new[-1].step if new else run.last_step,
            best=_best(run.best, values, metric),
            latest=values[-1] if values else run.latest,
            n_metric_values=len(values),
            summary=summary,
            extremes=run.extremes.wider(pairs_of(point.values for point in new)),
            own_config=event.own_config,
            system=event.system,
            tags=None if event.tags is None else tidy_tags(event.tags),
            at=draft.at,
        )
    )
    if new:
        draft.keep(PointsRecord(run_id=run.id, token=attempt.token, points=new))
    if values and sweep.config.early_terminate is not None and run.stop is None:
        draft.perform(
            CheckEarlyTermination(
                run_id=run.id,
                token=attempt.token,
                values=values,
                last_seq=last_seq + client_seq,
            )
        )
    look_at_first_band(draft, sweep, run, draft.world.runs[run.id])
    _look_at_target(draft, sweep, metric, draft.world.runs[run.id])


def _new_points(attempt: Attempt, event: RunReported) -> tuple[Point, ...]:
    """Return what is not recorded yet, numbered behind everything that is, whoever reported it."""
    recorded_seq = _recorded(attempt, event)
    beside = attempt.last_seq + attempt.client_seq - recorded_seq
    new = tuple(point for point in event.points if recorded_seq < point.seq <= event.last_seq)
    if not beside:
        return new
    return tuple(Point(point.seq + beside, point.step, point.at, point.values) for point in new)


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
