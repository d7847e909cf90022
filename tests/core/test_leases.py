"""What silence means: leases, restarts, evidence of death, and late words."""

from __future__ import annotations

from typing import Any

import pytest

from controller.domain.agents import AgentState, JobState
from controller.domain.commands import LaunchAgents, RetryRuns
from controller.domain.events import AgentJoined, AgentLeft, JobSeen, Restarted, Ticked
from controller.domain.replies import Accepted, Acked, ExitOrder, RunOrder, Superseded, Wish
from controller.domain.states import AttemptState, RunState, SweepState
from controller.domain.world import World
from tests.core.shop import Shop


def begun(n_cells: int = 2, **config: Any) -> tuple[Shop, str, RunOrder]:
    shop = Shop(n_cells, **config)
    sweep = shop.create()
    shop.join("a", sweep)
    return shop, sweep, shop.run("a", 1)


def silent(shop: Shop, seconds: float = 301.0) -> None:
    shop.wait(seconds)
    shop.tell(Ticked())


def launched(n_cells: int = 2) -> tuple[Shop, str, str, RunOrder]:
    """Return a shop whose agent runs in a job of the controller's: shop, sweep, job, run."""
    shop = Shop(n_cells)
    sweep = shop.create()
    reply = shop.tell(LaunchAgents(sweep_id=sweep))
    assert isinstance(reply, Accepted)
    shop.tell(JobSeen(job_id=reply.ids[0], state=JobState.RUNNING, pid=5, started_ticks=6))
    shop.join("a", sweep, job_id=reply.ids[0])
    return shop, sweep, reply.ids[0], shop.run("a", 1)


def test_run_crashes_when_its_lease_ran_out_and_says_since_when() -> None:
    shop, _, order = begun()
    silent(shop, 300.0)
    assert shop.world.runs[order.run_id].state is RunState.RUNNING
    silent(shop, 1.0)
    run = shop.world.runs[order.run_id]
    assert (run.state, run.cause, run.ended_at) == (RunState.CRASHED, "no word for 301 s", shop.at)
    assert shop.world.attempts[order.token].state is AttemptState.CRASHED
    assert shop.world.agents["a"].state is AgentState.LOST


@pytest.mark.parametrize("word", ["beat", "report", "start again"])
def test_any_word_of_the_run_fills_its_lease(word: str) -> None:
    shop, _, order = begun()
    silent(shop, 200.0)
    match word:
        case "beat":
            shop.beat("a", order.token)
        case "report":
            shop.report("a", order.token, 1, [1.0])
        case _:
            shop.start("a", order.token)
            shop.beat("a", order.token)
    silent(shop, 200.0)
    assert shop.world.runs[order.run_id].state is RunState.RUNNING


def test_a_heartbeat_fills_only_the_lease_of_the_agents_own_run() -> None:
    shop, sweep, order = begun()
    shop.join("b", sweep)
    shop.wait(200.0)
    shop.beat("b", order.token)
    shop.wait(101.0)
    shop.tell(Ticked())
    assert shop.world.runs[order.run_id].state is RunState.CRASHED


def test_a_heartbeat_without_news_changes_nothing_but_once_a_minute() -> None:
    shop, _, order = begun()
    shop.wait(59.0)
    shop.beat("a", order.token)
    assert shop.decisions[-1].changes == ()
    shop.wait(2.0)
    shop.beat("a", order.token)
    assert len(shop.decisions[-1].changes) == 1
    assert shop.world.agents["a"].heard_at == shop.at


def test_every_lease_is_full_again_after_a_restart() -> None:
    shop, _, order = begun()
    shop.wait(299.0)
    shop.world = World(shop.world.facts())
    shop.mono_s = 3.0  # another boot: the monotonic clock began anew
    shop.tell(Restarted())
    silent(shop, 299.0)
    assert shop.world.runs[order.run_id].state is RunState.RUNNING
    silent(shop, 2.0)
    assert shop.world.runs[order.run_id].state is RunState.CRASHED


