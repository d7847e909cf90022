"""Search answers inline or from its process, and is asked once for a rush."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Any, cast

import pytest
from msgspec.structs import replace

from controller.domain.commands import CreateSweep
from controller.domain.effects import StartJob, Suggest
from controller.domain.events import AgentJoined, RunAsked, Suggested
from controller.domain.parameters import Distribution, Parameter
from controller.domain.queries import GetImportance, ImportanceTable, NotFound
from controller.domain.replies import Accepted, RunOrder, WaitOrder
from controller.domain.sweeps import Method, Metric, Suggestion, SweepConfig
from controller.engine.explaining import Explainer
from controller.engine.judging import Judge
from controller.engine.performer import merged
from controller.engine.performing import HousePerformer
from controller.engine.suggesting import Suggester
from controller.store import Store
from tests.core.shop import Shop
from tests.engine.bench import CREATE, HandCluster, SlowStore, engine_of, running
from tests.engine.test_performing import HandLauncher, job


def bayes_config(**more: Any) -> SweepConfig:
    uniform = Parameter(path=("lr",), distribution=Distribution.UNIFORM, min=0.0, max=1.0)
    return SweepConfig(method=Method.BAYES, parameters=(uniform,), metric=Metric(name="loss"), **more)


def test_grid_and_random_search_answer_on_the_spot() -> None:
    shop = Shop()
    shop._suggest = lambda effect: None  # type: ignore[method-assign]
    sweep = shop.create()
    posted: list[Suggested] = []
    suggester = Suggester(posted.append, lambda: shop.world)
    suggester.perform(Suggest(sweep_id=sweep, n=3), shop.world)
    (answer,) = posted
    assert [suggestion.index for suggestion in answer.suggestions] == [0, 1, 2]
    assert (answer.first_number, answer.exhausted, answer.error) == (0, False, "")


def test_search_that_fails_answers_with_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(request: object) -> None:
        raise ZeroDivisionError("a division")

    monkeypatch.setattr("controller.engine.suggesting.propose", broken)
    shop = Shop()
    shop._suggest = lambda effect: None  # type: ignore[method-assign]
    posted: list[Suggested] = []
    sweep = shop.create()
    Suggester(posted.append, lambda: shop.world).perform(Suggest(sweep_id=sweep, n=3), shop.world)
    assert [answer.error for answer in posted] == ["ZeroDivisionError: a division"]


def test_model_based_search_runs_in_a_process_of_its_own_and_the_loop_goes_on() -> None:
    async def script() -> None:
        store = SlowStore()
        store.on_commit = lambda delta, future: future.set_result(None)
        engine = engine_of(store)
        performer = engine.performer = HousePerformer(
            post=engine.post,
            look=lambda: engine.world,
            judge=Judge(cast("Store", store), engine.post),
            spawn=asyncio.get_running_loop().create_task,
            launcher=HandLauncher(),
            cluster=HandCluster(),
        )
        async with running(engine):
            created = await engine.submit(CreateSweep(config=bayes_config(), source="", directory="/"))
            assert isinstance(created, Accepted)
            await engine.submit(AgentJoined(agent_id="a", sweep_id=created.ids[0], host="h", pid=1))
            ask = asyncio.create_task(engine.submit(RunAsked(agent_id="a", ask=1, wait_s=20.0)))
            assert isinstance(await engine.submit(replace(CREATE, name="meanwhile")), Accepted)
            order = await asyncio.wait_for(ask, 60)
            assert isinstance(order, RunOrder)
            assert 0.0 <= order.config["lr"] <= 1.0
        performer.close()

    asyncio.run(script())


def test_importance_of_nothing_is_said_in_a_sentence() -> None:
    async def script() -> None:
        explainer, shop = Explainer(), Shop()
        sweep = shop.create()
        found = await explainer.importance(GetImportance(sweep_id="nosuch00"), shop.world)
        assert isinstance(found, NotFound)
        nameless = Shop(metric=None)
        table = await explainer.importance(GetImportance(sweep_id=nameless.create()), nameless.world)
        assert isinstance(table, ImportanceTable)
        assert "metric" in table.note
        assert sweep in shop.world.sweeps

    asyncio.run(script())


def test_a_question_to_search_that_is_repeated_is_asked_once_with_its_last_number() -> None:
    start = StartJob(job=job())
    asked: list[Suggest | StartJob] = [
        Suggest(sweep_id="one", n=1),
        start,
        Suggest(sweep_id="two", n=2),
        Suggest(sweep_id="one", n=3),
        Suggest(sweep_id="one", n=4, fresh=True),
    ]
    assert merged(asked) == [start, asked[2], asked[3], asked[4]]
    assert merged([]) == []


class Thinker:
    """A pool whose worker never comes to an end."""

    def submit(self, *question: object) -> Future[Any]:
        return Future()

    def shutdown(self, **how: object) -> None:
        pass


@pytest.mark.parametrize("seed", [None, 3])
def test_agent_at_an_empty_shelf_gets_a_random_draw_while_the_model_thinks_except_with_a_seed(
    seed: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.engine.suggesting.PATIENCE_S", 0.0)
    monkeypatch.setattr("controller.engine.suggesting.new_pool", Thinker)
    shop = Shop()
    shop._suggest = lambda effect: None  # type: ignore[method-assign]
    shop.config = bayes_config(seed=seed)
    shop.n_cells = None  # type: ignore[assignment]
    sweep = shop.create()
    for name in ("a", "b", "c"):
        shop.join(name, sweep)
    shop.tell(Suggested(sweep_id=sweep, suggestions=(Suggestion(number=0, config={"lr": 0.5}),)))
    shop.report("a", shop.run("a", 1).token, 1, [1.0])
    posted: list[Suggested] = []

    async def script() -> None:
        suggester = Suggester(posted.append, lambda: shop.world)
        suggester.perform(Suggest(sweep_id=sweep, n=1), shop.world)
        assert isinstance(shop.ask("b", 1), WaitOrder)
        waiting = [e for e in shop.decisions[-1].effects if isinstance(e, Suggest) and e.waiting]
        assert bool(waiting) is (seed is None)
        for effect in waiting:
            suggester.perform(effect, shop.world)
        for _ in range(20):
            await asyncio.sleep(0)
        suggester.close()

    asyncio.run(script())
    if seed is not None:
        assert posted == []
        return
    (helped,) = posted
    assert [s.reason["model"] for s in helped.suggestions] == ["random"] * 2  # one for each idle agent
    shop.tell(helped)
    assert isinstance(shop.ask("b", 1), RunOrder)
