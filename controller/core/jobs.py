"""Jobs: agents that the controller starts itself."""

from __future__ import annotations

from msgspec.structs import replace

from controller.core import arrays
from controller.core.creation import unknown_sweep
from controller.core.draft import Draft
from controller.core.leases import bury
from controller.domain.agents import Job, JobKind, JobState
from controller.domain.changes import JobAdded, JobSet
from controller.domain.commands import LaunchAgents
from controller.domain.effects import StartJob
from controller.domain.events import JobSeen
from controller.domain.replies import Accepted, Refused, Reply
from controller.domain.states import SWEEP_OPEN

MAX_AGENTS = 256
"""More local agents in one go than this is a typing mistake."""


def launch(draft: Draft, command: LaunchAgents) -> Reply:
    """Start agents on the controller's own machine: written down first, started after."""
    sweep = draft.world.sweeps.get(command.sweep_id)
    if sweep is None:
        return unknown_sweep(command.sweep_id)
    if sweep.state not in SWEEP_OPEN:
        return Refused(
            reason=f"sweep {sweep.id} is {sweep.state}: agents would leave at once", hint="resume it first"
        )
    if not sweep.directory:
        return Refused(
            reason=f"sweep {sweep.id} came from W&B's client, which does not say where its program lies",
            hint=f"start agents in that directory: tui-sweeps agent {sweep.id}",
        )
    if not 1 <= command.n_agents <= MAX_AGENTS:
        return Refused(reason=f"{command.n_agents} agents cannot be started", hint=f"give 1 to {MAX_AGENTS}")
    if command.count is not None and command.count < 1:
        return Refused(reason=f"count {command.count} leaves nothing to do", hint="give 1 or more")
    jobs = [
        Job(
            id=draft.moment.new_id(),
            kind=JobKind.LOCAL,
            sweep_id=sweep.id,
            count=command.count,
            created_at=draft.at,
        )
        for _ in range(command.n_agents)
    ]
    for job in jobs:
        draft.add(JobAdded(job=job))
        draft.perform(StartJob(job=job))
    draft.note(f"launched {command.n_agents} local agent(s)", actor=command.actor, sweep_id=sweep.id)
    return Accepted(ids=tuple(job.id for job in jobs), text=f"starting {command.n_agents} agent(s)")


def seen(draft: Draft, event: JobSeen) -> None:
    """A job was started, or it ended; the end of its process is evidence that its agents are dead."""
    job = draft.world.jobs.get(event.job_id)
    if job is not None and job.array is not None:
        arrays.submitted(draft, job, event)
        return
    if job is None or job.state in (JobState.ENDED, JobState.FAILED):
        return
    over = event.state in (JobState.ENDED, JobState.FAILED)
    draft.add(
        JobSet(
            job=replace(
                job,
                state=event.state,
                pid=event.pid if event.pid is not None else job.pid,
                started_ticks=job.started_ticks if event.started_ticks is None else event.started_ticks,
                log=event.log or job.log,
                cause=event.cause,
                ended_at=draft.at if over else None,
            )
        )
    )
    if not over:
        return
    if event.state is JobState.FAILED:
        draft.note(f"an agent could not be started: {event.cause}", sweep_id=job.sweep_id)
    for agent in tuple(draft.world.agents.values()):
        if agent.job_id == job.id:
            bury(draft, agent, event.cause or "its process ended")
