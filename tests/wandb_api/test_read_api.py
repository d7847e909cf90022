"""What the client's public read API asks, in its own words, answered over the wire."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from controller.domain.runs import Run
from controller.domain.states import RunState
from controller.wandb_api.faults import FaultError
from controller.wandb_api.filters import in_order, read_filter
from tests.wandb_api.shop import DELETE_RUN, Shop, Tell

RUN_FIELDS = """
  id tags name displayName sweepName state config group jobType commit readOnly createdAt heartbeatAt
  description notes systemMetrics summaryMetrics historyLineCount user { name username } historyKeys
"""


async def finished(shop: Shop, n: int = 3) -> str:
    sweep_id = await shop.sweep(n)
    agent_id = await shop.agent(sweep_id)
    for x in range(n):
        run_id = await shop.next_run(agent_id)
        await shop.bucket(run_id)
        await shop.log(run_id, 0, *[x + 1 / (step + 1) for step in range(20)])
        await shop.stream(run_id, complete=True, exitcode=0)
    return sweep_id


async def in_project(shop: Shop, fields: str, **variables: Any) -> Any:
    query = f'{{ project(name: "uncategorized", entityName: "local") {{ {fields} }} }}'
    return (await shop.ask(query, **variables))["project"]


def test_sweep_and_its_runs_are_told_with_the_best_value(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        sweep_id = await finished(shop)
        fields = "id name displayName method state bestLoss config createdAt runCount runCountExpected"
        found = await in_project(shop, f'sweep(sweepName: "{sweep_id}") {{ {fields} }}')
        assert found["sweep"]["bestLoss"] == 1 / 20
        assert found["sweep"]["state"] == "FINISHED"
        assert (found["sweep"]["runCount"], found["sweep"]["runCountExpected"]) == (3, 3)
        assert json.loads(found["sweep"]["config"])["method"] == "grid"

    tell(story)


def test_runs_are_filtered_ordered_and_paged(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        sweep_id = await finished(shop, 5)
        filters = json.dumps({"$and": [{"sweep": sweep_id}, {"config.x.value": {"$gte": 1}}]})
        wanted = json.dumps(filters)
        order = '"-summary_metrics.loss"'
        first = await in_project(
            shop,
            f"runCount(filters: {wanted}) runs(filters: {wanted}, order: {order}, first: 3) "
            f"{{ edges {{ node {{ {RUN_FIELDS} }} cursor }} pageInfo {{ endCursor hasNextPage }} }}",
        )
        assert first["runCount"] == 4
        xs = [json.loads(edge["node"]["config"])["x"]["value"] for edge in first["runs"]["edges"]]
        assert xs == [4, 3, 2]
        page = first["runs"]["pageInfo"]
        assert page["hasNextPage"] is True
        rest = await in_project(
            shop,
            f'runs(filters: {wanted}, order: {order}, first: 3, after: "{page["endCursor"]}") '
            "{ edges { node { config } } pageInfo { hasNextPage } }",
        )
        assert len(rest["runs"]["edges"]) == 1
        assert rest["runs"]["pageInfo"]["hasNextPage"] is False

    tell(story)


def test_history_is_told_whole_sampled_by_step_and_as_live_rows(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        await finished(shop, 1)
        (run_id,) = shop.world.runs
        spec = json.dumps(json.dumps({"keys": ["_step", "loss"], "samples": 4}))
        found = await in_project(
            shop,
            f'run(name: "{run_id}") {{ history(samples: 500) page: history(minStep: 5, maxStep: 8, '
            f"samples: 100) sampledHistory(specs: [{spec}]) parquetHistory(liveKeys: "
            '["_step", "loss"]) { parquetUrls liveData } historyKeys }',
        )
        run = found["run"]
        assert len(run["history"]) == 20
        assert [json.loads(row)["_step"] for row in run["page"]] == [5, 6, 7]
        (sampled,) = run["sampledHistory"]
        assert [row["_step"] for row in sampled] == [0, 6, 12, 19]
        assert run["parquetHistory"]["parquetUrls"] == []
        assert run["parquetHistory"]["liveData"][3]["loss"] == 0.25
        assert run["historyKeys"]["lastStep"] == 19

    tell(story)


@pytest.mark.parametrize("is_old", [False, True], ids=["0.31", "0.22"])
def test_history_of_some_keys_is_paged_without_a_gap_or_a_row_twice(tell: Tell, *, is_old: bool) -> None:
    async def story(shop: Shop) -> None:
        await finished(shop, 1)
        (run_id,) = shop.world.runs
        seen: list[int] = []
        for first in range(0, 20, 8):
            stop = min(first + 8, 20)
            # Newer clients name the last step and as many samples as steps, older ones the step after.
            last, n_samples = (stop, 8) if is_old else (stop - 1, stop - first)
            spec = {"keys": ["loss", "_step"], "minStep": first, "maxStep": last, "samples": n_samples}
            asked = f"sampledHistory(specs: [{json.dumps(json.dumps(spec))}])"
            found = await in_project(shop, f'run(name: "{run_id}") {{ {asked} }}')
            seen += [row["_step"] for row in found["run"]["sampledHistory"][0]]
        assert seen == list(range(20))

    tell(story)


def test_resume_status_speaks_of_runs_that_logged_something(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        _, run_id = await shop.started(await shop.sweep())
        query = f"""{{ model(name: "uncategorized", entityName: "local") {{ bucket(name: "{run_id}",
            missingOk: true) {{ id name historyLineCount historyTail eventsTail logLineCount config tags
            wandbConfig(keys: ["t"]) }} }} }}"""
        assert (await shop.ask(query))["model"]["bucket"] is None
        await shop.log(run_id, 0, 3.0, 2.0)
        bucket = (await shop.ask(query))["model"]["bucket"]
        assert bucket["historyLineCount"] == 2
        (line,) = json.loads(bucket["historyTail"])
        assert json.loads(line)["_step"] == 1
        assert "t" in json.loads(bucket["wandbConfig"])

    tell(story)


def test_schema_can_be_inspected_by_old_clients(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        found = await shop.ask(
            """query ProbeServerCapabilities { QueryType: __type(name: "Query") { fields { name
            args { name } } } Settings: __type(name: "ServerSettings") { fields { name } } }"""
        )
        assert {"name": "viewer", "args": []} in found["QueryType"]["fields"]
        assert found["Settings"]["fields"] == [{"name": "serverMessages"}]

    tell(story)


def test_tags_of_a_run_are_told_again_found_and_changed(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        sweep_id = await shop.sweep(2)
        _, run_id = await shop.started(sweep_id)
        await shop.bucket(run_id, tags=["base", "v2"])
        await shop.bucket(run_id)  # says nothing of tags: they stay
        for tag, n_found in (("v2", 1), ("v3", 0)):
            wanted = json.dumps(json.dumps({"tags": {"$in": [tag]}}))
            found = await in_project(shop, f"runs(filters: {wanted}) {{ edges {{ node {{ name tags }} }} }}")
            assert len(found["runs"]["edges"]) == n_found
        assert shop.run(run_id).tags == ("base", "v2")
        await shop.bucket(run_id, tags=[])
        assert shop.run(run_id).tags == ()

    tell(story)


def test_ended_run_is_deleted_once_and_for_all_and_an_active_one_is_left_alone(
    tell: Tell,
) -> None:
    async def story(shop: Shop) -> None:
        sweep_id = await shop.sweep(3)
        agent_id, first = await shop.started(sweep_id)
        assert "stop them first" in await shop.ask(DELETE_RUN, status=400, id=first)
        await shop.stream(first, complete=True, exitcode=0)
        for _ in range(2):
            await shop.ask(DELETE_RUN, id=first)
        assert shop.run(first).deleted
        assert first not in shop.world.runs_of[sweep_id]
        assert shop.run(await shop.next_run(agent_id)).config == shop.run(first).config  # its cell again
        assert "run" in await shop.ask(DELETE_RUN, status=400, id="nobody")

    tell(story)


RUNS = [
    Run(
        id=f"run{i}",
        sweep_id="sweep001",
        number=i + 1,
        name=f"r-{i}",
        config={"lr": 0.1 * i, "net": {"depth": i}, "flag": i % 2 == 0},
        suggestion=i,
        tags=("low", "odd") if i == 1 else (),
        state=RunState.FINISHED if i else RunState.FAILED,
        summary={"loss": math.nan if i == 2 else float(i)},
        created_at=float(i),
    )
    for i in range(4)
]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [0, 1, 2, 3]),
        ({"state": "failed"}, [0]),
        ({"state": {"$in": ["failed", "killed"]}}, [0]),
        ({"state": {"$nin": ["failed"]}}, [1, 2, 3]),
        ({"config.lr.value": {"$gt": 0.15, "$lt": 0.25}}, [2]),
        ({"config.net.value.depth": 3}, []),
        ({"config.net.depth": 3}, [3]),
        ({"summary_metrics.loss": {"$lte": 1}}, [0, 1]),
        ({"summaryMetrics.loss": {"$ne": 1}}, [0, 2, 3]),
        ({"config.flag.value": True}, [0, 2]),
        ({"config.missing": {"$exists": False}}, [0, 1, 2, 3]),
        ({"$or": [{"name": "run1"}, {"display_name": "r-3"}]}, [1, 3]),
        ({"$nor": [{"name": "run1"}]}, [0, 2, 3]),
        ({"$not": {"name": "run1"}}, [0, 2, 3]),
        ({"display_name": {"$regex": "^r\\-2$"}}, [2]),
        ({"state": {"$gt": 3}}, []),
        ({"tags": "odd"}, [1]),
        ({"tags": ["low", "odd"]}, [1]),
        ({"tags": {"$in": ["odd", "even"]}}, [1]),
        ({"tags": {"$ne": "odd"}}, [0, 2, 3]),
    ],
)
def test_filter_keeps_what_mongo_would_keep(query: dict[str, Any], expected: list[int]) -> None:
    holds = read_filter(json.dumps(query))
    assert [i for i, run in enumerate(RUNS) if holds(run)] == expected


@pytest.mark.parametrize("text", ["[", "3", '{"$where": "1"}', '{"a": {"$x": 1}}', '{"$or": 3}'])
def test_filter_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(FaultError, match="filter"):
        read_filter(text)


def test_filter_nested_without_end_is_refused() -> None:
    with pytest.raises(FaultError):
        read_filter('{"$not":' * 50 + "{}" + "}" * 50)
    with pytest.raises(FaultError):
        read_filter('{"$not":' * 100_000)


def test_order_puts_runs_without_the_value_last() -> None:
    assert [run.number for run in in_order(RUNS, "-summary_metrics.loss")] == [4, 2, 1, 3]
    assert [run.number for run in in_order(RUNS, "+created_at")] == [1, 2, 3, 4]
    assert [run.number for run in in_order(RUNS, "-created_at")] == [4, 3, 2, 1]
    assert [run.number for run in in_order(RUNS, "state,-name")] == [1, 4, 3, 2]
