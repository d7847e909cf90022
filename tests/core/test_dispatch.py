"""Join, ask, start, report, end: each repeated, lost, late, out of order and from somebody else."""

from __future__ import annotations

import pytest

from controller.domain.changes import (
    AgentSet,
    AttemptAdded,
    AttemptStarted,
    RunAdded,
    RunStateSet,
)
from controller.domain.events import (
    AgentJoined,
    RunStarted,
    Ticked,
)
from controller.domain.replies import (
    Granted,
    Joined,
    Refused,
    RunOrder,
    Superseded,
    WaitOrder,
)
from controller.domain.states import AttemptState, RunState, SweepState
from tests.core.shop import Shop


def opened(n_cells: int = 4, *agents: str) -> tuple[Shop, str]:
    shop = Shop(n_cells)
    sweep = shop.create()
    for agent in agents or ("a",):
        shop.join(agent, sweep)
    return shop, sweep


def test_join_tells_the_agent_all_it_needs_and_sets_the_sweep_running() -> None:
    shop = Shop(command=("python", "x.py"), on_lost="fence", capture=("a=(.*)",), min_time_s=9.0)
    sweep = shop.create()
    assert shop.join("a", sweep) == Joined(
        sweep_id=sweep,
        project="uncategorized",
        entity="local",
        sweep_name="s",
        command=("python", "x.py"),
        program=None,
        directory="/",
        heartbeat_s=10.0,
        lease_s=300.0,
        on_lost="fence",
        capture=("a=(.*)",),
        time_matters=True,
    )
    assert shop.world.sweeps[sweep].state is SweepState.RUNNING


def test_join_repeated_gets_the_same_answer_and_adds_nobody() -> None:
    shop, sweep = opened()
    first = shop.join("a", sweep)
    assert shop.join("a", sweep) == first
    assert shop.decisions[-1].changes == ()
    assert len(shop.world.agents) == 1


@pytest.mark.parametrize("name", ["{}", "uncategorized/{}", "anybody/uncategorized/{}"])
def test_sweep_is_found_by_its_names_forms(name: str) -> None:
    shop = Shop()
    assert isinstance(shop.join("a", name.format(shop.create())), Joined)


@pytest.mark.parametrize("name", ["nosuch00", "", "/", "other/{}", "x/other/{}"])
def test_join_is_refused_when_there_is_no_such_sweep(name: str) -> None:
    shop = Shop()
    reply = shop.join("a", name.format(shop.create()))
    assert isinstance(reply, Refused)
    assert reply.code == "unknown"
    assert shop.decisions[-1].changes == ()


def test_heartbeats_are_told_so_that_all_agents_together_send_ten_a_second_at_most() -> None:
    shop, sweep = opened(1, *(f"a{n}" for n in range(200)))
    reply = shop.join("one more", sweep)
    assert isinstance(reply, Joined)
    assert reply.heartbeat_s == pytest.approx(20.1)


def test_ask_makes_run_and_attempt_in_one_decision() -> None:
    shop, sweep = opened()
    order = shop.order("a", 1)
    added, attempt, agent = shop.decisions[-1].changes
    assert isinstance(added, RunAdded)
    assert isinstance(attempt, AttemptAdded)
    assert isinstance(agent, AgentSet)
    assert order == RunOrder(
        run_id=added.run.id, name="s-1", number=1, token=attempt.attempt.token, attempt=1, config={"x": 0}
    )
    assert (added.run.sweep_id, added.run.index, agent.agent.token) == (sweep, 0, order.token)


@pytest.mark.parametrize("after", ["asked", "started", "ended", "restarted"])
def test_ask_repeated_gets_the_same_answer(after: str) -> None:
    shop, _ = opened()
    order = shop.order("a", 1)
    if after in ("started", "ended"):
        shop.start("a", order.token)
    if after == "ended":
        shop.end("a", order.token)
    if after == "restarted":
        shop.world = type(shop.world)(shop.world.facts())
    assert shop.ask("a", 1) == order
    assert shop.decisions[-1].changes == ()
    assert len(shop.world.runs) == 1


