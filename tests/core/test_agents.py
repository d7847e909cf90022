"""Operators send agents away, or start them."""

from __future__ import annotations

import pytest

from controller.core.jobs import MAX_AGENTS
from controller.domain.agents import AgentState, Job, JobKind, JobState
from controller.domain.changes import JobAdded, NoteAdded
from controller.domain.commands import (
    CancelSweep,
    DrainAgents,
    LaunchAgents,
    PauseSweep,
    StopAgents,
    StopRuns,
    StopSweep,
)
from controller.domain.effects import StartJob
from controller.domain.events import AgentLeft, JobSeen
from controller.domain.replies import Accepted, ExitOrder, Refused, Wish
from controller.domain.states import RunState
from tests.core.shop import Shop


def opened() -> tuple[Shop, str]:
    shop = Shop()
    sweep = shop.create()
    shop.join("a", sweep)
    return shop, sweep


# What is told an agent, by what its run and its sweep are asked: (idle agent, agent with a run).
WISHES: dict[str, tuple[Wish, Wish]] = {
    "nothing": (Wish.GO_ON, Wish.GO_ON),
    "pause": (Wish.GO_ON, Wish.GO_ON),
    "stop": (Wish.LEAVE, Wish.LEAVE),
    "cancel": (Wish.LEAVE, Wish.KILL_LEAVE),
    "stop run": (Wish.GO_ON, Wish.STOP),
    "drain": (Wish.LEAVE, Wish.LEAVE),
    "stop agents": (Wish.LEAVE, Wish.STOP_LEAVE),
}


@pytest.mark.parametrize("asked", list(WISHES))
def test_heartbeat_answer_carries_what_is_wanted(asked: str) -> None:
    shop, sweep = opened()
    shop.join("idle", sweep)
    order = shop.run("a", 1)
    match asked:
        case "pause":
            shop.tell(PauseSweep(sweep_id=sweep))
        case "stop":
            shop.tell(StopSweep(sweep_id=sweep))
        case "cancel":
            shop.tell(CancelSweep(sweep_id=sweep))
        case "stop run":
            shop.tell(StopRuns(run_ids=(order.run_id,)))
        case "drain":
            shop.tell(DrainAgents(agent_ids=("a", "idle")))
        case "stop agents":
            shop.tell(StopAgents(agent_ids=("a", "idle")))
        case _:
            pass
    idle, busy = WISHES[asked]
    told = shop.beat("idle")
    assert (told.wish, told.token) == (idle, None)
    told = shop.beat("a", order.token)
    assert (told.wish, told.token) == (busy, order.token)


def test_drained_agent_ends_its_run_and_gets_no_other() -> None:
    shop, _ = opened()
    order = shop.run("a", 1)
    reply = shop.tell(DrainAgents(agent_ids=("a",), actor="eva"))
    assert isinstance(reply, Accepted)
    assert reply.ids == ("a",)
    assert shop.world.agents["a"].state is AgentState.DRAINING
    shop.end("a", order.token)
    assert shop.world.runs[order.run_id].state is RunState.FINISHED
    assert shop.ask("a", 2) == ExitOrder(reason="asked to leave by eva")


def test_stopped_agent_stops_its_run_and_leaves() -> None:
    shop, _ = opened()
    order = shop.run("a", 1)
    shop.tell(StopAgents(agent_ids=("a",), actor="eva"))
    shop.end("a", order.token, "killed", signal=15)
    run = shop.world.runs[order.run_id]
    assert (run.state, run.cause, run.actor) == (RunState.KILLED, "stopped", "eva")
    assert isinstance(shop.ask("a", 2), ExitOrder)


@pytest.mark.parametrize("kind", [DrainAgents, StopAgents])
def test_dismissal_given_twice_is_accepted(kind: type[DrainAgents] | type[StopAgents]) -> None:
    shop, _ = opened()
    shop.run("a", 1)
    shop.tell(kind(agent_ids=("a",)))
    agent = shop.world.agents["a"]
    assert isinstance(shop.tell(kind(agent_ids=("a",))), Accepted)
    assert shop.world.agents["a"] == agent