def test_every_lease_is_full_again_after_a_sleep() -> None:
    shop, _, order = begun()
    shop.wait(40_000.0)
    shop.tell(Restarted())
    shop.tell(Ticked())
    assert shop.world.runs[order.run_id].state is RunState.RUNNING
    assert shop.world.agents["a"].state is AgentState.ACTIVE


def test_wall_clock_jumps_decide_nothing() -> None:
    shop, _, order = begun()
    for jump in (3.2e8, -6.4e8):
        shop.at += jump
        shop.tell(Ticked())
        assert shop.world.runs[order.run_id].state is RunState.RUNNING


def test_a_crashed_config_waits_for_the_user_under_keep() -> None:
    shop, sweep, order = begun(1)
    silent(shop)
    assert not shop.world.runs[order.run_id].queued
    shop.join("b", sweep)
    assert isinstance(shop.ask("b", 1), ExitOrder)
    shop.tell(RetryRuns(run_ids=(order.run_id,)))
    assert shop.run("b", 2).run_id == order.run_id


def test_a_crashed_config_is_handed_out_again_at_the_lease_under_fence() -> None:
    shop, sweep, order = begun(1, on_lost="fence")
    silent(shop)
    assert shop.world.runs[order.run_id].queued
    shop.join("b", sweep)
    again = shop.run("b", 1)
    assert (again.run_id, again.attempt) == (order.run_id, 2)


@pytest.mark.parametrize("word", ["report", "beat", "ask again"])
def test_a_late_word_revives_a_crashed_run_that_nothing_replaced(word: str) -> None:
    shop, sweep, order = begun()
    silent(shop)
    match word:
        case "report":
            assert shop.report("a", order.token, 1, [1.0]) == Acked(last_seq=1)
            shop.beat("a", order.token)
        case "beat":
            assert shop.beat("a", order.token).wish is Wish.GO_ON
        case _:
            shop.ask("a", 1)
            shop.beat("a", order.token)
    run = shop.world.runs[order.run_id]
    assert (run.state, run.n_crashes, run.cause) == (RunState.RUNNING, 0, "")
    assert order.token in shop.world.open_of[sweep]
    assert shop.world.agents["a"].token == order.token
    assert shop.world.agents["a"].state is AgentState.ACTIVE
    silent(shop, 299.0)
    assert shop.world.runs[order.run_id].state is RunState.RUNNING, "its lease is full again"


def test_a_late_word_takes_the_config_back_from_the_queue_under_fence() -> None:
    shop, sweep, order = begun(1, on_lost="fence")
    silent(shop)
    shop.report("a", order.token, 1, [1.0])
    assert shop.world.runs[order.run_id].state is RunState.RUNNING
    assert not shop.world.queue_of[sweep]


def test_a_late_report_of_a_replaced_attempt_counts_nothing() -> None:
    shop, sweep, order = begun(1, on_lost="fence")
    silent(shop)
    shop.join("b", sweep)
    new = shop.run("b", 1)
    facts = shop.world.facts()
    assert isinstance(shop.report("a", order.token, 1, [0.0]), Superseded)
    assert isinstance(shop.end("a", order.token), Superseded)
    assert shop.world.facts() == facts
    assert shop.world.runs[order.run_id].token == new.token


def test_a_late_end_is_the_truth_about_a_crashed_run() -> None:
    shop, _, order = begun()
    silent(shop)
    assert shop.end("a", order.token, exit_code=0) == Acked(last_seq=0)
    assert shop.world.runs[order.run_id].state is RunState.FINISHED


def test_a_late_end_is_heard_and_changes_nothing_when_the_user_retried_meanwhile() -> None:
    shop, _, order = begun()
    silent(shop)
    shop.tell(RetryRuns(run_ids=(order.run_id,)))
    assert shop.end("a", order.token, exit_code=0) == Acked(last_seq=0)
    assert shop.world.runs[order.run_id].state is RunState.PENDING


