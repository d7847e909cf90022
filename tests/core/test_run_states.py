"""What is seen of a run, and the state it is in then."""

from __future__ import annotations

from typing import Any

import pytest

from controller.domain.changes import StopAskSet
from controller.domain.commands import RetryRuns, StopRuns
from controller.domain.events import Judged, RunReported, Ticked
from controller.domain.replies import Accepted, Acked, Refused, Superseded, Wish
from controller.domain.runs import Verdict
from controller.domain.states import AttemptState, RunState
from controller.domain.sweeps import Retry
from tests.core.shop import Shop


def begun(**config: Any) -> tuple[Shop, str, str, int]:
    """Return a shop in which agent a executes a run: shop, sweep, run, token."""
    shop = Shop(**config)
    sweep = shop.create()
    shop.join("a", sweep)
    order = shop.run("a", 1)
    return shop, sweep, order.run_id, order.token


def test_run_is_pending_when_handed_out_and_running_when_started() -> None:
    shop = Shop()
    shop.join("a", shop.create())
    order = shop.order("a", 1)
    assert shop.world.runs[order.run_id].state is RunState.PENDING
    shop.wait(7)
    shop.start("a", order.token)
    run = shop.world.runs[order.run_id]
    assert (run.state, run.started_at) == (RunState.RUNNING, shop.at)


@pytest.mark.parametrize(
    ("said", "more", "state", "cause"),
    [
        ("finished", {"exit_code": 0}, RunState.FINISHED, ""),
        ("failed", {"exit_code": 3}, RunState.FAILED, "exit code 3"),
        ("failed", {"signal": 11}, RunState.FAILED, "signal 11"),
        ("failed", {"exit_code": 1, "cause": "no such file"}, RunState.FAILED, "no such file"),
        ("killed", {"signal": 9, "cause": "agent got SIGTERM"}, RunState.KILLED, "agent got SIGTERM"),
        ("killed", {}, RunState.KILLED, "killed, said its agent"),
        ("preempted", {"cause": "time limit"}, RunState.PREEMPTED, "time limit"),
        ("crashed", {"cause": "node down"}, RunState.CRASHED, "node down"),
    ],
)
def test_end_gives_state_cause_code_and_time(
    said: str, more: dict[str, Any], state: RunState, cause: str
) -> None:
    shop, _, run_id, token = begun()
    shop.wait(5)
    assert shop.end("a", token, said, **more) == Acked(last_seq=0)
    run, attempt = shop.world.runs[run_id], shop.world.attempts[token]
    assert (run.state, run.cause) == (state, cause)
    assert attempt.state == state.value
    assert attempt.ended_at == shop.at
    if state is not RunState.CRASHED:
        assert (run.exit_code, run.signal) == (more.get("exit_code"), more.get("signal"))


@pytest.mark.parametrize("state", ["assigned", "running", "abandoned"])
def test_end_is_refused_when_it_names_no_end(state: str) -> None:
    shop, _, _run_id, token = begun()
    facts = shop.world.facts()
    reply = shop.end("a", token, state)
    assert isinstance(reply, Refused)
    assert "finished" in reply.hint
    assert shop.world.facts() == facts


def test_end_is_refused_when_the_attempt_was_not_started() -> None:
    shop = Shop()
    shop.join("a", shop.create())
    assert isinstance(shop.end("a", shop.order("a", 1).token), Refused)


def test_stop_of_a_run_is_told_to_its_agent_and_ends_in_killed_with_actor() -> None:
    shop, _, run_id, token = begun()
    shop.tell(StopRuns(run_ids=(run_id,), actor="eva"))
    assert shop.beat("a", token).wish is Wish.STOP
    shop.wait(1)
    shop.tell(RunReported(agent_id="a", token=token, stop_obeyed=True))
    assert shop.world.runs[run_id].stop_obeyed_at == shop.at
    shop.end("a", token, "killed", signal=15)
    run = shop.world.runs[run_id]
    assert (run.state, run.cause, run.actor, run.signal) == (RunState.KILLED, "stopped", "eva", 15)
    assert shop.order("a", 2).run_id != run_id, "the agent takes the next configuration"


