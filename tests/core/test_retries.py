"""Retry: a new attempt of the same config; it never consumes a grid point."""

from __future__ import annotations

from typing import Any

import pytest

from controller.core.endings import has_more
from controller.domain.commands import RetryRuns, StopRuns
from controller.domain.events import AgentLeft
from controller.domain.replies import Accepted, ExitOrder, Refused, RunOrder, WaitOrder
from controller.domain.states import RunState, SweepState
from controller.domain.sweeps import Metric, Retry
from controller.domain.world import World
from tests.core.shop import Shop


def begun(n_cells: int = 2, **config: Any) -> tuple[Shop, str, RunOrder]:
    shop = Shop(n_cells, **config)
    sweep = shop.create()
    shop.join("a", sweep)
    return shop, sweep, shop.run("a", 1)


@pytest.mark.parametrize("said", ["failed", "killed"])
def test_retry_gives_the_same_config_a_new_attempt_and_eats_no_cell(said: str) -> None:
    shop, sweep, order = begun()
    shop.end("a", order.token, said, exit_code=1)
    assert isinstance(shop.tell(RetryRuns(run_ids=(order.run_id,), actor="eva")), Accepted)
    run = shop.world.runs[order.run_id]
    assert (run.state, run.queued, run.cause) == (RunState.PENDING, True, "retry asked by eva")
    again = shop.run("a", 2)
    assert (again.run_id, again.attempt, again.config, again.resume) == (order.run_id, 2, order.config, False)
    shop.end("a", again.token)
    other = shop.run("a", 3)
    assert other.config == {"x": 1}
    shop.end("a", other.token)
    assert shop.world.sweeps[sweep].state is SweepState.FINISHED
    assert len(shop.world.runs) == 2


def test_retry_of_finished_runs_needs_force() -> None:
    shop, _, order = begun()
    shop.end("a", order.token)
    refused = shop.tell(RetryRuns(run_ids=(order.run_id,)))
    assert isinstance(refused, Refused)
    assert "--force" in refused.hint
    assert isinstance(shop.tell(RetryRuns(run_ids=(order.run_id,), force=True)), Accepted)
    assert shop.run("a", 2).run_id == order.run_id


def test_retry_is_refused_while_the_run_is_open() -> None:
    shop, _, order = begun()
    assert isinstance(shop.tell(RetryRuns(run_ids=(order.run_id,), force=True)), Refused)


def test_retry_takes_those_that_can_be_retried_and_names_how_many() -> None:
    shop, _, first = begun()
    shop.end("a", first.token, "failed", exit_code=1)
    second = shop.run("a", 2)
    reply = shop.tell(RetryRuns(run_ids=(first.run_id, second.run_id)))
    assert isinstance(reply, Accepted)
    assert reply.ids == (first.run_id,)
    assert reply.text == "queued 1 run(s) again"


def test_retry_reopens_a_finished_sweep() -> None:
    shop, sweep, order = begun(1)
    shop.end("a", order.token, "failed", exit_code=1)
    assert shop.world.sweeps[sweep].state is SweepState.FINISHED
    shop.tell(RetryRuns(run_ids=(order.run_id,)))
    assert shop.world.sweeps[sweep].state is SweepState.RUNNING
    shop.end("a", shop.run("a", 2).token)
    assert shop.world.sweeps[sweep].state is SweepState.FINISHED


def test_retry_in_a_sweep_that_reached_its_target_says_how_to_go_on() -> None:
    shop = Shop(2, metric=Metric(name="loss", target=0.5))
    sweep = shop.create()
    shop.join("a", sweep)
    order = shop.run("a", 1)
    shop.report("a", order.token, 1, [0.1])
    shop.end("a", order.token, "failed", last_seq=1, exit_code=1)
    reply = shop.tell(RetryRuns(run_ids=(order.run_id,)))
    assert isinstance(reply, Accepted)
    assert "reached its target: resume it" in reply.text
    assert shop.world.sweeps[sweep].state is SweepState.FINISHED


def test_automatic_retry_gives_so_many_further_attempts() -> None:
    shop, sweep, order = begun(1, retry=Retry(max=2))
    for attempt in (1, 2, 3):
        assert order.attempt == attempt
        shop.wait(100.0)
        shop.end("a", order.token, "failed", exit_code=1)
        if attempt < 3:
            order = shop.run("a", attempt + 1)
    assert shop.world.sweeps[sweep].state is SweepState.FINISHED
    assert isinstance(shop.ask("a", 4), ExitOrder)
    assert shop.world.runs[order.run_id].n_failures == 3


def test_automatic_retry_is_off_by_default() -> None:
    shop, _, order = begun()
    shop.end("a", order.token, "failed", exit_code=1)
    assert not shop.world.runs[order.run_id].queued


def test_automatic_retry_leaves_failures_alone_when_it_is_for_crashes() -> None:
    shop, _, order = begun(retry=Retry(max=2, on=("crashed",)))
    shop.end("a", order.token, "failed", exit_code=1)
    assert not shop.world.runs[order.run_id].queued


