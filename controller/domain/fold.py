"""The one fold: how each change makes the World another.

Illegal moves are refused here by the tables of `domain.states`, for the controller and for every mirror.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from msgspec.structs import replace

from controller.domain.changes import (
    AgentAdded,
    AgentSet,
    AskedSet,
    AttemptAdded,
    AttemptPidSet,
    AttemptStarted,
    AttemptStateSet,
    Change,
    HistoryGrew,
    JobAdded,
    JobSet,
    LogGrew,
    NoteAdded,
    RunAdded,
    RunFaultsSet,
    RunIgnoredSet,
    RunJudged,
    RunRemoved,
    RunStateSet,
    SearchAdvanced,
    StopAskSet,
    SweepAdded,
    SweepConfigSet,
    SweepStateSet,
    TargetReachedSet,
    TasksSet,
)
from controller.domain.runs import Attempt
from controller.domain.states import (
    ATTEMPT_OPEN,
    RUN_ACTIVE,
    RUN_ENDED,
    SWEEP_OPEN,
    AttemptState,
    RunState,
    move_run,
    move_sweep,
)

if TYPE_CHECKING:
    from controller.domain.world import World


def follow(world: World, change: Change) -> None:
    """Follow one change."""
    match change:
        case SweepAdded() | SweepStateSet() | AskedSet() | SweepConfigSet() | TargetReachedSet():
            _follow_sweep(world, change)
        case SearchAdvanced():
            _follow_search(world, change)
        case RunAdded() | RunStateSet() | RunFaultsSet() | StopAskSet() | RunJudged():
            _follow_run(world, change)
        case RunIgnoredSet() | RunRemoved():
            _leave_out(world, change)
        case HistoryGrew() | LogGrew():
            _follow_data(world, change)
        case AttemptAdded() | AttemptStarted() | AttemptPidSet() | AttemptStateSet():
            _follow_attempt(world, change)
        case AgentAdded(agent=agent) | AgentSet(agent=agent):
            world.put_agent(agent)
        case JobAdded(job=job) | JobSet(job=job):
            world.put_job(job)
        case TasksSet():
            world.tasks_of[change.job_id].update((task.index, task) for task in change.tasks)
        case NoteAdded():
            pass  # the log of events is kept by the store alone
        case _:
            assert_never(change)


def _follow_sweep(
    world: World, change: SweepAdded | SweepStateSet | AskedSet | SweepConfigSet | TargetReachedSet
) -> None:
    match change:
        case SweepAdded(sweep=sweep):
            world.put_sweep(sweep)
        case SweepStateSet():
            old = world.sweeps[change.sweep_id]
            world.sweeps[old.id] = replace(
                old,
                state=move_sweep(old.state, change.state),
                cause=change.cause,
                updated_at=change.at,
                ended_at=None if change.state in SWEEP_OPEN else change.at,
                breaker=change.breaker,
                since_token=old.since_token if change.since_token is None else change.since_token,
            )
        case AskedSet():
            old = world.sweeps[change.sweep_id]
            world.sweeps[old.id] = replace(old, asked=change.asked, updated_at=change.asked.at)
        case SweepConfigSet():
            old = world.sweeps[change.sweep_id]
            world.sweeps[old.id] = replace(
                old, config=change.config, n_expected=change.n_expected, updated_at=change.at
            )
        case TargetReachedSet():
            old = world.sweeps[change.sweep_id]
            world.sweeps[old.id] = replace(old, target_reached=change.reached)


def _follow_search(world: World, change: SearchAdvanced) -> None:
    old = world.sweeps[change.sweep_id]
    kept = tuple(s for s in world.shelves.get(old.id, ()) if s.number not in change.dropped)
    world.shelves[old.id] = change.added + kept if change.front else kept + change.added
    world.sweeps[old.id] = replace(
        old, n_suggested=old.n_suggested + len(change.added), exhausted=change.exhausted
    )


def _follow_run(world: World, change: RunAdded | RunStateSet | RunFaultsSet | StopAskSet | RunJudged) -> None:
    match change:
        case RunAdded(run=run):
            shelf = world.shelves.get(run.sweep_id, ())
            world.shelves[run.sweep_id] = tuple(s for s in shelf if s.number != run.suggestion)
            world.put_run(run)
            world.touch(run.sweep_id, run.created_at)
        case RunStateSet():
            _set_run_state(world, change)
        case RunFaultsSet():
            world.runs[change.run_id] = replace(
                world.runs[change.run_id],
                n_failures=change.n_failures,
                n_crashes=change.n_crashes,
                failed_on=change.failed_on,
                set_aside=change.set_aside,
                n_preemptions=change.n_preemptions,
                n_stuck=change.n_stuck,
                n_timeouts=change.n_timeouts,
                reached_step=change.reached_step,
            )
        case StopAskSet():
            world.runs[change.run_id] = replace(
                world.runs[change.run_id], stop=change.stop, stop_obeyed_at=change.obeyed_at
            )
        case RunJudged():
            world.runs[change.run_id] = replace(world.runs[change.run_id], verdict=change.verdict)


def _leave_out(world: World, change: RunIgnoredSet | RunRemoved) -> None:
    run = world.runs[change.run_id]
    match change:
        case RunIgnoredSet():
            world.runs[run.id] = replace(run, ignored=change.ignored)
        case RunRemoved():
            world.runs[run.id] = replace(run, deleted=True, queued=False, kept_for="")
            world.runs_of[run.sweep_id].pop(run.id, None)
            world.queue_of[run.sweep_id].pop(run.id, None)
            world.counts_of[run.sweep_id][run.state] -= 1
            if change.back is not None:
                world.shelves[run.sweep_id] = (change.back, *world.shelves.get(run.sweep_id, ()))
            world.touch(run.sweep_id, change.at)
    world.look_for_best(run.sweep_id)


def _set_run_state(world: World, change: RunStateSet) -> None:
    old = world.runs[change.run_id]
    state = move_run(old.state, change.state)
    started = old.started_at
    if state in RUN_ACTIVE and old.state not in RUN_ACTIVE and old.state is not RunState.CRASHED:
        started = change.at
    run = replace(
        old,
        state=state,
        cause=change.cause,
        exit_code=change.exit_code,
        signal=change.signal,
        actor=change.actor,
        queued=change.queued,
        kept_for=change.kept_for,
        started_at=started,
        ended_at=change.at if state in RUN_ENDED else None,
    )
    world.runs[run.id] = run
    counts = world.counts_of[run.sweep_id]
    counts[old.state] -= 1
    counts[state] += 1
    queue = world.queue_of[run.sweep_id]
    if run.queued:
        queue.setdefault(run.id)
    else:
        queue.pop(run.id, None)
    world.touch(run.sweep_id, change.at)


def _follow_data(world: World, change: HistoryGrew | LogGrew) -> None:
    run = world.runs[change.run_id]
    match change:
        case HistoryGrew():
            world.attempts[change.token] = replace(
                world.attempts[change.token], last_seq=change.last_seq, client_seq=change.client_seq
            )
            world.runs[run.id] = replace(
                run,
                n_points=run.n_points + change.n_points,
                last_step=change.last_step,
                best=change.best,
                latest=change.latest,
                n_metric_values=run.n_metric_values + change.n_metric_values,
                summary={**run.summary, **change.summary} if change.summary else run.summary,
                extremes=run.extremes.widened(change.extremes),
                own_config={**run.own_config, **change.own_config} if change.own_config else run.own_config,
                system={**run.system, **change.system} if change.system else run.system,
                tags=run.tags if change.tags is None else change.tags,
            )
            if change.best is not None and change.best != run.best:
                world.consider_best(world.runs[run.id])
            world.touch(run.sweep_id, change.at)
        case LogGrew():
            world.runs[run.id] = replace(run, n_log_lines=change.n_lines)


def _follow_attempt(
    world: World, change: AttemptAdded | AttemptStarted | AttemptPidSet | AttemptStateSet
) -> None:
    match change:
        case AttemptAdded(attempt=attempt):
            _add_attempt(world, attempt)
        case AttemptStarted():
            old = world.attempts[change.token]
            world.attempts[old.token] = replace(
                old, state=AttemptState.RUNNING, host=change.host, started_at=change.at
            )
            world.runs[old.run_id] = replace(
                world.runs[old.run_id],
                host=change.host,
                job=change.job,
                directory=change.directory,
                argv=change.argv,
                n_gpus=change.n_gpus,
            )
        case AttemptPidSet():
            old = world.attempts[change.token]
            world.attempts[old.token] = replace(old, pid=change.pid)
            world.runs[old.run_id] = replace(world.runs[old.run_id], pid=change.pid)
        case AttemptStateSet():
            old = world.attempts[change.token]
            is_open = change.state in ATTEMPT_OPEN
            world.put_attempt(
                replace(
                    old,
                    state=change.state,
                    cause=change.cause,
                    exit_code=change.exit_code,
                    signal=change.signal,
                    ended_at=None if is_open else change.at,
                )
            )


def _add_attempt(world: World, attempt: Attempt) -> None:
    run = world.runs[attempt.run_id]
    if run.token is not None and run.token in world.attempts:
        earlier = world.attempts.pop(run.token)
        world.asks.pop((earlier.agent_id, earlier.ask), None)
    world.last_token = max(world.last_token, attempt.token)
    world.put_attempt(attempt)
    world.queue_of[run.sweep_id].pop(run.id, None)
    world.runs[run.id] = replace(
        run,
        attempt=attempt.number,
        token=attempt.token,
        agent_id=attempt.agent_id,
        host="",
        job="",
        pid=None,
        queued=False,
        kept_for="",
        n_metric_values=0,
        n_log_lines=0,
    )
