"""What programs say beside the metrics of a sweep's run, and where it is kept."""

from __future__ import annotations

import json

from tests.wandb_api.shop import UPSERT_SWEEP, Shop, Tell, grid


def test_bare_sweep_id_moves_its_runs_to_the_right_project(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        made = await shop.ask(UPSERT_SWEEP, config=grid(2), projectName="mine", entityName="us")
        sweep_id = made["upsertSweep"]["sweep"]["name"]
        found = await shop.ask(
            """query Q($entity: String, $project: String, $sweep: String!, $specs: [JSONString!]!) {
            project(name: $project, entityName: $entity) { sweep(sweepName: $sweep) { id name state config
            runs { edges { node { name sampledHistory(specs: $specs) } } } } } }""",
            sweep=sweep_id, specs="{}",
        )  # fmt: skip
        assert found["project"]["sweep"]["id"] == sweep_id
        run_id = await shop.next_run(await shop.agent(sweep_id))
        bucket = await shop.bucket(run_id, project="uncategorized")
        assert bucket["project"]["name"] == "mine"
        assert bucket["project"]["entity"]["name"] == "us"
        assert bucket["sweepName"] == sweep_id
        assert bucket["historyLineCount"] == 0

    tell(story)


def test_telemetry_is_refused(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        for path in ("/sdk/otel/v1/metrics", "/sdk/otel/v1/logs"):
            assert (await shop.post(path, {}))[0] == 404

    tell(story)


def test_run_of_no_sweep_is_refused_with_what_to_do(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        from tests.wandb_api.shop import UPSERT_BUCKET

        message = await shop.ask(UPSERT_BUCKET, name="plainrun", status=400)
        assert "belongs to no sweep" in message
        assert "WANDB_MODE=offline" in message

    tell(story)


def test_config_of_the_program_is_kept_beside_what_was_assigned(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        _, run_id = await shop.started(await shop.sweep())
        told = {"x": {"value": 99}, "epochs": {"value": 4}, "_wandb": {"value": {"t": {}}}, "odd": 3}
        bucket = await shop.bucket(run_id, config=json.dumps(told))
        assert shop.run(run_id).config == {"x": 0}
        assert shop.run(run_id).own_config == {"epochs": 4}
        assert json.loads(bucket["config"]) == {"epochs": {"value": 4}, "x": {"value": 0}}

    tell(story)


def test_system_metrics_keep_their_latest_values(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        _, run_id = await shop.started(await shop.sweep())
        for cpu in (10.0, 20.5):
            row = json.dumps({"_wandb": True, "_runtime": 1, "system.cpu": cpu, "system.gpu.0.gpu": 99})
            await shop.stream(run_id, files={"wandb-events.jsonl": {"offset": 0, "content": [row]}})
        assert shop.run(run_id).system == {"cpu": 20.5, "gpu.0.gpu": 99}
        assert shop.run(run_id).summary == {}

    tell(story)
