"""When a sweep is done: grid, cap, target; and when agents are sent away or kept waiting."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from controller.domain.changes import NoteAdded
from controller.domain.commands import CreateSweep, PauseSweep, ResumeSweep, RetryRuns, SetRunCap
from controller.domain.events import Ticked
from controller.domain.replies import Accepted, ExitOrder, Refused, RunOrder, WaitOrder, Wish
from controller.domain.states import RunState, SweepState
from controller.domain.sweeps import Goal, Method, Metric
from tests.core.shop import Shop


def opened(shop: Shop, *agents: str) -> str:
    sweep = shop.create()
    for agent in agents or ("a",):
        shop.join(agent, sweep)
    return sweep


def test_sweep_is_finished_when_the_grid_is_exhausted_and_nothing_is_alive() -> None:
    shop = Shop(2)
    sweep = opened(shop, "a", "b")
    first, second = shop.run("a", 1), shop.run("b", 1)
    shop.end("a", first.token)
    assert shop.world.sweeps[sweep].state is SweepState.RUNNING
    assert isinstance(shop.ask("a", 2), ExitOrder)
    shop.wait(5)
    shop.end("b", second.token, "failed", exit_code=1)
    found = shop.world.sweeps[sweep]
    assert (found.state, found.cause, found.ended_at) == (SweepState.FINISHED, "all runs done", shop.at)


def test_a_grid_of_nothing_is_finished_at_once() -> None:
    shop = Shop(0)
    assert shop.world.sweeps[shop.create()].state is SweepState.FINISHED


def test_an_agent_that_goes_without_a_run_is_told_that_nothing_is_left() -> None:
    shop = Shop(1)
    opened(shop, "a", "b")
    shop.run("a", 1)
    reply = shop.ask("b", 1)
    assert reply == ExitOrder(reason="the sweep has nothing more to give")


def test_an_agent_waits_while_a_run_that_was_handed_out_may_come_back() -> None:
    shop = Shop(1)
    opened(shop, "a", "b")
    order = shop.order("a", 1)
    assert isinstance(shop.ask("b", 1), WaitOrder)
    shop.wait(61)
    shop.tell(Ticked())
    assert shop.order("b", 1).run_id == order.run_id


def test_an_agent_leaves_when_what_it_waited_for_was_started() -> None:
    shop = Shop(1)
    opened(shop, "a", "b")
    order = shop.order("a", 1)
    assert isinstance(shop.ask("b", 1), WaitOrder)
    shop.start("a", order.token)
    assert isinstance(shop.ask("b", 1), ExitOrder)


def test_run_cap_counts_configs_not_attempts() -> None:
    shop = Shop(9, run_cap=2)
    sweep = opened(shop)
    first = shop.run("a", 1)
    shop.end("a", first.token, "failed", exit_code=1)
    shop.tell(RetryRuns(run_ids=(first.run_id,)))
    shop.end("a", shop.run("a", 2).token, "preempted")
    third = shop.run("a", 3)
    assert (third.run_id, third.attempt) == (first.run_id, 3)
    shop.end("a", third.token)
    second = shop.run("a", 4)
    assert second.run_id != first.run_id
    shop.end("a", second.token)
    assert shop.world.sweeps[sweep].state is SweepState.FINISHED
    assert len(shop.world.runs) == 2


def test_run_cap_is_never_passed_by_agents_that_ask_at_once() -> None:
    shop = Shop(50, run_cap=5)
    opened(shop, *(f"a{n}" for n in range(20)))
    replies = [shop.ask(f"a{n}", 1) for n in range(20)]
    assert sum(isinstance(reply, RunOrder) for reply in replies) == 5
    assert len(shop.world.runs) == 5


def test_n_expected_is_the_smaller_of_grid_and_cap() -> None:
    for n_cells, cap, n_expected in ((4, None, 4), (4, 3, 3), (4, 9, 4)):
        shop = Shop(n_cells, run_cap=cap)
        assert shop.world.sweeps[shop.create()].n_expected == n_expected


def test_cap_can_be_raised_and_lowered_while_the_sweep_runs() -> None:
    shop = Shop(9, run_cap=1)
    sweep = opened(shop, "a", "b")
    shop.run("a", 1)
    assert isinstance(shop.ask("b", 1), ExitOrder | WaitOrder)
    assert isinstance(shop.tell(SetRunCap(sweep_id=sweep, run_cap=3)), Accepted)
    order = shop.run("b", 1)
    assert isinstance(shop.tell(SetRunCap(sweep_id=sweep, run_cap=2)), Accepted)
    shop.end("b", order.token)
    assert isinstance(shop.ask("b", 2), ExitOrder | WaitOrder)


@pytest.mark.parametrize("cap", [-1, 0, 1])
def test_cap_below_what_was_started_is_refused(cap: int) -> None:
    shop = Shop(9)
    sweep = opened(shop, "a", "b")
    shop.run("a", 1)
    shop.run("b", 1)
    reply = shop.tell(SetRunCap(sweep_id=sweep, run_cap=cap))
    assert isinstance(reply, Refused)
    assert "2 runs" in reply.reason
    assert "2 or more" in reply.hint


def test_cap_at_what_was_started_ends_the_sweep_with_its_last_run() -> None:
    shop = Shop(9)
    sweep = opened(shop)
    order = shop.run("a", 1)
    shop.tell(SetRunCap(sweep_id=sweep, run_cap=1))
    assert shop.world.sweeps[sweep].state is SweepState.RUNNING
    shop.end("a", order.token)
    assert shop.world.sweeps[sweep].state is SweepState.FINISHED


def test_cap_of_no_sweep_is_refused() -> None:
    reply = Shop().tell(SetRunCap(sweep_id="nosuch00", run_cap=3))
    assert isinstance(reply, Refused)
    assert reply.code == "unknown"


@pytest.mark.parametrize(("goal", "reaches", "misses"), [("minimize", 0.1, 0.11), ("maximize", 0.1, 0.09)])
def test_target_ends_the_search_and_running_runs_finish(goal: str, reaches: float, misses: float) -> None:
    shop = Shop(9, metric=Metric(name="loss", goal=Goal(goal), target=0.1))
    sweep = opened(shop, "a", "b", "c")
    first, second = shop.run("a", 1), shop.run("b", 1)
    shop.report("a", first.token, 1, [misses])
    assert not shop.world.sweeps[sweep].target_reached
    shop.report("a", first.token, 2, [reaches])
    assert shop.world.sweeps[sweep].target_reached
    assert isinstance(shop.ask("c", 1), ExitOrder)
    assert shop.beat("b", second.token).wish is Wish.GO_ON
    shop.end("a", first.token, last_seq=2)
    assert shop.world.sweeps[sweep].state is SweepState.RUNNING
    shop.end("b", second.token)
    found = shop.world.sweeps[sweep]
    assert (found.state, found.cause) == (SweepState.FINISHED, "target reached")


def test_a_sweep_that_reached_its_target_can_be_resumed() -> None:
    shop = Shop(9, metric=Metric(name="loss", target=0.1))
    sweep = opened(shop)
    order = shop.run("a", 1)
    shop.report("a", order.token, 1, [0.0])
    shop.end("a", order.token, last_seq=1)
    assert isinstance(shop.tell(ResumeSweep(sweep_id=sweep)), Accepted)
    assert not shop.world.sweeps[sweep].target_reached
    assert isinstance(shop.ask("a", 2), RunOrder)


def test_no_target_is_reached_by_a_number_that_is_none() -> None:
    shop = Shop(9, metric=Metric(name="loss", target=0.1))
    sweep = opened(shop)
    order = shop.run("a", 1)
    shop.report("a", order.token, 1, [float("nan"), float("-inf")])
    assert not shop.world.sweeps[sweep].target_reached


def test_a_paused_sweep_whose_last_run_ends_is_finished() -> None:
    shop = Shop(1)
    sweep = opened(shop)
    order = shop.run("a", 1)
    shop.tell(PauseSweep(sweep_id=sweep))
    shop.end("a", order.token)
    assert shop.world.sweeps[sweep].state is SweepState.FINISHED


def test_create_registers_what_was_given() -> None:
    shop = Shop(3, name="from file")
    reply = shop.tell(
        CreateSweep(config=shop.config, source="text", directory="/w", project="p", entity="e", n_expected=3)
    )
    assert isinstance(reply, Accepted)
    found = shop.world.sweeps[reply.ids[0]]
    assert (found.source, found.directory, found.project, found.entity) == ("text", "/w", "p", "e")
    assert (found.name, found.state, found.created_at) == ("from file", SweepState.PENDING, shop.at)


def test_create_is_refused_when_a_prior_run_is_not_known() -> None:
    shop = Shop()
    reply = shop.tell(CreateSweep(config=shop.config, source="", directory="/", prior_runs=("nosuch00",)))
    assert isinstance(reply, Refused)
    assert reply.code == "unknown"
    assert not shop.world.sweeps


def test_every_cell_of_a_grid_is_handed_out_once_whatever_happens_to_its_runs() -> None:
    shop = Shop(40)
    sweep = opened(shop, "a", "b")
    ends = ("finished", "failed", "killed", "finished")
    n = 0
    while isinstance(reply := shop.ask("ab"[n % 2], n // 2 + 1), RunOrder):
        shop.start("ab"[n % 2], reply.token)
        shop.wait(100)
        shop.end("ab"[n % 2], reply.token, ends[n % 4], exit_code=n % 4)
        n += 1
    assert sorted(run.index or 0 for run in shop.world.runs.values()) == list(range(40))
    assert shop.world.sweeps[sweep].state is SweepState.FINISHED
    assert shop.world.counts_of[sweep][RunState.FINISHED] == 20


def test_a_cap_that_is_taken_away_gives_the_size_of_the_space_back() -> None:
    shop = Shop(5, run_cap=2)
    sweep_id = shop.create()
    assert shop.world.sweeps[sweep_id].n_expected == 2
    shop.tell(SetRunCap(sweep_id=sweep_id, run_cap=None))
    assert shop.world.sweeps[sweep_id].n_expected == 5


def test_create_says_of_each_prior_run_that_is_not_used_why() -> None:
    shop = Shop(2)
    opened(shop)
    shop.end("a", shop.run("a", 1).token)
    run = next(iter(shop.world.runs.values()))
    config = replace(shop.config, method=Method.BAYES)
    reply = shop.tell(CreateSweep(config=config, source="", directory="/", prior_runs=(run.id,)))
    assert isinstance(reply, Accepted)
    why = f"{run.name} ({run.id}): it has no value of loss"
    assert reply.text == f"1 of 1 prior runs are not used: {why}"
    changes = [change for decision in shop.decisions for change in decision.changes]
    assert f"prior run {why}" in [change.text for change in changes if isinstance(change, NoteAdded)]
