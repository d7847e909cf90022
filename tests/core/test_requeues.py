"""SLURM runs a task again: it gets its run back, and a copy that lives on changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from controller.domain.agents import AgentState, cancel_command
from controller.domain.commands import CancelSweep, PauseSweep, StopRuns, StopSweep
from controller.domain.events import AgentBeat, AgentLeft, Restarted, RunReported
from controller.domain.replies import (
    Acked,
    AgentOrder,
    ExitOrder,
    RunOrder,
    Superseded,
    WaitOrder,
    Wish,
)
from controller.domain.states import AttemptState, RunState, SweepState
from controller.domain.sweeps import Retry
from controller.domain.timing import TIMING
from controller.domain.world import World
from tests.core.shop import Shop
from tests.core.test_leases import silent


def at_work(n_cells: int = 2, **config: Any) -> tuple[Shop, str, RunOrder]:
    """Array task 8_1 executes a run."""
    shop = Shop(n_cells, **config)
    sweep = shop.create()
    shop.join_task("a", sweep, 1)
    return shop, sweep, shop.run("a", 1)


def preempted(n_cells: int = 2, *, comes_back: bool = True, **config: Any) -> tuple[Shop, str, RunOrder]:
    """Array task 8_1 executed a run, was preempted and said so."""
    shop, sweep, order = at_work(n_cells, **config)
    shop.end("a", order.token, "preempted", cause="preempted", comes_back=comes_back)
    shop.tell(AgentLeft(agent_id="a", cause="agent got SIGTERM"))
    return shop, sweep, order


def test_agent_shows_its_task_and_exactly_how_to_cancel_it() -> None:
    shop = Shop()
    shop.join_task("a", shop.create(), 3, restart=2, time_left_s=90.0)
    agent = shop.world.agents["a"]
    assert (agent.job, agent.restart, agent.end_at) == ("8_3", 2, shop.at + 90.0)
    assert cancel_command(agent) == "scancel 8_3"


def test_requeued_task_gets_its_run_back_as_the_next_attempt() -> None:
    shop, sweep, order = preempted()
    shop.join_task("a'", sweep, 1, restart=1)
    again = shop.run("a'", 1)
    assert (again.run_id, again.attempt, again.resume) == (order.run_id, 2, True)
    assert again.token > order.token
    run = shop.world.runs[order.run_id]
    assert (run.state, run.n_preemptions, run.n_failures, run.kept_for) == (RunState.RUNNING, 1, 0, "")


def test_requeued_task_gets_its_own_run_though_another_stands_before_it() -> None:
    shop = Shop(3)
    sweep = shop.create()
    orders = {}
    for task in (1, 2):
        shop.join_task(f"t{task}", sweep, task)
        orders[task] = shop.run(f"t{task}", 1)
    for task in (1, 2):
        shop.end(f"t{task}", orders[task].token, "preempted", cause="requeued", comes_back=True)
    for task in (2, 1):
        shop.join_task(f"u{task}", sweep, task, restart=1)
        assert shop.run(f"u{task}", 1).run_id == orders[task].run_id


def test_others_leave_a_kept_run_alone_until_its_time_is_over() -> None:
    shop, sweep, order = preempted(1)
    shop.join("b", sweep)
    waiting = shop.ask("b", 1)
    assert waiting == WaitOrder(reason="run s-1 is kept for SLURM task 8_1")
    shop.wait(TIMING.kept_s - 1.0)
    shop.tell(AgentBeat(agent_id="b"))
    assert isinstance(shop.ask("b", 1), WaitOrder)
    shop.wait(2.0)
    assert shop.run("b", 1).run_id == order.run_id


def test_others_take_new_configs_meanwhile() -> None:
    shop, sweep, order = preempted(2)
    shop.join("b", sweep)
    assert shop.run("b", 1).run_id != order.run_id


def test_time_for_which_a_run_is_kept_is_full_again_after_a_restart_of_the_controller() -> None:
    shop, sweep, order = preempted(1)
    shop.wait(TIMING.kept_s - 1.0)
    shop.world = World(shop.world.facts())
    shop.mono_s = 3.0
    shop.tell(Restarted())
    shop.join("b", sweep)
    assert isinstance(shop.ask("b", 1), WaitOrder)
    shop.wait(TIMING.kept_s)
    assert shop.run("b", 1).run_id == order.run_id


def test_run_is_kept_for_nobody_when_its_task_does_not_come_back() -> None:
    shop, sweep, order = preempted(1, comes_back=False)
    shop.join("b", sweep)
    again = shop.run("b", 1)
    assert (again.run_id, again.resume) == (order.run_id, True)


def test_same_task_of_another_cluster_is_another_task() -> None:
    shop, sweep, order = preempted(2)
    shop.join_task("x", sweep, 1, restart=1, cluster="elsewhere")
    assert shop.run("x", 1).run_id != order.run_id
    assert shop.world.runs[order.run_id].kept_for == "8_1"


def test_preemptions_use_up_no_retry() -> None:
    shop, sweep, order = at_work(1, retry=Retry(max=1))
    for restart in range(1, 6):
        shop.end("a" * restart, order.token, "preempted", comes_back=True)
        shop.join_task("a" * (restart + 1), sweep, 1, restart=restart)
        order = shop.run("a" * (restart + 1), 1)
    shop.end("a" * 6, order.token, "failed", exit_code=1)
    run = shop.world.runs[order.run_id]
    assert (run.queued, run.n_failures, run.n_preemptions) == (True, 1, 5)


def test_run_that_said_it_is_preempted_and_fell_silent_is_resumed_by_anybody() -> None:
    shop, sweep, order = at_work(1)
    shop.tell(RunReported(agent_id="a", token=order.token, preempting=True))
    silent(shop)
    run = shop.world.runs[order.run_id]
    assert (run.state, run.cause) == (RunState.PREEMPTED, "preempted; no word for 301 s")
    assert (run.queued, run.n_crashes, run.n_preemptions) == (True, 0, 1)
    shop.join("b", sweep)
    again = shop.run("b", 1)
    assert (again.run_id, again.resume) == (order.run_id, True)
    assert isinstance(shop.report("a", order.token, 1, [0.0]), Superseded)


@pytest.mark.parametrize("first", ["running", "crashed for its silence"])
def test_higher_restart_is_evidence_that_the_instance_before_is_over(first: str) -> None:
    shop, sweep, order = at_work()
    if first != "running":
        silent(shop)
        assert shop.world.runs[order.run_id].state is RunState.CRASHED
    shop.join_task("a'", sweep, 1, restart=1, host="n2")
    run = shop.world.runs[order.run_id]
    cause = "SLURM task 8_1 was started again (restart 1)"
    assert (run.state, run.cause, run.queued, run.kept_for) == (RunState.PREEMPTED, cause, True, "8_1")
    assert (run.n_crashes, run.n_preemptions) == (0, 1)
    assert shop.world.attempts[order.token].state is AttemptState.PREEMPTED
    assert (shop.world.agents["a"].state, shop.world.agents["a"].cause) == (AgentState.SUPERSEDED, cause)
    again = shop.run("a'", 1)
    assert (again.run_id, again.attempt, again.resume) == (order.run_id, 2, True)


def test_superseded_copy_is_told_to_end_at_once_before_and_after_its_run_is_handed_out_again() -> None:
    shop, sweep, order = at_work()
    shop.join_task("a'", sweep, 1, restart=1)
    assert shop.beat("a", order.token) == AgentOrder(wish=Wish.KILL_LEAVE, token=order.token)
    shop.run("a'", 1)
    assert shop.beat("a", order.token) == AgentOrder(wish=Wish.KILL_LEAVE, token=order.token)
    assert isinstance(shop.ask("a", 2), ExitOrder)
    assert shop.world.agents["a"].state is AgentState.SUPERSEDED


def test_words_of_a_superseded_copy_never_count_once_its_run_was_handed_out_again() -> None:
    shop, sweep, order = at_work()
    shop.report("a", order.token, 1, [3.0])
    shop.join_task("a'", sweep, 1, restart=1)
    new = shop.run("a'", 1)
    facts = shop.world.facts()
    assert isinstance(shop.start("a", order.token), Superseded)
    assert isinstance(shop.report("a", order.token, 2, [0.0]), Superseded)
    assert isinstance(shop.end("a", order.token, last_seq=2), Superseded)
    assert shop.tell(AgentLeft(agent_id="a")) == Acked()
    assert shop.world.facts() == facts
    assert shop.world.runs[order.run_id].token == new.token


def test_end_of_a_superseded_copy_changes_nothing_before_its_run_is_handed_out_again() -> None:
    shop, sweep, order = at_work()
    shop.join_task("a'", sweep, 1, restart=1)
    assert shop.end("a", order.token) == Acked(last_seq=0)
    assert shop.world.runs[order.run_id].state is RunState.PREEMPTED
    assert shop.run("a'", 1).run_id == order.run_id


def test_what_a_dead_instance_left_behind_is_delivered_until_its_run_is_handed_out_again() -> None:
    shop, sweep, order = at_work()
    shop.join_task("a'", sweep, 1, restart=1)
    assert shop.report("a", order.token, 1, [2.0]) == Acked(last_seq=1)
    run = shop.world.runs[order.run_id]
    assert (run.state, run.n_points) == (RunState.PREEMPTED, 1)


def test_copy_that_joins_after_its_successor_is_superseded_at_once() -> None:
    shop = Shop()
    sweep = shop.create()
    shop.join_task("new", sweep, 1, restart=1)
    shop.join_task("old", sweep, 1, restart=0)
    assert shop.world.agents["old"].state is AgentState.SUPERSEDED
    assert isinstance(shop.ask("old", 1), ExitOrder)
    assert isinstance(shop.ask("new", 1), RunOrder)


def test_job_id_that_came_back_is_a_job_of_its_own() -> None:
    """A SLURM controller that lost its state gives old ids again; long dead instances decide nothing."""
    shop = Shop()
    sweep = shop.create()
    shop.join_task("long ago", sweep, 1, restart=3)
    shop.tell(AgentLeft(agent_id="long ago"))
    shop.join_task("now", sweep, 1, restart=0)
    assert isinstance(shop.ask("now", 1), RunOrder)


def test_agents_of_one_task_side_by_side_leave_each_other_alone() -> None:
    shop = Shop()
    sweep = shop.create()
    for agent in ("rank0", "rank1"):
        shop.join_task(agent, sweep, 1)
        shop.run(agent, 1)
    assert {agent.state for agent in shop.world.agents.values()} == {AgentState.ACTIVE}


def test_run_that_was_handed_out_and_not_started_goes_to_the_next_instance() -> None:
    shop = Shop()
    sweep = shop.create()
    shop.join_task("a", sweep, 1)
    order = shop.order("a", 1)
    shop.join_task("a'", sweep, 1, restart=1)
    assert isinstance(shop.start("a", order.token), Superseded)
    again = shop.run("a'", 1)
    assert (again.run_id, again.resume) == (order.run_id, False)
    assert shop.world.runs[order.run_id].n_preemptions == 0


def test_stopped_run_of_a_node_that_was_lost_does_not_come_back() -> None:
    shop, sweep, order = at_work()
    shop.tell(StopRuns(run_ids=(order.run_id,), actor="me"))
    shop.join_task("a'", sweep, 1, restart=1)
    run = shop.world.runs[order.run_id]
    assert (run.state, run.queued, run.actor) == (RunState.KILLED, False, "me")
    assert shop.run("a'", 1).run_id != order.run_id


@pytest.mark.parametrize("verb", [StopSweep, CancelSweep])
def test_task_that_comes_back_to_an_ended_sweep_leaves(verb: type[StopSweep | CancelSweep]) -> None:
    shop, sweep, order = at_work()
    shop.tell(verb(sweep_id=sweep))
    shop.join_task("a'", sweep, 1, restart=1)
    assert isinstance(shop.ask("a'", 1), ExitOrder)
    assert not shop.world.runs[order.run_id].queued


def test_kept_run_stays_kept_while_the_sweep_is_paused() -> None:
    shop, sweep, _ = preempted(1)
    shop.tell(PauseSweep(sweep_id=sweep))
    shop.join_task("a'", sweep, 1, restart=1)
    assert isinstance(shop.ask("a'", 1), WaitOrder)
    assert shop.world.sweeps[sweep].state is SweepState.PAUSED


def test_under_fence_the_copy_that_lost_its_network_is_told_when_it_is_back() -> None:
    shop, sweep, order = at_work(1, on_lost="fence")
    silent(shop)
    shop.join("b", sweep)
    assert shop.run("b", 1).run_id == order.run_id
    assert shop.beat("a", order.token).wish is Wish.KILL
    assert isinstance(shop.report("a", order.token, 1, [0.0]), Superseded)
    assert shop.world.runs[order.run_id].n_points == 0


def test_array_of_twelve_tasks_for_eight_runs_ends_by_itself() -> None:
    shop = Shop(8)
    sweep = shop.create()
    replies = []
    for task in range(12):
        shop.join_task(f"t{task}", sweep, task)
        replies.append(shop.ask(f"t{task}", 1))
    runs = [reply for reply in replies if isinstance(reply, RunOrder)]
    assert sorted(order.config["x"] for order in runs) == list(range(8))
    for task, order in enumerate(runs):
        shop.start(f"t{task}", order.token)
    assert {type(shop.ask(f"t{task}", 1)) for task in range(8, 12)} == {ExitOrder}
    for task, order in enumerate(runs):
        shop.end(f"t{task}", order.token)
    assert shop.world.sweeps[sweep].state is SweepState.FINISHED
