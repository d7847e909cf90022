"""A metric that never comes is told once, with the names that did."""

from __future__ import annotations

from typing import Any

from controller.domain.changes import NoteAdded
from controller.domain.events import RunReported
from controller.domain.runs import Point
from controller.domain.sweeps import EarlyTermination, Metric
from tests.core.shop import Shop


def log(shop: Shop, agent: str, token: int, values: dict[str, Any], n: int) -> None:
    points = tuple(Point(seq=i, step=i, at=shop.at, values=values) for i in range(1, n + 1))
    shop.tell(RunReported(agent_id=agent, token=token, first_seq=1, last_seq=n, points=points))


def warnings(shop: Shop) -> list[str]:
    notes = [c.text for d in shop.decisions for c in d.changes if isinstance(c, NoteAdded)]
    return [text for text in notes if text.startswith("warning")]


def shop_with(n_agents: int, **config: Any) -> tuple[Shop, list[int]]:
    shop = Shop(4, metric=Metric(name="val_loss"), **config)
    sweep_id = shop.create()
    tokens = []
    for n in range(n_agents):
        shop.join(f"agent{n}", sweep_id)
        tokens.append(shop.run(f"agent{n}", 1).token)
    return shop, tokens


def test_missing_metric_is_told_at_the_first_band_once_with_the_names_that_came() -> None:
    shop, tokens = shop_with(2, early_terminate=EarlyTermination(min_iter=3))
    log(shop, "agent0", tokens[0], {"valloss": 1.0, "deep": {"acc": 0.5}, "_step": 1, "word": "x"}, 2)
    assert warnings(shop) == []
    log(shop, "agent0", tokens[0], {"valloss": 1.0}, 3)
    log(shop, "agent1", tokens[1], {"valloss": 1.0}, 3)
    assert warnings(shop) == [
        "warning: no run has logged val_loss; logged were valloss, deep.acc "
        "at the first band, 3, of early termination; did you mean valloss?"
    ]


def test_missing_metric_is_told_when_the_first_run_has_finished_without_it() -> None:
    shop, tokens = shop_with(2)
    for n, token in enumerate(tokens):
        log(shop, f"agent{n}", token, {"acc": 1.0}, 1)
        shop.end(f"agent{n}", token, last_seq=1)
    assert warnings(shop) == [
        "warning: no run has logged val_loss; logged were acc when the first run has finished"
    ]


def test_nothing_is_told_of_a_metric_that_came() -> None:
    shop, tokens = shop_with(1, early_terminate=EarlyTermination(min_iter=1))
    log(shop, "agent0", tokens[0], {"val_loss": 1.0}, 2)
    shop.end("agent0", tokens[0], last_seq=2)
    assert warnings(shop) == []
