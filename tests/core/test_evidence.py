"""Evidence of death, late words, and sweeps that everybody left."""

from __future__ import annotations

from controller.domain.agents import AgentState, JobState
from controller.domain.commands import RetryRuns
from controller.domain.events import AgentJoined, AgentLeft, JobSeen
from controller.domain.replies import Acked, ExitOrder, RunOrder, Wish
from controller.domain.states import RunState, SweepState
from tests.core.shop import Shop
from tests.core.test_leases import begun, launched, silent


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