def test_end_of_the_agents_process_is_evidence() -> None:
    shop, sweep, job, order = launched(1)
    shop.tell(JobSeen(job_id=job, state=JobState.ENDED, cause="signal 9"))
    run = shop.world.runs[order.run_id]
    assert (run.state, run.cause, run.queued) == (RunState.CRASHED, "agent died: signal 9", True)
    assert shop.world.agents["a"].state is AgentState.LOST
    shop.join("b", sweep)
    assert shop.run("b", 1).run_id == order.run_id


def test_evidence_counts_also_after_the_lease_ran_out_and_one_death_counts_once() -> None:
    shop, _, job, order = launched()
    silent(shop)
    assert not shop.world.runs[order.run_id].queued
    shop.tell(JobSeen(job_id=job, state=JobState.ENDED, cause="signal 9"))
    run = shop.world.runs[order.run_id]
    assert (run.state, run.queued, run.n_crashes) == (RunState.CRASHED, True, 1)


def test_a_word_that_was_under_way_when_the_process_ended_revives_nobody() -> None:
    shop, sweep, job, order = launched(1)
    shop.tell(JobSeen(job_id=job, state=JobState.ENDED))
    shop.beat("a", order.token)
    assert shop.report("a", order.token, 1, [1.0]) == Acked(last_seq=1)
    assert shop.world.runs[order.run_id].queued
    assert shop.world.agents["a"].state is AgentState.LOST
    assert isinstance(shop.ask("a", 2), ExitOrder)
    assert not shop.world.heard_s
    assert not shop.world.agents_of[sweep]


def test_what_a_dead_agent_left_behind_is_delivered_in_its_name_and_is_the_truth() -> None:
    shop, _, job, order = launched(1)
    shop.tell(JobSeen(job_id=job, state=JobState.ENDED))
    shop.report("a", order.token, 1, [1.0, 0.5])
    shop.end("a", order.token, exit_code=0, last_seq=2)
    run = shop.world.runs[order.run_id]
    assert (run.state, run.n_points, run.queued) == (RunState.FINISHED, 2, False)


def test_a_found_death_is_evidence_and_counts_once() -> None:
    shop, _, order = begun()
    silent(shop)
    shop.report("a", order.token, 1, [1.0])  # replayed by another agent, which then says how it ended
    shop.end("a", order.token, "crashed", last_seq=1, cause="its agent died")
    run = shop.world.runs[order.run_id]
    assert (run.state, run.cause, run.queued, run.n_crashes) == (RunState.CRASHED, "its agent died", True, 1)


def test_an_agent_of_a_restarted_host_is_evidence_for_those_before() -> None:
    shop = Shop(1)
    sweep = shop.create()
    shop.tell(AgentJoined(agent_id="a", sweep_id=sweep, host="n1", pid=1, boot_id="first"))
    order = shop.run("a", 1)
    shop.wait(120.0)
    shop.tell(AgentJoined(agent_id="b", sweep_id=sweep, host="n1", pid=1, boot_id="second"))
    run = shop.world.runs[order.run_id]
    assert (run.state, run.cause, run.queued) == (RunState.CRASHED, "agent died: n1 was restarted", True)
    assert shop.world.agents["a"].state is AgentState.LOST
    assert shop.run("b", 1).run_id == order.run_id


def test_an_agent_that_still_speaks_is_not_buried_by_a_namesake_of_its_host() -> None:
    shop = Shop(2)
    sweep = shop.create()
    shop.tell(AgentJoined(agent_id="a", sweep_id=sweep, host="localhost", pid=1, boot_id="one"))
    order = shop.run("a", 1)
    shop.wait(20.0)
    shop.tell(AgentJoined(agent_id="b", sweep_id=sweep, host="localhost", pid=1, boot_id="two"))
    assert shop.world.runs[order.run_id].state is RunState.RUNNING
    assert shop.world.agents["a"].state is AgentState.ACTIVE