def test_an_older_ask_that_arrives_late_takes_nothing_from_the_agent() -> None:
    shop, _ = opened()
    first = shop.run("a", 1)
    shop.end("a", first.token, "killed")
    shop.world.asks.clear()  # as after the killed run was handed to somebody else
    second = shop.order("a", 2)
    assert isinstance(shop.ask("a", 1), WaitOrder)
    assert isinstance(shop.start("a", second.token), Granted)


def test_ask_of_a_stranger_is_refused_with_the_advice_to_join() -> None:
    shop, _ = opened()
    reply = shop.ask("stranger", 1)
    assert isinstance(reply, Refused)
    assert (reply.code, reply.hint) == ("unknown", "join first")


def test_ask_is_refused_while_the_agent_executes_another_run() -> None:
    shop, _ = opened()
    shop.run("a", 1)
    assert isinstance(shop.ask("a", 2), Refused)
    assert shop.decisions[-1].changes == ()


def test_a_new_ask_gives_up_what_was_handed_out_and_never_started() -> None:
    shop, _ = opened()
    lost = shop.order("a", 1)
    again = shop.order("a", 2)
    assert (again.run_id, again.attempt) == (lost.run_id, 2)
    assert again.token > lost.token
    assert isinstance(shop.start("a", lost.token), Superseded)


def test_start_is_granted_again_when_repeated_and_executed_once() -> None:
    shop, _ = opened()
    order = shop.order("a", 1)
    started = RunStarted(agent_id="a", token=order.token, host="n1", directory="/d", argv=("p", "-x"))
    assert shop.tell(started) == Granted()
    assert list(shop.decisions[-1].changes) == [
        AttemptStarted(token=order.token, host="n1", job="", directory="/d", argv=("p", "-x"), at=shop.at),
        RunStateSet(run_id=order.run_id, state=RunState.RUNNING, at=shop.at),
    ]
    assert shop.tell(started) == Granted()
    assert not shop.decisions[-1].changes


def test_run_has_the_gpus_of_the_agent_that_started_it() -> None:
    shop, sweep = opened()
    shop.tell(AgentJoined(agent_id="g", sweep_id=sweep, host="n2", pid=2, n_gpus=4))
    order = shop.order("g", 1)
    assert shop.world.runs[order.run_id].n_gpus == 0
    shop.start("g", order.token)
    assert shop.world.runs[order.run_id].n_gpus == 4
    assert shop.world.runs[shop.run("a", 1).run_id].n_gpus == 0


@pytest.mark.parametrize("token", [0, -1, 99, 2**80])
def test_start_with_a_foreign_token_is_superseded(token: int) -> None:
    shop, _ = opened()
    assert isinstance(shop.start("a", token), Superseded)


def test_start_by_another_agent_is_superseded() -> None:
    shop, _ = opened(4, "a", "b")
    order = shop.order("a", 1)
    assert isinstance(shop.start("b", order.token), Superseded)
    assert shop.world.runs[order.run_id].state is RunState.PENDING


def test_what_is_not_started_for_a_minute_goes_to_the_front_and_costs_no_retry() -> None:
    shop, _ = opened(4, "a", "b")
    order = shop.order("a", 1)
    shop.wait(60)
    shop.tell(Ticked())
    assert shop.world.attempts[order.token].state is AttemptState.ASSIGNED
    shop.wait(0.5)
    shop.tell(Ticked())
    run = shop.world.runs[order.run_id]
    assert (run.state, run.queued, run.n_failures, run.n_crashes) == (RunState.PENDING, True, 0, 0)
    assert isinstance(shop.start("a", order.token), Superseded)
    assert shop.order("b", 1).run_id == order.run_id


def test_start_after_the_run_went_to_another_agent_is_superseded() -> None:
    shop, _ = opened(1, "a", "b")
    order = shop.order("a", 1)
    shop.wait(61)
    shop.tell(Ticked())
    new = shop.run("b", 1)
    assert new.token > order.token
    assert isinstance(shop.start("a", order.token), Superseded)
    assert isinstance(shop.report("a", order.token, 1, [1.0]), Superseded)
    assert isinstance(shop.end("a", order.token), Superseded)
    assert shop.world.runs[order.run_id].n_points == 0
