"""What search is asked: every run that has something to tell, as it is now, and each encoded once."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from controller.domain.commands import CreateSweep, DeleteRuns, IgnoreRuns
from controller.domain.effects import Suggest
from controller.domain.replies import Accepted
from controller.domain.states import AttemptState
from controller.domain.sweeps import Method, Suggestion
from controller.engine import questions as module
from controller.engine.questions import MAX_SWEEPS, Questions, request_for, unpack
from controller.search.requests import Request
from tests.core.shop import Shop


def asked(questions: Questions, shop: Shop, sweep_id: str, **more: Any) -> Request:
    """Return the question as the worker reads it, which is the one that a fresh look at the World gives."""
    effect = Suggest(sweep_id=sweep_id, n=3, **more)
    sweep = shop.world.sweeps[sweep_id]
    request = unpack(questions.packed(shop.world, sweep, effect))
    assert repr(request) == repr(request_for(shop.world, sweep, effect))
    return request


def learning(n_cells: int) -> tuple[Shop, str]:
    shop = Shop(n_cells)
    shop.config = replace(shop.config, method=Method.BAYES)
    return shop, shop.create()


def test_parents_runs_and_named_ones_are_learned_from_once_each_and_deleted_ones_never() -> None:
    shop, questions = Shop(3), Questions()
    parent = shop.create()
    shop.join("a", parent)
    for n, loss in enumerate((3.0, 2.0, 1.0), 1):
        token = shop.run("a", n).token
        shop.report("a", token, 1, [loss])
        shop.end("a", token, last_seq=1)
    first, second, third = shop.world.runs_of[parent]
    config = replace(shop.config, method=Method.BAYES)
    reply = shop.tell(
        CreateSweep(config=config, source="", directory="/", parent=parent, prior_runs=(second,))
    )
    assert isinstance(reply, Accepted)
    shop.tell(DeleteRuns(run_ids=(first,)))
    shop.tell(IgnoreRuns(run_ids=(third,)))
    child = shop.world.sweeps[reply.ids[0]]
    for _ in range(2):  # the second time from what was kept
        request = asked(questions, shop, child.id)
        assert [(seen.config["x"], seen.value) for seen in request.observations] == [(1, 2.0)]


def test_question_follows_every_change_of_a_run() -> None:
    shop, sweep = learning(4)
    questions = Questions()
    shop.join("a", sweep)
    token = shop.run("a", 1).token
    assert asked(questions, shop, sweep).observations == ()
    shop.report("a", token, 1, [0.5])
    shop.end("a", token, last_seq=1)
    assert [seen.value for seen in asked(questions, shop, sweep).observations] == [0.5]
    token = shop.run("a", 2).token
    shop.end("a", token, AttemptState.FAILED, last_seq=0)
    first, second = (shop.world.runs[run_id] for run_id in shop.world.runs_of[sweep])
    request = asked(questions, shop, sweep, fresh=True)
    assert (len(request.observations), len(request.pending)) == ((1, 1) if second.queued else (2, 0))
    shop.tell(IgnoreRuns(run_ids=(first.id,)))
    request = asked(questions, shop, sweep)
    assert first.config not in [seen.config for seen in request.observations]
    assert first.config in request.pending
    shop.tell(DeleteRuns(run_ids=(first.id, second.id)))
    request = asked(questions, shop, sweep)
    assert request.observations == ()


def test_run_that_has_not_changed_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shop, sweep = learning(5)
    questions, encoded, raw = Questions(), [], module._raw
    monkeypatch.setattr(module, "_raw", lambda seen: encoded.append(seen) or raw(seen))
    shop.join("a", sweep)
    for ask in range(1, 5):
        shop.end("a", shop.run("a", ask).token, last_seq=0)
        asked(questions, shop, sweep)
        asked(questions, shop, sweep, fresh=True)
    assert len(encoded) == 4
    questions.forget()
    asked(questions, shop, sweep)
    assert len(encoded) == 8


def test_runs_of_few_sweeps_are_kept() -> None:
    shop, sweep = learning(2)
    questions = Questions()
    for _ in range(MAX_SWEEPS + 2):
        asked(questions, shop, shop.create())
    assert len(questions._own) == len(questions._earlier) == MAX_SWEEPS
    assert sweep not in questions._own


@pytest.mark.parametrize("value", [0.1, 7, True, None, "x", "\ud800", 2**70, [1, [2.5]], {"a": {"b": 1}}])
def test_any_value_reaches_the_worker_as_it_is(value: Any) -> None:
    shop, sweep = learning(2)
    config = {"x": value, "deep": {"x": value}}
    shop.world.shelves[sweep] = (Suggestion(number=7, config=config),)
    shop.join("a", sweep)
    assert asked(Questions(), shop, sweep).pending == (config,)
    shop.end("a", shop.run("a", 1).token, last_seq=0)
    assert [seen.config for seen in asked(Questions(), shop, sweep).observations] == [config]