def test_a_lease_that_runs_out_after_its_host_was_restarted_needs_no_further_evidence() -> None:
    shop = Shop(2)
    sweep = shop.create()
    shop.tell(AgentJoined(agent_id="a", sweep_id=sweep, host="n1", pid=1, boot_id="first"))
    order = shop.run("a", 1)
    shop.wait(20.0)
    shop.tell(AgentJoined(agent_id="b", sweep_id=sweep, host="n1", pid=1, boot_id="second"))
    silent(shop, 290.0)
    assert shop.world.runs[order.run_id].queued


def test_a_config_that_takes_agents_down_three_times_is_not_handed_out_again() -> None:
    shop = Shop(1)
    sweep = shop.create()
    run_id = ""
    for n, agent in enumerate("abc", 1):
        shop.join(agent, sweep)
        order = shop.run(agent, 1)
        run_id = order.run_id
        shop.end(agent, order.token, "crashed", cause="node down")
        assert shop.world.runs[run_id].queued is (n < 3)
    assert shop.world.sweeps[sweep].state is SweepState.FINISHED


def test_sweep_crashes_when_nobody_comes_back_and_runs_again_when_an_agent_joins() -> None:
    shop, sweep, _order = begun(3)
    silent(shop)
    assert shop.world.sweeps[sweep].state is SweepState.RUNNING
    silent(shop, 3599.0)
    assert shop.world.sweeps[sweep].state is SweepState.RUNNING
    silent(shop, 2.0)
    assert shop.world.sweeps[sweep].state is SweepState.CRASHED
    shop.join("b", sweep)
    assert shop.world.sweeps[sweep].state is SweepState.RUNNING


def test_sweep_runs_again_when_an_agent_that_was_away_for_hours_speaks() -> None:
    shop, sweep, order = begun(3)
    silent(shop)
    silent(shop, 3601.0)
    assert shop.world.sweeps[sweep].state is SweepState.CRASHED
    assert shop.beat("a", order.token).wish is Wish.GO_ON
    assert shop.world.sweeps[sweep].state is SweepState.RUNNING
    assert shop.world.runs[order.run_id].state is RunState.RUNNING


def test_time_until_a_sweep_counts_as_crashed_begins_anew_when_one_comes_back() -> None:
    shop, sweep, order = begun(3)
    silent(shop)
    silent(shop, 3000.0)
    shop.beat("a", order.token)
    silent(shop, 301.0)
    silent(shop, 3000.0)
    assert shop.world.sweeps[sweep].state is SweepState.RUNNING


def test_a_sweep_whose_agents_left_in_order_does_not_crash() -> None:
    shop, sweep, order = begun(3)
    shop.end("a", order.token)
    shop.tell(AgentLeft(agent_id="a"))
    silent(shop, 10_000.0)
    assert shop.world.sweeps[sweep].state is SweepState.RUNNING


def test_a_lost_agent_that_speaks_again_gets_runs_again() -> None:
    shop, sweep, _ = begun(3)
    shop.join("b", sweep)
    silent(shop)
    assert shop.world.agents["b"].state is AgentState.LOST
    assert isinstance(shop.ask("b", 1), RunOrder)
    assert "b" in shop.world.agents_of[sweep]
    assert "b" in shop.world.heard_s


def test_silence_of_an_idle_agent_is_no_crash() -> None:
    shop = Shop()
    sweep = shop.create()
    shop.join("a", sweep)
    silent(shop)
    assert shop.world.agents["a"].state is AgentState.LOST
    silent(shop, 4000.0)
    assert shop.world.sweeps[sweep].state is SweepState.RUNNING
    assert shop.beat("a").wish is Wish.GO_ON
