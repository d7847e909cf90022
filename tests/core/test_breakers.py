"""One bad node, one bad config or one bug must not burn the whole sweep; bad luck must not break it."""

from __future__ import annotations

import random
from typing import Any

import pytest

from controller.domain.agents import AgentState
from controller.domain.commands import ResumeSweep, RetryRuns, StopRuns
from controller.domain.events import AgentLeft, Judged
from controller.domain.replies import ExitOrder, RunOrder, WaitOrder, Wish
from controller.domain.runs import Verdict
from controller.domain.states import RunState, SweepState
from controller.domain.sweeps import Retry
from tests.core.shop import Shop


def opened(n_cells: int, *agents: str, **config: Any) -> tuple[Shop, str]:
    shop = Shop(n_cells, **config)
    sweep = shop.create()
    for agent in agents:
        shop.join(agent, sweep)
    return shop, sweep


def fail(shop: Shop, agent: str, n: int, lasted_s: float = 1.0) -> RunOrder:
    order = shop.run(agent, n)
    shop.wait(lasted_s)
    shop.end(agent, order.token, "failed", exit_code=1)
    return order


def test_agent_is_quarantined_after_three_quick_failures_and_its_configs_go_back_unharmed() -> None:
    shop, _sweep = opened(20, "good", "bad")
    for n in range(1, 4):
        shop.end("good", shop.run("good", n).token)
    bad = [fail(shop, "bad", n) for n in range(1, 4)]
    agent = shop.world.agents["bad"]
    assert (agent.state, agent.cause) == (AgentState.QUARANTINED, "quarantined: 3 quick failures in a row")
    for order in bad:
        run = shop.world.runs[order.run_id]
        assert (run.state, run.queued, run.n_failures, run.failed_on) == (RunState.PENDING, True, 0, ())
    assert isinstance(shop.ask("bad", 4), ExitOrder)
    assert shop.beat("bad").wish is Wish.LEAVE
    assert [shop.run("good", 4).run_id] == [bad[0].run_id]


def test_agent_whose_failures_take_long_is_not_quarantined() -> None:
    shop, _ = opened(20, "good", "slow")
    for n in range(1, 5):
        shop.end("good", shop.run("good", n).token)
    for n in range(1, 7):
        fail(shop, "slow", n, lasted_s=61.0)
    assert shop.world.agents["slow"].state is AgentState.ACTIVE


def test_a_success_ends_the_streak() -> None:
    shop, _ = opened(20, "good", "a")
    for n in range(1, 5):
        shop.end("good", shop.run("good", n).token)
    for n in (1, 2):
        fail(shop, "a", n)
    shop.end("a", shop.run("a", 3).token)
    for n in (4, 5):
        fail(shop, "a", n)
    assert shop.world.agents["a"].state is AgentState.ACTIVE


@pytest.mark.parametrize("said", ["preempted", "killed"])
def test_preemptions_and_kills_never_count(said: str) -> None:
    shop, sweep = opened(20, "a")
    for n in range(1, 9):
        order = shop.run("a", n)
        if said == "killed":
            shop.tell(StopRuns(run_ids=(order.run_id,)))
        shop.end("a", order.token, said, signal=15)
    assert shop.world.agents["a"].n_quick_failures == 0
    assert shop.world.agents["a"].state is AgentState.ACTIVE
    assert shop.world.sweeps[sweep].state is SweepState.RUNNING


def test_preemption_does_not_hide_a_streak() -> None:
    shop, _ = opened(20, "good", "a")
    for n in range(1, 5):
        shop.end("good", shop.run("good", n).token)
    fail(shop, "a", 1)
    fail(shop, "a", 2)
    shop.end("a", shop.run("a", 3).token, "preempted")
    fail(shop, "a", 4)
    assert shop.world.agents["a"].state is AgentState.QUARANTINED


