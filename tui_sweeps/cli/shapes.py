"""The JSON shapes that scripts rely on; fields may be added, none renamed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from msgspec import to_builtins

from controller.domain.agents import Job
from controller.domain.arrays import Task
from controller.domain.reasons import why_judged, why_suggested
from controller.domain.runs import Attempt, Run
from controller.domain.states import RUN_ACTIVE, RunState
from controller.domain.sweeps import Sweep
from controller.domain.world import World


def sweep_created(sweep: Sweep) -> dict[str, Any]:
    """Return what `sweep --json` prints."""
    return {
        "id": sweep.id,
        "project": sweep.project,
        "entity": sweep.entity,
        "state": str(sweep.state),
        "name": sweep.name,
        "n_expected": sweep.n_expected,
    }


def sweep_row(world: World, sweep: Sweep) -> dict[str, Any]:
    """Return an element of `ls --json`."""
    counts = world.counts_of[sweep.id]
    return {
        "id": sweep.id,
        "name": sweep.name,
        "project": sweep.project,
        "entity": sweep.entity,
        "state": str(sweep.state),
        "cause": sweep.cause,
        "method": str(sweep.config.method),
        "n_expected": sweep.n_expected,
        "n_runs": {str(state): counts[state] for state in RunState},
        "n_agents": len(world.agents_of[sweep.id]),
        "best": best_of(world, sweep),
        "created_at": sweep.created_at,
        "updated_at": sweep.updated_at,
        "ended_at": sweep.ended_at,
    }


def best_of(world: World, sweep: Sweep) -> dict[str, Any] | None:
    """Return the best run so far as `{run_id, value, config}`."""
    run_id = world.best_of[sweep.id]
    if run_id is None:
        return None
    run = world.runs[run_id]
    return {"run_id": run.id, "name": run.name, "value": run.best, "config": run.config}


def run_row(run: Run, now_at: float) -> dict[str, Any]:
    """Return an element of `runs --json`; `show --json` prints the same with more."""
    return {
        "id": run.id,
        "name": run.name,
        "number": run.number,
        "sweep_id": run.sweep_id,
        "state": str(run.state),
        "attempt": run.attempt,
        "queued": run.queued,
        "config": run.config,
        "summary": run.summary,
        "best": run.best,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "runtime_s": runtime_s(run, now_at),
        "exit_code": run.exit_code,
        "signal": run.signal,
        "cause": run.cause,
        "agent": run.agent_id,
        "host": run.host,
        "job": run.job,
        "pid": run.pid,
        "index": run.index,
        "ignored": run.ignored,
    }


def run_whole(run: Run, sweep: Sweep, attempts: Sequence[Attempt], now_at: float) -> dict[str, Any]:
    """Return what `show --json` prints: the row of `runs` and everything else that is known."""
    return run_row(run, now_at) | {
        "own_config": run.own_config,
        "tags": list(run.tags),
        "system": run.system,
        "argv": list(run.argv),
        "directory": run.directory,
        "reason": run.reason,
        "suggested": why_suggested(run.reason, sweep.config),
        "judged": why_judged(run, sweep.config),
        "n_points": run.n_points,
        "last_step": run.last_step,
        "deleted": run.deleted,
        "verdict": to_builtins(run.verdict),
        "stop": to_builtins(run.stop),
        "stop_obeyed_at": run.stop_obeyed_at,
        "attempts": [to_builtins(attempt) for attempt in attempts],
    }


def job_row(job: Job, tasks: Sequence[Task]) -> dict[str, Any]:
    """Return an element of `jobs --json`, and what `submit --json` prints."""
    array = job.array
    return {
        "id": job.id,
        "kind": str(job.kind),
        "sweep_id": job.sweep_id,
        "state": str(job.state),
        "cause": job.cause,
        "slurm_id": array.slurm_id if array else "",
        "cluster": array.cluster if array else "",
        "name": array.name if array else "",
        "array": array.spec if array else "",
        "throttle": array.throttle if array else None,
        "held": array.held if array else False,
        "count": job.count,
        "log": job.log,
        "n_tasks": {str(state): n for state, n in Counter(task.state for task in tasks).items()},
        "created_at": job.created_at,
        "submitted_at": array.submitted_at if array else None,
        "ended_at": job.ended_at,
    }


def runtime_s(run: Run, now_at: float) -> float | None:
    """Return how long the latest attempt ran, or has been running."""
    if run.started_at is None:
        return None
    if run.ended_at is not None:
        return max(0.0, run.ended_at - run.started_at)
    return max(0.0, now_at - run.started_at) if run.state in RUN_ACTIVE else None
