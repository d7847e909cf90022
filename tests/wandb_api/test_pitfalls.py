"""The ten pitfalls of our notes on the client's protocol that matter most, each with tests named after it."""

from __future__ import annotations

import json
from pathlib import Path

from controller.domain.states import RunState
from tests.wandb_api.shop import HEARTBEAT, Shop, Tell, lines, losses, stop, within


def test_0_1_body_of_32_mib_is_taken(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        _, run_id = await shop.started(await shop.sweep())
        row = json.dumps({"_step": 0, "loss": 1.0, "text": "x" * (1024 * 1024)})
        content = [row] * 32
        body = {"files": {"wandb-history.jsonl": {"offset": 0, "content": content}}}
        assert await shop.stream(run_id, **body) == {}
        assert shop.run(run_id).n_points == 32

    tell(story)


def test_0_1_body_of_200_mb_is_too_large_and_changes_nothing(tell: Tell) -> None:
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


def test_0_2_file_stream_of_a_known_run_never_gets_a_fatal_status(tell: Tell) -> None:
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
    tell: Tell,
) -> None:
    async def story(shop: Shop) -> None:
        sweep_id = await shop.sweep()
        unknown = f"wandb-{sweep_id}-0123abcd"
        assert (await shop.beat(unknown))[0]["type"] == "run"
        assert shop.world.agents[unknown].sweep_id == sweep_id

    tell(story)


def test_0_3_only_an_agent_without_a_sweep_is_not_found(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        await shop.ask(HEARTBEAT, id="wandb-nosweep0-0123abcd", runState="{}", status=404)
        await shop.ask(HEARTBEAT, id="whatever", runState="{}", status=404)

    tell(story)


def test_0_4_run_that_vanished_without_a_word_is_closed_after_some_patience(
    tell: Tell,
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


def test_0_4_run_that_was_to_stop_and_vanished_is_killed(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        agent_id, run_id = await shop.started(await shop.sweep())
        await stop(shop, run_id)
        assert await shop.beat(agent_id, run_id) == [{"type": "stop", "run_id": run_id}]
        assert (await shop.beat(agent_id))[0]["type"] == "run"
        assert shop.run(run_id).state is RunState.KILLED
        assert shop.run(run_id).cause == "stopped"

    tell(story)


def test_0_4_program_that_never_reached_the_client_failed_and_is_not_run_again(
    tell: Tell,
) -> None:
    async def story(shop: Shop) -> None:
        agent_id = await shop.agent(await shop.sweep())
        run_id = await shop.next_run(agent_id)
        shop.mono_s += 5
        assert await shop.next_run(agent_id) != run_id
        assert shop.run(run_id).state is RunState.FAILED

    tell(story)


def test_0_4_lost_answer_is_given_again(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        agent_id = await shop.agent(await shop.sweep())
        first = await shop.beat(agent_id)
        shop.mono_s += 2
        assert await shop.beat(agent_id) == first
        assert len(shop.world.runs) == 1

    tell(story)


def test_0_4_silent_agent_is_let_go_and_its_run_goes_on(tell: Tell) -> None:
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


def test_0_4_stopped_run_of_an_agent_that_left_by_count_is_closed(tell: Tell) -> None:
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


def test_0_5_environment_asks_for_a_post_every_two_seconds() -> None:
    from tui_sweeps.cli.environment import TRANSMIT_S

    assert TRANSMIT_S == 2


def test_0_6_stop_goes_both_ways(tell: Tell) -> None:
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
    tell: Tell,
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


def test_0_8_run_is_sent_only_to_an_idle_agent_and_one_at_a_time(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        agent_id = await shop.agent(await shop.sweep())
        commands = await shop.beat(agent_id)
        assert [command["type"] for command in commands] == ["run"]
        assert await shop.beat(agent_id, commands[0]["run_id"]) == []
        assert len(shop.world.runs) == 1

    tell(story)


def test_0_9_bare_nan_and_infinity_are_taken(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        _, run_id = await shop.started(await shop.sweep())
        rows = ['{"_step":0,"loss":NaN}', '{"_step":1,"loss":-Infinity}', '{"_step":2,"loss":1e400}']
        await shop.stream(run_id, files={"wandb-history.jsonl": {"offset": 0, "content": rows}})
        assert [str(x) for x in await losses(shop, run_id)] == ["nan", "-inf", "inf"]

    tell(story)


def test_0_10_rows_are_kept_once_by_their_line(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        _, run_id = await shop.started(await shop.sweep())
        await shop.log(run_id, 0, 3.0, 2.0)
        await shop.log(run_id, 0, 3.0, 2.0)
        await shop.log(run_id, 1, 2.0, 1.0)
        assert await losses(shop, run_id) == [3.0, 2.0, 1.0]
        assert shop.run(run_id).n_points == 3

    tell(story)


def test_0_10_console_lines_are_rewritten_in_place(tell: Tell) -> None:
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