def test_sweep_pauses_when_its_first_five_attempts_all_failed_and_says_so() -> None:
    shop, sweep = opened(2000, "a", "b", "c")
    orders = [fail(shop, "abc"[n % 3], n // 3 + 1) for n in range(5)]
    found = shop.world.sweeps[sweep]
    assert (found.state, found.breaker) == (SweepState.PAUSED, True)
    name = shop.world.runs[orders[-1].run_id].name
    assert found.cause == f"breaker: all 5 attempts failed, the last one ({name}) with exit code 1"
    assert isinstance(shop.ask("c", 2), WaitOrder)


def test_sweep_pauses_when_its_only_agent_was_quarantined() -> None:
    shop, sweep = opened(2000, "a")
    for n in range(1, 4):
        fail(shop, "a", n)
    assert shop.world.sweeps[sweep].breaker
    assert shop.world.sweeps[sweep].state is SweepState.PAUSED


def test_sweep_of_one_agent_whose_failures_take_long_pauses_after_five() -> None:
    shop, sweep = opened(2000, "a")
    for n in range(1, 6):
        assert shop.world.sweeps[sweep].state is SweepState.RUNNING
        fail(shop, "a", n, lasted_s=100.0)
    assert shop.world.sweeps[sweep].state is SweepState.PAUSED


def test_attempts_of_one_config_count_for_the_sweep_each() -> None:
    shop, sweep = opened(1, "a", retry=Retry(max=50))
    for n in range(1, 6):
        fail(shop, "a", n, lasted_s=100.0)
    assert shop.world.sweeps[sweep].breaker


def test_sweep_goes_on_when_one_of_the_first_finished() -> None:
    shop, sweep = opened(2000, "a", "b")
    shop.end("a", shop.run("a", 1).token)
    for n in range(2, 12):
        fail(shop, "ab"[n % 2], n, lasted_s=100.0)
    assert shop.world.sweeps[sweep].state is SweepState.RUNNING


def test_sweep_goes_on_when_one_of_the_first_was_stopped_early() -> None:
    shop, sweep = opened(2000, "a", "b")
    order = shop.run("a", 1)
    verdict = Verdict(stop=True, band=1, value=1.0, threshold=0.5, n_at_band=2)
    shop.tell(Judged(run_id=order.run_id, token=order.token, verdict=verdict))
    shop.end("a", order.token, "killed", signal=15)
    for n in range(2, 9):
        fail(shop, "ab"[n % 2], n, lasted_s=100.0)
    assert shop.world.sweeps[sweep].state is SweepState.RUNNING


def test_resume_forgives_and_five_more_failures_pause_again() -> None:
    shop, sweep = opened(2000, "a", "b")
    for n in range(1, 6):
        fail(shop, "ab"[n % 2], n, lasted_s=100.0)
    shop.tell(ResumeSweep(sweep_id=sweep))
    found = shop.world.sweeps[sweep]
    assert (found.state, found.breaker) == (SweepState.RUNNING, False)
    for n in range(6, 10):
        fail(shop, "ab"[n % 2], n, lasted_s=100.0)
    fail(shop, "a", 10, lasted_s=100.0)
    assert shop.world.sweeps[sweep].breaker


def test_sweep_failed_when_nobody_resumed_it_and_its_agents_are_gone() -> None:
    shop, sweep = opened(2000, "a", "b")
    for n in range(1, 6):
        fail(shop, "ab"[n % 2], n, lasted_s=100.0)
    cause = shop.world.sweeps[sweep].cause
    for agent in "ab":
        assert shop.world.sweeps[sweep].state is SweepState.PAUSED
        shop.tell(AgentLeft(agent_id=agent))
    found = shop.world.sweeps[sweep]
    assert (found.state, found.cause) == (SweepState.FAILED, cause)


def test_retry_reopens_a_failed_sweep() -> None:
    shop, sweep = opened(2000, "a")
    orders = [fail(shop, "a", n, lasted_s=100.0) for n in range(1, 6)]
    shop.tell(AgentLeft(agent_id="a"))
    shop.tell(RetryRuns(run_ids=tuple(order.run_id for order in orders)))
    found = shop.world.sweeps[sweep]
    assert (found.state, found.breaker) == (SweepState.RUNNING, False)


def test_config_that_failed_on_three_agents_while_others_succeed_is_set_aside() -> None:
    shop, _ = opened(9, "a", "b", "c", "good", retry=Retry(max=50))
    shop.end("good", shop.run("good", 1).token)
    bad = fail(shop, "a", 1, lasted_s=100.0)
    for agent in "bc":
        assert shop.world.runs[bad.run_id].queued
        assert fail(shop, agent, 1, lasted_s=100.0).run_id == bad.run_id
    run = shop.world.runs[bad.run_id]
    assert (run.state, run.set_aside, run.queued) == (RunState.FAILED, True, False)
    assert run.failed_on == ("a", "b", "c")
    assert shop.run("good", 2).run_id != bad.run_id


def test_config_is_not_set_aside_when_nothing_else_succeeds() -> None:
    shop, _ = opened(9, "a", "b", "c", retry=Retry(max=50))
    bad = fail(shop, "a", 1, lasted_s=100.0)
    for agent in "bc":
        fail(shop, agent, 1, lasted_s=100.0)
    assert not shop.world.runs[bad.run_id].set_aside


def test_retry_by_the_user_brings_back_a_config_that_was_set_aside() -> None:
    shop, _ = opened(9, "a", "b", "c", "good", retry=Retry(max=50))
    shop.end("good", shop.run("good", 1).token)
    bad = fail(shop, "a", 1, lasted_s=100.0)
    for agent in "bc":
        fail(shop, agent, 1, lasted_s=100.0)
    shop.tell(RetryRuns(run_ids=(bad.run_id,)))
    assert shop.run("good", 2).run_id == bad.run_id
    assert not shop.world.runs[bad.run_id].set_aside


def test_a_poisoned_agent_takes_three_configs_of_a_large_sweep() -> None:
    shop, sweep = opened(100, *(f"a{n}" for n in range(10)), "bad")
    asks = dict.fromkeys(shop.world.agents, 0)
    n_taken = 0
    while shop.world.sweeps[sweep].state is SweepState.RUNNING:
        orders = {}
        for agent in asks:
            asks[agent] += 1
            reply = shop.ask(agent, asks[agent])
            if isinstance(reply, RunOrder):
                shop.start(agent, reply.token)
                orders[agent] = reply
        shop.wait(1.0)
        for agent, order in orders.items():
            n_taken += agent == "bad"
            state = "failed" if agent == "bad" else "finished"
            shop.end(agent, order.token, state, exit_code=int(agent == "bad"))
    assert n_taken == 3
    assert shop.world.counts_of[sweep][RunState.FINISHED] == 100


def bad_luck(seed: int, share: float = 0.22, n_agents: int = 8, n_cells: int = 150) -> tuple[int, bool]:
    """Run a sweep whose configs fail quickly at random; return quarantined agents and whether it paused."""
    dice = random.Random(seed)
    shop, sweep = opened(n_cells, *(f"a{n}" for n in range(n_agents)))
    asks = dict.fromkeys(shop.world.agents, 0)
    while shop.world.sweeps[sweep].state is SweepState.RUNNING:
        for agent in asks:
            asks[agent] += 1
            order = shop.ask(agent, asks[agent])
            if isinstance(order, RunOrder):
                shop.start(agent, order.token)
                shop.wait(1.0)
                said = "failed" if dice.random() < share else "finished"
                shop.end(agent, order.token, said, exit_code=1 if said == "failed" else 0)
        if all(a.state is not AgentState.ACTIVE for a in shop.world.agents.values()):
            break
    n_bad = sum(a.state is AgentState.QUARANTINED for a in shop.world.agents.values())
    return n_bad, shop.world.sweeps[sweep].breaker


def test_no_agent_is_quarantined_by_chance_when_every_fifth_config_fails() -> None:
    assert [bad_luck(seed) for seed in range(20)] == [(0, False)] * 20
