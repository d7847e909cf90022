"""When search is asked for suggestions, and what becomes of its answers."""

from __future__ import annotations

import pytest

from controller.domain.commands import CreateSweep, ResumeSweep
from controller.domain.effects import Suggest
from controller.domain.events import Suggested
from controller.domain.replies import Accepted
from controller.domain.states import SweepState
from controller.domain.sweeps import Method, Metric, Suggestion, SweepConfig
from tests.core.shop import Shop
from tests.core.test_endings import opened


def test_search_is_asked_ahead_of_demand_and_no_further_than_the_cap() -> None:
    shop = Shop(1000, run_cap=5)
    shop.create()
    asked = [e for d in shop.decisions for e in d.effects if isinstance(e, Suggest)]
    assert [effect.n for effect in asked] == [5]


def test_search_that_fails_pauses_the_sweep_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shop, "_suggest", lambda self, effect: None)
    shop = Shop()
    sweep = opened(shop)
    shop.tell(Suggested(sweep_id=sweep, suggestions=(), error="ValueError: no such space"))
    found = shop.world.sweeps[sweep]
    assert (found.state, found.cause) == (SweepState.PAUSED, "search failed: ValueError: no such space")
    shop.tell(ResumeSweep(sweep_id=sweep))
    assert any(isinstance(effect, Suggest) for effect in shop.decisions[-1].effects)


def test_an_answer_of_search_that_no_longer_fits_is_dropped_and_search_asked_again() -> None:
    shop = Shop()
    sweep = opened(shop)
    facts = shop.world.facts()
    stale = Suggestion(number=0, index=0, config={"x": 0})
    shop.tell(Suggested(sweep_id=sweep, suggestions=(stale,), first_number=0))
    assert shop.world.facts() == facts


def test_an_answer_for_no_sweep_is_dropped() -> None:
    shop = Shop()
    shop.tell(Suggested(sweep_id="nosuch00", suggestions=()))
    assert shop.decisions[-1].changes == ()


def bayes(shop: Shop) -> str:
    config = SweepConfig(method=Method.BAYES, parameters=shop.config.parameters, metric=Metric(name="loss"))
    reply = shop.tell(CreateSweep(config=config, source="", directory="/"))
    assert isinstance(reply, Accepted)
    return reply.ids[0]


def test_model_based_search_looks_again_when_a_result_came_in() -> None:
    shop = Shop(9)
    sweep = bayes(shop)
    shop.join("a", sweep)
    order = shop.run("a", 1)
    n_before = len(shop.decisions)
    shop.end("a", order.token)
    asked = [e for d in shop.decisions[n_before:] for e in d.effects if isinstance(e, Suggest)]
    assert any(effect.fresh for effect in asked)


def test_better_informed_suggestions_are_handed_out_first() -> None:
    shop = Shop(9)
    sweep = bayes(shop)
    shop.join("a", sweep)
    new = Suggestion(number=0, config={"x": 8}, reason={"ei": 1.0})
    shop.tell(Suggested(sweep_id=sweep, suggestions=(new,), fresh=True))
    assert shop.order("a", 1).config == {"x": 8}


def test_what_was_handed_out_since_search_was_asked_is_not_suggested_twice() -> None:
    shop = Shop(9)
    sweep = bayes(shop)
    shop.join("a", sweep)
    order = shop.order("a", 1)
    late = Suggestion(number=0, config=order.config)
    shop.tell(Suggested(sweep_id=sweep, suggestions=(late,), fresh=True, last_run=0))
    assert all(suggestion.config != order.config for suggestion in shop.world.shelves[sweep])
