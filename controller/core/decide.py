"""The one place where everything is decided: an event or command in, changes, effects and a reply out.

No clock, no dice, no I/O: the same World, message and moment always give the same decision, so
any history can be replayed. The rooms beside this file decide one family each.
"""

from __future__ import annotations

from typing import assert_never

from controller.core import (
    arrays,
    beats,
    creation,
    dispatch,
    endings,
    jobs,
    leases,
    operators,
    outcomes,
    removal,
    reports,
    tasks,
    verbs,
)
from controller.core.draft import Decision, Draft, Moment
from controller.domain.commands import (
    CancelJob,
    CancelSweep,
    Command,
    CreateSweep,
    DeleteRuns,
    DrainAgents,
    HoldJob,
    IgnoreRuns,
    LaunchAgents,
    PauseSweep,
    ReleaseJob,
    ResumeSweep,
    RetryRuns,
    SetRunCap,
    SetThrottle,
    StopAgents,
    StopRuns,
    StopSweep,
    SubmitArray,
)
from controller.domain.events import (
    AgentBeat,
    AgentEvent,
    AgentJoined,
    AgentLeft,
    EngineEvent,
    Event,
    JobSeen,
    JobSteered,
    Judged,
    Restarted,
    RunAsked,
    RunEnded,
    RunReported,
    RunStarted,
    Suggested,
    TasksSeen,
    Ticked,
)
from controller.domain.replies import Reply
from controller.domain.world import World

_COMMANDS = (
    CreateSweep,
    PauseSweep,
    ResumeSweep,
    StopSweep,
    CancelSweep,
    SetRunCap,
    StopRuns,
    RetryRuns,
    IgnoreRuns,
    DeleteRuns,
    LaunchAgents,
    SubmitArray,
    CancelJob,
    SetThrottle,
    HoldJob,
    ReleaseJob,
    DrainAgents,
    StopAgents,
)

_OUR_EVENTS = (Ticked, Restarted, Suggested, Judged, JobSeen, JobSteered, TasksSeen)


def decide(world: World, message: Command | Event, moment: Moment) -> Decision:
    """Decide one message; the World has followed the changes when this returns."""
    draft = Draft(world, moment)
    reply: Reply | None
    if isinstance(message, _COMMANDS):
        reply = _obey(draft, message)
    elif isinstance(message, _OUR_EVENTS):
        reply = None
        _take(draft, message)
    else:
        reply = _answer(draft, message)
    endings.settle_all(draft)
    arrays.dismiss_waiting(draft)
    return draft.decision(reply)


def _obey(draft: Draft, command: Command) -> Reply:
    match command:
        case CreateSweep():
            return creation.create(draft, command)
        case SetRunCap():
            return creation.set_run_cap(draft, command)
        case PauseSweep() | ResumeSweep() | StopSweep() | CancelSweep():
            return verbs.steer(draft, command)
        case StopRuns():
            return operators.stop_runs(draft, command)
        case RetryRuns():
            return operators.retry_runs(draft, command)
        case IgnoreRuns():
            return removal.ignore_runs(draft, command)
        case DeleteRuns():
            return removal.delete_runs(draft, command)
        case DrainAgents():
            return operators.drain_agents(draft, command)
        case StopAgents():
            return operators.stop_agents(draft, command)
        case LaunchAgents():
            return jobs.launch(draft, command)
        case SubmitArray():
            return arrays.submit(draft, command)
        case CancelJob() | SetThrottle() | HoldJob() | ReleaseJob():
            return arrays.steer(draft, command)
        case _:
            assert_never(command)


def _answer(draft: Draft, event: AgentEvent) -> Reply:
    match event:
        case AgentJoined():
            return dispatch.joined(draft, event)
        case RunAsked():
            return dispatch.asked(draft, event)
        case RunStarted():
            return dispatch.started(draft, event)
        case RunReported():
            return reports.reported(draft, event)
        case RunEnded():
            return outcomes.ended(draft, event)
        case AgentBeat():
            return beats.beat(draft, event)
        case AgentLeft():
            return beats.left(draft, event)
        case _:
            assert_never(event)


def _take(draft: Draft, event: EngineEvent) -> None:
    match event:
        case Ticked():
            leases.ticked(draft)
        case Restarted():
            leases.restarted(draft)
        case Suggested():
            endings.suggested(draft, event)
        case Judged():
            reports.judged(draft, event)
        case JobSeen():
            jobs.seen(draft, event)
        case JobSteered():
            arrays.steered(draft, event)
        case TasksSeen():
            tasks.seen(draft, event)
        case _:
            assert_never(event)
