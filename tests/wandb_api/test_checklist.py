"""The checklist for a server of our notes on the client's protocol; point 9 is `test_real_*.py`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from controller.domain.events import Ticked
from controller.domain.states import AttemptState, RunState, SweepState
from tests.wandb_api.shop import HEARTBEAT, UPSERT_SWEEP, Shop, Tell, grid, opened, stop, within


def test_10_1_unknown_operations_and_documents_are_400_with_a_sentence(
    tell: Tell,
) -> None:
    async def story(shop: Shop) -> None:
        before = shop.world.facts()
        message = await shop.ask("mutation DeleteSweep { deleteSweep(input: {id: 1}) { ok } }", status=400)
        assert "deleteSweep" in message
        for document in ("{", "query { viewer { id ", "", "{" * 3000):
            await shop.ask(document, status=400)
        assert (await shop.post("/graphql", b"\xff\xfe"))[0] == 400
        assert (await shop.post("/graphql", []))[0] == 400
        assert (await shop.post("/graphql", {"query": 3}))[0] == 400
        assert shop.world.facts() == before

    tell(story)


def test_10_2_wrong_keys_get_nothing(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        _, run_id = await shop.started(await shop.sweep())
        for key in ("", "0" * 40, shop.key[:-1], shop.key + "0", "ü"):
            assert await shop.ask("{ viewer { id } }", key=key, status=401)
            await shop.stream(run_id, key=key, status=401)
        assert shop.key not in shop.home.keys.read_text()

    tell(story)


def test_10_3_what_was_told_is_there_after_a_restart(tmp_path: Path) -> None:
    told: list[str] = []

    async def before(shop: Shop) -> None:
        told[:] = [sweep_id := await shop.sweep(), *(await shop.started(sweep_id))]

    async def after(shop: Shop) -> None:
        sweep_id, agent_id, run_id = told
        assert shop.world.sweeps[sweep_id].state is SweepState.RUNNING
        assert shop.world.agents[agent_id].sweep_id == sweep_id
        assert shop.run(run_id).state is RunState.RUNNING

    within(tmp_path, before)
    within(tmp_path, after)


def test_10_3_refused_config_is_400_without_side_effects(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        before = shop.world.facts()
        for config in (
            "method: grid",
            "parameters: [",
            "method: nope\nparameters: {x: {value: 1}}",
            "- 1",
            "",
        ):
            assert await shop.ask(UPSERT_SWEEP, config=config, status=400)
        infinite = grid(1, parameters={"x": {"min": 0.0, "max": 1.0}})
        assert "x" in await shop.ask(UPSERT_SWEEP, config=infinite, status=400)
        assert await shop.ask(
            UPSERT_SWEEP, config=grid(2), priorRunsFilters='{"$or":[{"name":"nope"}]}', status=400
        )
        assert shop.world.facts() == before

    tell(story)


def test_10_3_oddities_of_a_config_are_warnings_and_the_sweep_is_made(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        made = await shop.ask(UPSERT_SWEEP, config=grid(2, metrik={"name": "loss"}))
        assert any("metrik" in text for text in made["upsertSweep"]["configValidationWarnings"])
        plain = await shop.ask(UPSERT_SWEEP, config=grid(2))
        assert plain["upsertSweep"]["configValidationWarnings"] == []
        assert len(shop.world.sweeps) == 2

    tell(story)


def test_10_4_two_agents_never_get_the_same_run(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        sweep_id = await shop.sweep(8)
        agents = [await shop.agent(sweep_id) for _ in range(8)]
        import asyncio

        taken = await asyncio.gather(*[shop.next_run(agent_id) for agent_id in agents])
        assert len(set(taken)) == 8
        assert sorted(shop.run(run_id).config["x"] for run_id in taken) == list(range(8))

    tell(story)


def test_10_4_run_that_never_started_is_handed_out_again_under_its_own_id(tmp_path: Path) -> None:
    told: list[str] = []

    async def before(shop: Shop) -> None:
        agent_id = await shop.agent(await shop.sweep(1))
        told[:] = [agent_id, await shop.next_run(agent_id)]

    async def after(shop: Shop) -> None:
        agent_id, run_id = told
        assert await shop.next_run(agent_id) == run_id
        assert (shop.run(run_id).attempt, shop.run(run_id).n_failures) == (2, 0)

    within(tmp_path, before)
    within(tmp_path, after)


def test_10_5_stop_is_repeated_until_the_run_is_gone(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        agent_id, run_id = await shop.started(await shop.sweep())
        await stop(shop, run_id)
        for _ in range(4):
            assert await shop.beat(agent_id, run_id) == [{"type": "stop", "run_id": run_id}]
        assert (await shop.beat(agent_id))[0]["type"] == "run"

    tell(story)


def test_10_5_agent_leaves_when_the_sweep_can_give_nothing_more(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        sweep_id = await shop.sweep(1)
        agent_id, run_id = await shop.started(sweep_id)
        await shop.stream(run_id, complete=True, exitcode=0)
        assert await shop.beat(agent_id) == [{"type": "exit"}]
        assert shop.world.sweeps[sweep_id].state is SweepState.FINISHED
        assert not shop.world.agents_of[sweep_id]
        assert await shop.beat(agent_id) == [{"type": "exit"}]

    tell(story)


def test_10_5_verbs_reach_agents_as_wandb_means_them(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        sweep_id = await shop.sweep(4)
        agent_id, run_id = await shop.started(sweep_id)
        await shop.steer(sweep_id, "PAUSED")
        assert await shop.beat(agent_id, run_id) == []
        await shop.stream(run_id, complete=True, exitcode=0)
        assert await shop.beat(agent_id) == []
        await shop.steer(sweep_id, "RUNNING")
        second = await shop.next_run(agent_id)
        await shop.bucket(second)
        await shop.steer(sweep_id, "CANCELED")
        assert await shop.log(second, 0, 1.0) == {"stopped": True}
        assert await shop.beat(agent_id, second) == [{"type": "exit"}]
        assert shop.run(second).state is RunState.KILLED
        assert shop.run(second).cause == "cancelled"
        assert await shop.beat(agent_id, second) != []

    tell(story)


def test_10_5_stopped_sweep_lets_the_run_finish(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        sweep_id = await shop.sweep(4)
        agent_id, run_id = await shop.started(sweep_id)
        await shop.steer(sweep_id, "FINISHED")
        assert await shop.beat(agent_id, run_id) == []
        assert await shop.log(run_id, 0, 1.0) == {}
        await shop.stream(run_id, complete=True, exitcode=0)
        assert await shop.beat(agent_id) == [{"type": "exit"}]
        assert shop.run(run_id).state is RunState.FINISHED

    tell(story)


def test_10_6_end_is_told_by_complete_and_its_code(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        agent_id, run_id = await shop.started(await shop.sweep())
        await shop.log(run_id, 0, 2.0, 1.0)
        summary = json.dumps({"loss": 0.5, "best": {"at": 1}, "_step": 1, "_wandb": {"runtime": 3}})
        files = {"wandb-summary.json": {"offset": 0, "content": [summary]}}
        await shop.stream(run_id, files=files, complete=True, exitcode=3)
        run = shop.run(run_id)
        assert (run.state, run.exit_code) == (RunState.FAILED, 3)
        assert run.summary == {"loss": 0.5, "best": {"at": 1}}
        assert (await shop.beat(agent_id))[0]["type"] == "run"

    tell(story)


def test_10_6_preempted_run_is_handed_out_again_to_be_resumed(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        agent_id, run_id = await shop.started(await shop.sweep())
        await shop.log(run_id, 0, 1.0)
        await shop.stream(run_id, preempting=True)
        assert shop.run(run_id).state is RunState.PREEMPTING
        await shop.stream(run_id, complete=True, exitcode=1)
        (command,) = await shop.beat(agent_id)
        assert (command["type"], command["run_id"]) == ("resume", run_id)

    tell(story)


def test_10_6_answers_hold_no_bare_nan(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        _, run_id = await shop.started(await shop.sweep())
        rows = ['{"_step":0,"loss":NaN}', '{"_step":1,"loss":-Infinity}']
        await shop.stream(run_id, files={"wandb-history.jsonl": {"offset": 0, "content": rows}})
        spec = json.dumps(json.dumps({"keys": ["loss"]}))
        query = f"""{{ project {{ run(name: "{run_id}") {{ sampledHistory(specs: [{spec}])
            parquetHistory(liveKeys: ["loss"]) {{ liveData }} history summaryMetrics }} }} }}"""
        url = shop.server.url + "/graphql"
        async with shop.session.post(url, json={"query": query}, headers=shop.headers()) as answer:
            found = json.loads(await answer.text(), parse_constant=pytest.fail)
        run = found["data"]["project"]["run"]
        assert [row["loss"] for row in run["sampledHistory"][0]] == ["NaN", "-Infinity"]
        assert "NaN" in run["history"][0]

    tell(story)


def test_10_8_full_disk_says_come_back_and_registers_nothing(
    tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(shop: Shop) -> None:
        agent_id, run_id = await shop.started(await shop.sweep())
        shop.engine.storage = "disk full"
        await shop.ask(HEARTBEAT, id=agent_id, runState=json.dumps({run_id: True}), status=503)
        answer = await shop.stream(run_id, files={"output.log": {"offset": 0, "content": ["a"]}}, status=503)
        assert "disk full" in answer["error"]
        assert "disk full" in await shop.ask(UPSERT_SWEEP, config=grid(2), status=400)
        shop.engine.storage = "ok"
        assert await shop.beat(agent_id, run_id) == []

    tell(story)


def test_10_7_sign_of_life_keeps_the_lease_full(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        _, run_id = await shop.started(await shop.sweep())
        token = shop.run(run_id).token
        assert token is not None
        shop.world.token_heard_s[token] = -1e9
        await shop.stream(run_id)
        assert shop.world.token_heard_s[token] > -1e9
        assert shop.world.attempts[token].state is AttemptState.RUNNING

    tell(story)


def test_10_7_run_silent_for_the_lease_is_crashed_and_runs_again_when_it_posts(
    tell: Tell,
) -> None:
    async def story(shop: Shop) -> None:
        _, run_id = await shop.started(await shop.sweep())
        token = shop.run(run_id).token
        assert token is not None
        shop.world.token_heard_s[token] = shop.engine.clock.mono() - shop.engine.timing.lease_s - 1
        shop.engine.post(Ticked())
        await shop.engine.snapshot()  # after all that waits
        assert shop.run(run_id).state is RunState.CRASHED
        assert await shop.log(run_id, 0, 1.0) == {}
        assert shop.run(run_id).state is RunState.RUNNING

    tell(story)


def test_10_8_starting_controller_says_come_back_soon(tmp_path: Path) -> None:
    import asyncio

    async def story() -> None:
        async with opened(tmp_path) as shop:
            await shop.server.mirror.is_ready.wait()
            shop.server.mirror.is_ready.clear()
            url = shop.server.url + "/graphql"
            async with shop.session.post(url, data=b"{}", headers=shop.headers()) as answer:
                assert answer.status == 503
                assert answer.headers["Retry-After"] == "1"

    asyncio.run(story())


def test_10_10_readme_tells_users_what_the_client_cannot_do_by_itself() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text()
    for word in ("`exec`", "SIGTERM", "wandb.finish(exit_code=143)", "tui-sweeps env"):
        assert word in text
