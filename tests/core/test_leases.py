"""What silence means: leases, restarts, evidence of death, and late words."""

from __future__ import annotations

from typing import Any

import pytest

from controller.domain.agents import AgentState, JobState
from controller.domain.commands import LaunchAgents, RetryRuns
from controller.domain.events import JobSeen, Restarted, Ticked
from controller.domain.replies import Accepted, Acked, ExitOrder, RunOrder, Superseded, Wish
from controller.domain.states import AttemptState, RunState
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
