"""Every numbered pitfall of our notes on the client's protocol, each with a test named after it.

`0.n`: the ten that matter most; `10.n`: the checklist for a server, of which 9 is `test_real_client.py`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from controller.domain.events import Ticked
from controller.domain.queries import GetHistory, GetLog, History, Log
from controller.domain.states import AttemptState, RunState, SweepState
from tests.wandb_api.shop import HEARTBEAT, UPSERT_SWEEP, Shop, grid, opened, within

Story = Callable[[Shop], Awaitable[None]]


@pytest.fixture
def tell(tmp_path: Path) -> Callable[[Story], None]:
    return lambda story: within(tmp_path, story)


async def losses(shop: Shop, run_id: str) -> list[float]:
    found = shop.engine.store.ask(GetHistory(run_id=run_id))
    assert isinstance(found, History)
    return [point.values["loss"] for point in found.points]


async def lines(shop: Shop, run_id: str) -> tuple[str, ...]:
    found = shop.engine.store.ask(GetLog(run_id=run_id))
    assert isinstance(found, Log)
    return found.lines


def test_0_1_body_of_32_mib_is_taken(tell: Callable[[Story], None]) -> None:
    async def story(shop: Shop) -> None:
        _, run_id = await shop.started(await shop.sweep())
        row = json.dumps({"_step": 0, "loss": 1.0, "text": "x" * (1024 * 1024)})
        content = [row] * 32
        body = {"files": {"wandb-history.jsonl": {"offset": 0, "content": content}}}
        assert await shop.stream(run_id, **body) == {}
        assert shop.run(run_id).n_points == 32

    tell(story)


def test_0_1_body_of_200_mb_is_too_large_and_changes_nothing(tell: Callable[[Story], None]) -> None:
    async def story(shop: Shop) -> None:
        _, run_id = await shop.started(await shop.sweep())
        before = shop.run(run_id)
        path = f"{shop.server.url}/files/e/p/{run_id}/file_stream"

        async def body():  # type: ignore[no-untyped-def]
            for _ in range(200):
                yield b"x" * 1_000_000

        try:
            async with shop.session.post(path, data=body(), headers=shop.headers()) as answer:
                assert answer.status == 413
        except OSError:
            pass  # the connection was closed while the rest was on its way
        assert shop.run(run_id) == before
        assert await shop.log(run_id, 0, 1.0) == {}

    tell(story)


def test_0_2_file_stream_of_a_known_run_never_gets_a_fatal_status(tell: Callable[[Story], None]) -> None:
    async def story(shop: Shop) -> None:
        agent_id, run_id = await shop.started(await shop.sweep())
        for odd in (
            {},
            {"files": None},
            {"files": {"wandb-history.jsonl": {"offset": -1, "content": [1, None, "{", "[]", "null"]}}},
            {"files": {"wandb-history.jsonl": {"offset": 10**40, "content": ["{}"]}}},
            {"files": {"output.log": {"offset": "x", "content": {}}}, "complete": "yes", "exitcode": "no"},
            {"files": {"unknown": 3}, "uploaded": ["a"], "dropped": 3, "failed": False},
        ):
            await shop.stream(run_id, **odd)
        await shop.stream(run_id, complete=True, exitcode=0)
        # Late words, in every state a run can end in.
        assert shop.run(run_id).state is RunState.FINISHED
        await shop.log(run_id, 0, 1.0)
        second = await shop.next_run(agent_id)
        await shop.bucket(second)
        await shop.stream(second, complete=True, exitcode=2)
        await shop.log(second, 0, 1.0)
        assert shop.run(second).state is RunState.FAILED

    tell(story)


def test_0_3_agent_survives_a_restart_of_the_controller(tmp_path: Path) -> None:
    remembered: list[str] = []

    async def before(shop: Shop) -> None:
        sweep_id = await shop.sweep()
        remembered[:] = [*(await shop.started(sweep_id)), await shop.agent(sweep_id)]

    async def after(shop: Shop) -> None:
        busy, run_id, idle = remembered
        assert await shop.beat(busy, run_id) == []
        assert (await shop.beat(idle))[0]["type"] == "run"
        assert await shop.log(run_id, 0, 1.0) == {}
        assert shop.run(run_id).attempt == 1

    within(tmp_path, before)
    within(tmp_path, after)


def test_0_3_agent_nobody_knows_is_taken_in_again_when_its_sweep_exists(
    tell: Callable[[Story], None],
) -> None:
    async def story(shop: Shop) -> None:
        sweep_id = await shop.sweep()
        unknown = f"wandb-{sweep_id}-0123abcd"
        assert (await shop.beat(unknown))[0]["type"] == "run"
        assert shop.world.agents[unknown].sweep_id == sweep_id

    tell(story)


def test_0_3_only_an_agent_without_a_sweep_is_not_found(tell: Callable[[Story], None]) -> None:
    async def story(shop: Shop) -> None:
        await shop.ask(HEARTBEAT, id="wandb-nosweep0-0123abcd", runState="{}", status=404)
        await shop.ask(HEARTBEAT, id="whatever", runState="{}", status=404)

    tell(story)


def test_0_4_run_that_vanished_without_a_word_is_closed_after_some_patience(
    tell: Callable[[Story], None],
) -> None:
    async def story(shop: Shop) -> None:
        agent_id, run_id = await shop.started(await shop.sweep())
        assert await shop.beat(agent_id, run_id) == []
        shop.mono_s += 5
        assert await shop.beat(agent_id) == []
        assert shop.run(run_id).state is RunState.RUNNING
        shop.mono_s += 10
        assert (await shop.beat(agent_id))[0]["run_id"] != run_id
        assert shop.run(run_id).state is RunState.FAILED
        assert "without a word" in shop.run(run_id).cause

    tell(story)


def test_0_4_run_that_was_to_stop_and_vanished_is_killed(tell: Callable[[Story], None]) -> None:
    async def story(shop: Shop) -> None:
        agent_id, run_id = await shop.started(await shop.sweep())
        await stop(shop, run_id)
        assert await shop.beat(agent_id, run_id) == [{"type": "stop", "run_id": run_id}]
        assert (await shop.beat(agent_id))[0]["type"] == "run"
        assert shop.run(run_id).state is RunState.KILLED
        assert shop.run(run_id).cause == "stopped"

    tell(story)


def test_0_4_program_that_never_reached_the_client_failed_and_is_not_run_again(
    tell: Callable[[Story], None],
) -> None:
    async def story(shop: Shop) -> None:
        agent_id = await shop.agent(await shop.sweep())
        run_id = await shop.next_run(agent_id)
        shop.mono_s += 5
        assert await shop.next_run(agent_id) != run_id
        assert shop.run(run_id).state is RunState.FAILED

    tell(story)


def test_0_4_lost_answer_is_given_again(tell: Callable[[Story], None]) -> None:
    async def story(shop: Shop) -> None:
        agent_id = await shop.agent(await shop.sweep())
        first = await shop.beat(agent_id)
        shop.mono_s += 2
        assert await shop.beat(agent_id) == first
        assert len(shop.world.runs) == 1

    tell(story)


def test_0_4_silent_agent_is_let_go_and_its_run_goes_on(tell: Callable[[Story], None]) -> None:
    async def story(shop: Shop) -> None:
        agent_id, run_id = await shop.started(await shop.sweep())
        await shop.server.agents.look()
        shop.mono_s += 80
        await shop.server.agents.look()
        assert shop.world.agents[agent_id].state.value == "active"
        shop.mono_s += 20
        await shop.server.agents.look()
        assert shop.world.agents[agent_id].state.value == "left"
        assert shop.run(run_id).state is RunState.RUNNING
        assert await shop.beat(agent_id, run_id) == []
        assert shop.world.agents[agent_id].state.value == "active"

    tell(story)


def test_0_4_stopped_run_of_an_agent_that_left_by_count_is_closed(tell: Callable[[Story], None]) -> None:
    async def story(shop: Shop) -> None:
        agent_id, run_id = await shop.started(await shop.sweep())
        await shop.log(run_id, 0, 1.0)
        await stop(shop, run_id)
        assert await shop.beat(agent_id, run_id) == [{"type": "stop", "run_id": run_id}]
        shop.mono_s += 40
        await shop.server.agents.look()
        assert shop.run(run_id).state is RunState.RUNNING
        shop.mono_s += 10
        await shop.server.agents.look()
        assert shop.run(run_id).state is RunState.KILLED

    tell(story)


async def stop(shop: Shop, run_id: str) -> None:
    stopped = "mutation StopRun($id: ID!) { stopRun(input: {id: $id}) { success clientMutationId } }"
    assert (await shop.ask(stopped, id=run_id))["stopRun"]["success"] is True


def test_0_5_environment_asks_for_a_post_every_two_seconds() -> None:
    from tui_sweeps.cli.environment import TRANSMIT_S

    assert TRANSMIT_S == 2


def test_0_6_stop_goes_both_ways(tell: Callable[[Story], None]) -> None:
    async def story(shop: Shop) -> None:
        agent_id, run_id = await shop.started(await shop.sweep())
        assert await shop.log(run_id, 0, 1.0) == {}
        await stop(shop, run_id)
        assert await shop.beat(agent_id, run_id) == [{"type": "stop", "run_id": run_id}]
        assert await shop.log(run_id, 1, 1.0) == {"stopped": True}
        # The wrapper is gone, its training goes on as an orphan: it is told, too.
        await shop.beat(agent_id)
        assert shop.run(run_id).state is RunState.KILLED
        assert await shop.log(run_id, 2, 1.0) == {"stopped": True}
        assert await losses(shop, run_id) == [1.0, 1.0, 1.0]

    tell(story)


def test_0_7_parameters_come_in_the_order_the_client_gives_them_which_is_alphabetical(
    tell: Callable[[Story], None],
) -> None:
    async def story(shop: Shop) -> None:
        sweep_id = await shop.sweep(
            1,
            parameters={
                "b": {"values": [1, 2]},
                "a": {"value": [1, None]},
                "c": {"parameters": {"d": {"value": True}}},
            },
        )
        (command,) = await shop.beat(await shop.agent(sweep_id))
        expected = {"b": {"value": 1}, "a": {"value": [1, None]}, "c": {"value": {"d": True}}}
        assert command["args"] == expected
        assert list(command["args"]) == sorted(expected)
        assert command["program"] == "train.py"

    tell(story)


def test_0_8_run_is_sent_only_to_an_idle_agent_and_one_at_a_time(tell: Callable[[Story], None]) -> None:
    async def story(shop: Shop) -> None:
        agent_id = await shop.agent(await shop.sweep())
        commands = await shop.beat(agent_id)
        assert [command["type"] for command in commands] == ["run"]
        assert await shop.beat(agent_id, commands[0]["run_id"]) == []
        assert len(shop.world.runs) == 1

    tell(story)


def test_0_9_bare_nan_and_infinity_are_taken(tell: Callable[[Story], None]) -> None:
    async def story(shop: Shop) -> None:
        _, run_id = await shop.started(await shop.sweep())
        rows = ['{"_step":0,"loss":NaN}', '{"_step":1,"loss":-Infinity}', '{"_step":2,"loss":1e400}']
        await shop.stream(run_id, files={"wandb-history.jsonl": {"offset": 0, "content": rows}})
        assert [str(x) for x in await losses(shop, run_id)] == ["nan", "-inf", "inf"]

    tell(story)


def test_0_10_rows_are_kept_once_by_their_line(tell: Callable[[Story], None]) -> None:
    async def story(shop: Shop) -> None:
        _, run_id = await shop.started(await shop.sweep())
        await shop.log(run_id, 0, 3.0, 2.0)
        await shop.log(run_id, 0, 3.0, 2.0)
        await shop.log(run_id, 1, 2.0, 1.0)
        assert await losses(shop, run_id) == [3.0, 2.0, 1.0]
        assert shop.run(run_id).n_points == 3

    tell(story)


def test_0_10_console_lines_are_rewritten_in_place(tell: Callable[[Story], None]) -> None:
    async def story(shop: Shop) -> None:
        _, run_id = await shop.started(await shop.sweep())
        stamp = "2026-01-01T00:00:00.000000 "
        for offset, content in (
            (0, [f"{stamp}start", f"{stamp} 10%"]),
            (1, [f"ERROR {stamp} 90%\n"]),
            (1, [f"{stamp}100%", f"{stamp}done"]),
        ):
            await shop.stream(run_id, files={"output.log": {"offset": offset, "content": content}})
        assert await lines(shop, run_id) == ("start", "100%", "done")

    tell(story)


def test_10_1_unknown_operations_and_documents_are_400_with_a_sentence(
    tell: Callable[[Story], None],
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


def test_10_2_wrong_keys_get_nothing(tell: Callable[[Story], None]) -> None:
    async def story(shop: Shop) -> None:
        _, run_id = await shop.started(await shop.sweep())
        for key in ("", "0" * 40, shop.key[:-1], shop.key + "0", "ü"):
            assert await shop.ask("{ viewer { id } }", key=key, status=401)
            await shop.stream(run_id, key=key, status=401)
        assert shop.key not in shop.home.keys.read_text()

    tell(story)


def test_10_2_upload_paths_are_signed(tell: Callable[[Story], None]) -> None:
    async def story(shop: Shop) -> None:
        _, run_id = await shop.started(await shop.sweep())
        url = await upload_url(shop, run_id, "media/../../a b.png")
        async with shop.session.put(url, data=b"picture") as answer:
            assert answer.status == 200
        async with shop.session.get(url) as answer:
            assert await answer.read() == b"picture"
        other = url.replace(run_id, "aaaaaaaa")
        for wrong in (other, url + "x", url.replace("a%20b", "c")):
            async with shop.session.put(wrong, data=b"x") as answer:
                assert answer.status in (403, 404)
        kept = [path for path in shop.home.files.rglob("*") if path.is_file()]
        assert [path.parent for path in kept] == [shop.home.files / run_id]
        for place in (kept[0], kept[0].parent, shop.home.files):
            assert place.stat().st_mode & 0o077 == 0

    tell(story)


async def upload_url(shop: Shop, run_id: str, name: str) -> str:
    made = await shop.ask(
        """mutation CreateRunFiles($entity: String!, $project: String!, $run: String!, $files: [String!]!) {
        createRunFiles(input: {entityName: $entity, projectName: $project, runName: $run, files: $files}) {
        runID uploadHeaders files { name uploadUrl } } }""",
        entity="e", project="p", run=run_id, files=[name],
    )  # fmt: skip
    url: str = made["createRunFiles"]["files"][0]["uploadUrl"]
    return url


def test_10_1_upload_beyond_the_limit_of_bodies_is_streamed_to_disk(tell: Callable[[Story], None]) -> None:
    async def story(shop: Shop) -> None:
        _, run_id = await shop.started(await shop.sweep())

        async def body():  # type: ignore[no-untyped-def]
            for _ in range(70):
                yield bytes(2**20)

        url = await upload_url(shop, run_id, "weights.bin")
        async with shop.session.put(url, data=body()) as answer:
            assert answer.status == 200
        assert (shop.home.files / run_id / "weights.bin").stat().st_size == 70 * 2**20

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


def test_10_3_refused_config_is_400_without_side_effects(tell: Callable[[Story], None]) -> None:
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


def test_10_3_oddities_of_a_config_are_warnings_and_the_sweep_is_made(tell: Callable[[Story], None]) -> None:
    async def story(shop: Shop) -> None:
        made = await shop.ask(UPSERT_SWEEP, config=grid(2, metrik={"name": "loss"}))
        assert any("metrik" in text for text in made["upsertSweep"]["configValidationWarnings"])
        plain = await shop.ask(UPSERT_SWEEP, config=grid(2))
        assert plain["upsertSweep"]["configValidationWarnings"] == []
        assert len(shop.world.sweeps) == 2

    tell(story)


def test_10_4_two_agents_never_get_the_same_run(tell: Callable[[Story], None]) -> None:
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


def test_10_5_stop_is_repeated_until_the_run_is_gone(tell: Callable[[Story], None]) -> None:
    async def story(shop: Shop) -> None:
        agent_id, run_id = await shop.started(await shop.sweep())
        await stop(shop, run_id)
        for _ in range(4):
            assert await shop.beat(agent_id, run_id) == [{"type": "stop", "run_id": run_id}]
        assert (await shop.beat(agent_id))[0]["type"] == "run"

    tell(story)


def test_10_5_agent_leaves_when_the_sweep_can_give_nothing_more(tell: Callable[[Story], None]) -> None:
    async def story(shop: Shop) -> None:
        sweep_id = await shop.sweep(1)
        agent_id, run_id = await shop.started(sweep_id)
        await shop.stream(run_id, complete=True, exitcode=0)
        assert await shop.beat(agent_id) == [{"type": "exit"}]
        assert shop.world.sweeps[sweep_id].state is SweepState.FINISHED
        assert not shop.world.agents_of[sweep_id]
        assert await shop.beat(agent_id) == [{"type": "exit"}]

    tell(story)


def test_10_5_verbs_reach_agents_as_wandb_means_them(tell: Callable[[Story], None]) -> None:
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


def test_10_5_stopped_sweep_lets_the_run_finish(tell: Callable[[Story], None]) -> None:
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


def test_10_6_end_is_told_by_complete_and_its_code(tell: Callable[[Story], None]) -> None:
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


def test_10_6_preempted_run_is_handed_out_again_to_be_resumed(tell: Callable[[Story], None]) -> None:
    async def story(shop: Shop) -> None:
        agent_id, run_id = await shop.started(await shop.sweep())
        await shop.log(run_id, 0, 1.0)
        await shop.stream(run_id, preempting=True)
        assert shop.run(run_id).state is RunState.PREEMPTING
        await shop.stream(run_id, complete=True, exitcode=1)
        (command,) = await shop.beat(agent_id)
        assert (command["type"], command["run_id"]) == ("resume", run_id)

    tell(story)


def test_10_6_answers_hold_no_bare_nan(tell: Callable[[Story], None]) -> None:
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
    tell: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
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


def test_10_7_sign_of_life_keeps_the_lease_full(tell: Callable[[Story], None]) -> None:
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
    tell: Callable[[Story], None],
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


def test_bare_sweep_id_moves_its_runs_to_the_right_project(tell: Callable[[Story], None]) -> None:
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


def test_telemetry_is_refused(tell: Callable[[Story], None]) -> None:
    async def story(shop: Shop) -> None:
        for path in ("/sdk/otel/v1/metrics", "/sdk/otel/v1/logs"):
            assert (await shop.post(path, {}))[0] == 404

    tell(story)


def test_run_of_no_sweep_is_refused_with_what_to_do(tell: Callable[[Story], None]) -> None:
    async def story(shop: Shop) -> None:
        from tests.wandb_api.shop import UPSERT_BUCKET

        message = await shop.ask(UPSERT_BUCKET, name="plainrun", status=400)
        assert "belongs to no sweep" in message
        assert "WANDB_MODE=offline" in message

    tell(story)


def test_config_of_the_program_is_kept_beside_what_was_assigned(tell: Callable[[Story], None]) -> None:
    async def story(shop: Shop) -> None:
        _, run_id = await shop.started(await shop.sweep())
        told = {"x": {"value": 99}, "epochs": {"value": 4}, "_wandb": {"value": {"t": {}}}, "odd": 3}
        bucket = await shop.bucket(run_id, config=json.dumps(told))
        assert shop.run(run_id).config == {"x": 0}
        assert shop.run(run_id).own_config == {"epochs": 4}
        assert json.loads(bucket["config"]) == {"epochs": {"value": 4}, "x": {"value": 0}}

    tell(story)


def test_system_metrics_keep_their_latest_values(tell: Callable[[Story], None]) -> None:
    async def story(shop: Shop) -> None:
        _, run_id = await shop.started(await shop.sweep())
        for cpu in (10.0, 20.5):
            row = json.dumps({"_wandb": True, "_runtime": 1, "system.cpu": cpu, "system.gpu.0.gpu": 99})
            await shop.stream(run_id, files={"wandb-events.jsonl": {"offset": 0, "content": [row]}})
        assert shop.run(run_id).system == {"cpu": 20.5, "gpu.0.gpu": 99}
        assert shop.run(run_id).summary == {}

    tell(story)