def test_stop_of_a_run_given_twice_keeps_the_first_word() -> None:
    shop, _, run_id, _token = begun()
    shop.tell(StopRuns(run_ids=(run_id,), actor="first"))
    assert isinstance(shop.tell(StopRuns(run_ids=(run_id,), actor="second")), Accepted)
    assert not any(isinstance(change, StopAskSet) for change in shop.decisions[-1].changes)
    stop = shop.world.runs[run_id].stop
    assert stop is not None
    assert stop.actor == "first"


def test_stop_takes_back_a_run_that_was_not_started() -> None:
    shop = Shop()
    shop.join("a", shop.create())
    order = shop.order("a", 1)
    shop.tell(StopRuns(run_ids=(order.run_id,)))
    run = shop.world.runs[order.run_id]
    assert (run.state, run.cause) == (RunState.KILLED, "stopped")
    assert isinstance(shop.start("a", order.token), Superseded)
    assert shop.world.attempts[order.token].state is AttemptState.ABANDONED


def test_stop_is_refused_when_all_runs_have_ended_and_says_which() -> None:
    shop, _, run_id, token = begun()
    shop.end("a", token)
    reply = shop.tell(StopRuns(run_ids=(run_id,)))
    assert isinstance(reply, Refused)
    assert "finished" in reply.reason


@pytest.mark.parametrize(
    "command", [StopRuns(run_ids=("nosuch00",)), RetryRuns(run_ids=()), StopRuns(run_ids=())]
)
def test_command_is_refused_when_it_names_no_run(command: StopRuns | RetryRuns) -> None:
    reply = Shop().tell(command)
    assert isinstance(reply, Refused)
    assert reply.code == "unknown"


@pytest.mark.parametrize("said", ["failed", "preempted", "killed"])
def test_a_run_that_was_asked_to_stop_does_not_come_back_by_itself(said: str) -> None:
    shop, _, run_id, token = begun(retry=Retry(max=3))
    shop.tell(StopRuns(run_ids=(run_id,)))
    shop.end("a", token, said, exit_code=1)
    run = shop.world.runs[run_id]
    assert not run.queued
    assert run.state is (RunState.FAILED if said == "failed" else RunState.KILLED)


def test_a_run_asked_to_stop_whose_agent_vanishes_is_killed() -> None:
    shop, _, run_id, _token = begun(on_lost="fence")
    shop.tell(StopRuns(run_ids=(run_id,), actor="eva"))
    shop.wait(301)
    shop.tell(Ticked())
    run = shop.world.runs[run_id]
    assert (run.state, run.actor, run.queued) == (RunState.KILLED, "eva", False)
    assert run.cause.startswith("stopped; no word for")


def test_early_stopped_run_is_killed_with_verdict_and_is_no_failure() -> None:
    shop, _, run_id, token = begun()
    shop.report("a", token, 1, [0.5, 0.4])
    verdict = Verdict(stop=True, band=3, value=0.4, threshold=0.2, n_at_band=4, at=shop.at)
    shop.tell(Judged(run_id=run_id, token=token, verdict=verdict))
    assert shop.beat("a", token).wish is Wish.STOP
    shop.end("a", token, "killed", last_seq=2, signal=15)
    run = shop.world.runs[run_id]
    assert (run.state, run.cause, run.actor) == (RunState.KILLED, "early-stopped", "hyperband")
    assert run.verdict == verdict
    assert (run.n_failures, run.queued) == (0, False)
    assert shop.world.agents["a"].n_failures == 0


def test_verdict_of_an_earlier_attempt_is_not_taken() -> None:
    shop, _, run_id, token = begun()
    shop.end("a", token, "failed", exit_code=1)
    verdict = Verdict(stop=True, band=3, value=0.4, threshold=0.2, n_at_band=4)
    shop.tell(Judged(run_id=run_id, token=token, verdict=verdict))
    assert shop.decisions[-1].changes == ()


def test_preempting_run_that_then_fails_is_preempted() -> None:
    shop, _, run_id, token = begun()
    shop.tell(RunReported(agent_id="a", token=token, preempting=True))
    assert shop.world.runs[run_id].state is RunState.PREEMPTING
    shop.end("a", token, "failed", signal=15)
    run = shop.world.runs[run_id]
    assert (run.state, run.n_failures, run.queued) == (RunState.PREEMPTED, 0, True)


def test_preempting_run_that_finishes_is_finished() -> None:
    shop, _, run_id, token = begun()
    shop.tell(RunReported(agent_id="a", token=token, preempting=True))
    shop.end("a", token)
    assert shop.world.runs[run_id].state is RunState.FINISHED
