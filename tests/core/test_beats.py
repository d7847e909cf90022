"""What an agent is told in answer to its heartbeat."""

from __future__ import annotations

from controller.domain.commands import RetryRuns
from controller.domain.events import (
    AgentBeat,
    Ticked,
)
from controller.domain.replies import (
    Refused,
    Wish,
)
from tests.core.shop import Shop
from tests.core.test_dispatch import opened


def test_a_silent_run_that_was_handed_out_again_is_told_to_end_by_a_heartbeat() -> None:
    shop, _ = opened(1, "a", "b")
    order = shop.run("a", 1)
    shop.wait(301)
    shop.tell(Ticked())
    shop.tell(RetryRuns(run_ids=(order.run_id,)))
    shop.join("b", next(iter(shop.world.sweeps)))
    assert shop.run("b", 1).run_id == order.run_id
    told = shop.beat("a", order.token)
    assert (told.wish, told.token) == (Wish.KILL, order.token)


def test_a_replaced_attempt_is_told_its_end_also_when_its_agent_was_handed_another_run() -> None:
    shop, sweep = opened(2, "a", "b")
    old = shop.run("a", 1)
    shop.wait(301)
    shop.tell(Ticked())
    shop.tell(RetryRuns(run_ids=(old.run_id,)))
    shop.join("b", sweep)
    assert shop.run("b", 1).run_id == old.run_id
    new = shop.order("a", 2)
    told = shop.beat("a", old.token)
    assert (told.wish, told.token) == (Wish.KILL, old.token)
    shop.start("a", new.token)
    told = shop.beat("a", new.token)
    assert (told.wish, told.token) == (Wish.GO_ON, new.token)


def test_a_heartbeat_that_names_an_ended_run_speaks_of_the_one_handed_out_since() -> None:
    shop, _ = opened()
    first = shop.run("a", 1)
    shop.end("a", first.token)
    second = shop.run("a", 2)
    told = shop.beat("a", first.token)
    assert (told.wish, told.token) == (Wish.GO_ON, second.token)


def test_heartbeat_of_a_stranger_is_refused_with_the_advice_to_join() -> None:
    reply = Shop().tell(AgentBeat(agent_id="stranger"))
    assert isinstance(reply, Refused)
    assert reply.code == "unknown"