@pytest.mark.parametrize("kind", [DrainAgents, StopAgents])
def test_dismissal_is_refused_when_an_agent_is_unknown_or_gone(
    kind: type[DrainAgents] | type[StopAgents],
) -> None:
    shop, _ = opened()
    reply = shop.tell(kind(agent_ids=("a", "nosuch")))
    assert isinstance(reply, Refused)
    assert reply.code == "unknown"
    assert shop.world.agents["a"].state is AgentState.ACTIVE
    shop.tell(AgentLeft(agent_id="a"))
    assert isinstance(shop.tell(kind(agent_ids=("a",))), Refused)


def test_launch_writes_jobs_down_and_then_has_them_started() -> None:
    shop, sweep = opened()
    reply = shop.tell(LaunchAgents(sweep_id=sweep, n_agents=2, count=3, actor="eva"))
    assert isinstance(reply, Accepted)
    jobs = [
        Job(id=job_id, kind=JobKind.LOCAL, sweep_id=sweep, count=3, created_at=shop.at)
        for job_id in reply.ids
    ]
    assert [job.state for job in jobs] == [JobState.SUBMITTING] * 2
    assert shop.decisions[-1].changes == (
        *(JobAdded(job=job) for job in jobs),
        NoteAdded(at=shop.at, actor="eva", text="launched 2 local agent(s)", sweep_id=sweep),
    )
    assert shop.decisions[-1].effects == tuple(StartJob(job=job) for job in jobs)


@pytest.mark.parametrize(
    ("n_agents", "count"), [(0, None), (-1, None), (MAX_AGENTS + 1, None), (1, 0), (1, -5)]
)
def test_launch_outside_the_limits_is_refused(n_agents: int, count: int | None) -> None:
    shop, sweep = opened()
    reply = shop.tell(LaunchAgents(sweep_id=sweep, n_agents=n_agents, count=count))
    assert isinstance(reply, Refused)
    assert reply.hint
    assert not shop.world.jobs


def test_launch_is_refused_for_a_sweep_that_is_over_or_unknown() -> None:
    shop, sweep = opened()
    shop.tell(StopSweep(sweep_id=sweep))
    reply = shop.tell(LaunchAgents(sweep_id=sweep))
    assert isinstance(reply, Refused)
    assert "resume" in reply.hint
    reply = shop.tell(LaunchAgents(sweep_id="nosuch00"))
    assert isinstance(reply, Refused)
    assert reply.code == "unknown"


def test_job_runs_ends_and_its_end_stands() -> None:
    shop, sweep = opened()
    reply = shop.tell(LaunchAgents(sweep_id=sweep))
    assert isinstance(reply, Accepted)
    (job_id,) = reply.ids
    shop.tell(JobSeen(job_id=job_id, state=JobState.RUNNING, pid=7, started_ticks=8, log="/l"))
    job = shop.world.jobs[job_id]
    assert (job.state, job.pid, job.started_ticks, job.log) == (JobState.RUNNING, 7, 8, "/l")
    shop.wait(3)
    shop.tell(JobSeen(job_id=job_id, state=JobState.ENDED, cause="exit code 0"))
    job = shop.world.jobs[job_id]
    assert (job.state, job.pid, job.cause, job.ended_at) == (JobState.ENDED, 7, "exit code 0", shop.at)
    shop.tell(JobSeen(job_id=job_id, state=JobState.RUNNING, pid=9))
    assert shop.world.jobs[job_id] == job


def test_job_that_cannot_be_started_says_why_in_the_log_of_events() -> None:
    shop, sweep = opened()
    reply = shop.tell(LaunchAgents(sweep_id=sweep))
    assert isinstance(reply, Accepted)
    shop.tell(JobSeen(job_id=reply.ids[0], state=JobState.FAILED, cause="no such program"))
    assert shop.world.jobs[reply.ids[0]].state is JobState.FAILED
    notes = [c.text for c in shop.decisions[-1].changes if isinstance(c, NoteAdded)]
    assert notes == ["an agent could not be started: no such program"]


def test_a_job_nobody_knows_is_nobodys_news() -> None:
    shop, _ = opened()
    shop.tell(JobSeen(job_id="nosuch00", state=JobState.ENDED))
    assert shop.decisions[-1].changes == ()
