"""Agents whose job is nearly over start no run."""

from __future__ import annotations

from typing import Any

import pytest

from controller.domain.events import AgentBeat
from controller.domain.replies import ExitOrder, RunOrder
from controller.domain.states import RunState
from tests.core.shop import Shop


def opened(n_cells: int = 9, **config: Any) -> tuple[Shop, str]:
    shop = Shop(n_cells, **config)
    sweep = shop.create()
    shop.join_task("a", sweep, 1)
    return shop, sweep


def finish(shop: Shop, sweep: str, *durations_s: float) -> None:
    shop.join("quick", sweep)
    for n, duration_s in enumerate(durations_s, 1):
        order = shop.run("quick", n)
        shop.wait(duration_s)
        shop.end("quick", order.token)


def test_agent_with_less_time_than_min_time_is_sent_away_and_takes_no_run() -> None:
    shop, _ = opened(min_time_s=600.0)
    reason = "the job has 599 s left, a run needs 600 s (min_time)"
    assert shop.ask("a", 1, time_left_s=599.0) == ExitOrder(reason=reason)
    assert not shop.world.runs


@pytest.mark.parametrize("left_s", [600.0, None])
def test_agent_with_enough_time_or_none_known_gets_a_run(left_s: float | None) -> None:
    shop, _ = opened(min_time_s=600.0)
    assert isinstance(shop.ask("a", 1, time_left_s=left_s), RunOrder)


def test_without_min_time_the_median_run_so_far_decides() -> None:
    shop, sweep = opened()
    assert isinstance(shop.ask("a", 1, time_left_s=1.0), RunOrder), "nothing is known yet"
    finish(shop, sweep, 10.0, 200.0, 30.0)
    shop.join_task("b", sweep, 2)
    assert isinstance(shop.ask("b", 1, time_left_s=29.0), ExitOrder)
    assert isinstance(shop.ask("b", 2, time_left_s=31.0), RunOrder)


def test_runs_that_did_not_finish_say_nothing_of_how_long_one_takes() -> None:
    shop, sweep = opened()
    shop.join("quick", sweep)
    order = shop.run("quick", 1)
    shop.wait(500.0)
    shop.end("quick", order.token, "failed", exit_code=1)
    assert isinstance(shop.ask("a", 1, time_left_s=5.0), RunOrder)


def test_runs_last_attempt_is_what_it_took() -> None:
    shop, sweep = opened(3)
    order = shop.run("a", 1)
    shop.wait(900.0)
    shop.end("a", order.token, "preempted")
    order = shop.run("a", 2)
    shop.wait(50.0)
    shop.end("a", order.token)
    assert shop.world.runs[order.run_id].state is RunState.FINISHED
    shop.join_task("b", sweep, 2)
    assert isinstance(shop.ask("b", 1, time_left_s=60.0), RunOrder)


def test_end_of_the_job_is_written_down_when_it_is_news() -> None:
    shop, _ = opened()
    assert shop.world.agents["a"].end_at is None
    shop.tell(AgentBeat(agent_id="a", time_left_s=3600.0))
    assert shop.world.agents["a"].end_at == shop.at + 3600.0
    shop.wait(59.0)
    shop.tell(AgentBeat(agent_id="a", time_left_s=3545.0))
    assert shop.decisions[-1].changes == ()
    shop.tell(AgentBeat(agent_id="a", time_left_s=7200.0))
    assert shop.world.agents["a"].end_at == shop.at + 7200.0