def test_automatic_retry_goes_to_another_agent_first() -> None:
    shop, sweep, order = begun(3, retry=Retry(max=1))
    shop.end("a", order.token, "failed", exit_code=1)
    shop.join("b", sweep)
    assert shop.run("b", 1).run_id == order.run_id


def test_a_retry_waits_behind_nothing_but_goes_before_fresh_cells() -> None:
    shop, _, order = begun(3, retry=Retry(max=1))
    shop.end("a", order.token, "failed", exit_code=1)
    assert shop.run("a", 2).run_id == order.run_id


def test_preempted_run_goes_to_the_front_with_the_resume_flag_and_costs_no_retry() -> None:
    shop, sweep, order = begun(4, retry=Retry(max=1))
    shop.join("b", sweep)
    other = shop.run("b", 1)
    shop.end("a", order.token, "failed", exit_code=1)
    shop.end("b", other.token, "preempted", cause="preempted by the scheduler")
    run = shop.world.runs[other.run_id]
    assert (run.state, run.queued, run.n_failures) == (RunState.PREEMPTED, True, 0)
    shop.join("c", sweep)
    again = shop.run("c", 1)
    assert (again.run_id, again.attempt, again.resume) == (other.run_id, 2, True)
    assert shop.world.runs[again.run_id].state is RunState.RUNNING


def test_resume_flag_survives_an_attempt_that_was_never_started() -> None:
    shop, sweep, order = begun()
    shop.end("a", order.token, "preempted")
    lost = shop.order("a", 2)
    shop.tell(AgentLeft(agent_id="a"))
    shop.join("b", sweep)
    again = shop.run("b", 1)
    assert (again.run_id, again.attempt, again.resume) == (order.run_id, 3, True)
    assert lost.resume


def test_resume_flag_is_gone_after_a_failure() -> None:
    shop, _, order = begun(retry=Retry(max=3))
    shop.end("a", order.token, "preempted")
    again = shop.run("a", 2)
    shop.end("a", again.token, "failed", exit_code=1)
    assert not shop.run("a", 3).resume


def test_order_of_the_queue_is_the_same_after_a_restart() -> None:
    shop, sweep, first = begun(6, retry=Retry(max=1))
    shop.join("b", sweep)
    second = shop.run("b", 1)
    shop.end("b", second.token, "failed", exit_code=1)
    shop.end("a", first.token, "failed", exit_code=1)
    orders = []
    for world in (shop.world, World(shop.world.facts())):
        shop.world = World(world.facts()) if world is shop.world else world
        shop.join("c", sweep)
        orders.append(shop.order("c", 1).run_id)
    assert orders[0] == orders[1]


def test_stop_takes_a_waiting_run_out_of_the_queue_and_leaves_its_end() -> None:
    shop, sweep, order = begun(1, retry=Retry(max=1))
    shop.end("a", order.token, "failed", exit_code=7)
    assert shop.world.runs[order.run_id].queued
    shop.tell(StopRuns(run_ids=(order.run_id,)))
    run = shop.world.runs[order.run_id]
    assert (run.state, run.queued, run.exit_code) == (RunState.FAILED, False, 7)
    assert shop.world.sweeps[sweep].state is SweepState.FINISHED


def test_stop_of_a_retried_run_that_waits_kills_it() -> None:
    shop, sweep, order = begun(2)
    shop.end("a", order.token, "failed", exit_code=7)
    shop.tell(RetryRuns(run_ids=(order.run_id,)))
    shop.tell(StopRuns(run_ids=(order.run_id,), actor="eva"))
    run = shop.world.runs[order.run_id]
    assert (run.state, run.queued, run.cause, run.actor) == (RunState.KILLED, False, "stopped", "eva")
    assert has_more(shop.world, shop.world.sweeps[sweep])


def test_agents_wait_while_an_open_run_may_come_back_for_a_retry() -> None:
    shop, sweep, order = begun(1, retry=Retry(max=1))
    shop.join("b", sweep)
    assert isinstance(shop.ask("b", 1), WaitOrder)
    shop.end("a", order.token, "failed", exit_code=1)
    assert shop.run("b", 1).run_id == order.run_id


def test_history_of_a_retried_run_goes_on_counting_and_its_reports_begin_anew() -> None:
    shop, _, order = begun(retry=Retry(max=1))
    shop.report("a", order.token, 1, [3.0, 2.0])
    shop.end("a", order.token, "failed", last_seq=2, exit_code=1)
    again = shop.run("a", 2)
    assert shop.world.runs[order.run_id].n_metric_values == 0
    shop.report("a", again.token, 1, [2.5])
    run = shop.world.runs[order.run_id]
    assert (run.n_points, run.n_metric_values, run.best, run.latest) == (3, 1, 2.0, 2.5)
