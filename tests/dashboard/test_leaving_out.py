"""Runs left out of the search and runs deleted, by key, by command, by marks; and what the model expects."""

from __future__ import annotations

from msgspec.structs import replace

from controller.domain.changes import RunIgnoredSet, RunRemoved
from controller.domain.commands import DeleteRuns, IgnoreRuns
from controller.domain.queries import Belief, GetBelief
from controller.domain.world import World
from tests import plot_scenes, scenes
from tests.dashboard.screen import lines_of, make_app, text_of, until
from tests.fake_client import FakeClient
from tui_sweeps.views.effects import Effect, Impossible, delete_effect, ignore_effect
from tui_sweeps.views.filter import matches, parse
from tui_sweeps.views.filter.subjects import RunSubject


def line_with(text: str, word: str) -> str:
    return next(line for line in text.splitlines() if word in line)


async def test_runs_are_left_out_by_key_look_so_and_are_taken_in_again() -> None:
    client = FakeClient(scenes.digits())
    async with make_app(client).run_test(size=(120, 30)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("enter", "down", "down", "space", "space", "i")
        await until(pilot, "Leave 2 runs out of the search?")
        await pilot.press("y")
        ids = {command.run_ids for command in client.sent if isinstance(command, IgnoreRuns)}.pop()
        assert len(ids) == 2
        client.push(*(RunIgnoredSet(run_id=one, ignored=True) for one in ids))
        assert "∅ ignored" in line_with(await until(pilot, "ignored"), "34 fond-lark-34")
        await pilot.press("i")
        await until(pilot, "Take 2 runs into the search again?")
        await pilot.press("y")
    assert [command.ignored for command in client.sent if isinstance(command, IgnoreRuns)] == [True, False]


async def test_run_is_deleted_by_command_after_a_countdown_and_its_screen_and_mark_go_with_it() -> None:
    client = FakeClient(scenes.digits())
    app = make_app(client)
    app.undo_s = 3600.0
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("enter", "end", "space", "enter")
        await until(pilot, "calm-lark-1")
        await pilot.press("colon", *"delete", "enter")
        text = await until(pilot, "Delete run calm-lark-1?")
        assert "handed out again" in text or app.model.world.sweeps["d1g1ts00"].size is None
        await pilot.press("enter")
        assert client.sent == [], "its default is No"
        await pilot.press("E")
        await until(pilot, "Delete run calm-lark-1?")
        await pilot.press("y")
        await until(pilot, "deleting run calm-lark-1 in")
        await pilot.press("enter")
        while not client.sent:
            await pilot.pause()
        (command,) = client.sent
        assert isinstance(command, DeleteRuns)
        client.push(RunRemoved(run_id=command.run_ids[0], at=scenes.NOW))
        assert "marked" not in await until(pilot, "35 runs")


def test_what_is_with_an_agent_is_not_deleted_and_the_reason_said() -> None:
    world = World(scenes.digits().facts)
    ids = list(world.runs_of["d1g1ts00"])
    active = [one for one in ids if world.runs[one].token in world.open_of["d1g1ts00"]]
    refused = delete_effect(world, active[:1])
    assert isinstance(refused, Impossible)
    assert "stop first" in refused.reason
    effect = delete_effect(world, [*active, ids[0]])
    assert isinstance(effect, Effect)
    assert effect.grave
    assert f"{len(active)} chosen runs left alone" in " ".join(effect.lines)
    world.evolve((RunRemoved(run_id=ids[0], at=1.0),))
    assert isinstance(delete_effect(world, [ids[0]]), Impossible)
    assert isinstance(ignore_effect(world, [ids[0]]), Impossible)


def test_filter_finds_the_runs_that_are_ignored() -> None:
    world = World(scenes.digits().facts)
    run = next(iter(world.runs.values()))
    node = parse("is:ignored")
    assert not matches(node, RunSubject(run, {}))
    assert matches(node, RunSubject(replace(run, ignored=True), {}))


async def test_value_that_the_model_expects_stands_beside_the_best_one_where_there_is_room() -> None:
    client = FakeClient(plot_scenes.tuned(40))
    believed = next(iter(client.world.runs_of[plot_scenes.SWEEP]))
    client.belief = Belief(run_id=believed, mean=0.2468, low=0.2, high=0.3)
    async with make_app(client).run_test(size=(120, 30)) as pilot:
        await until(pilot, "tune-augmented")
        await pilot.press("enter")
        text = await until(pilot, "expected 0.2468")
        assert f"(run {client.world.runs[believed].number})" in text
        assert "best " in lines_of(pilot.app)[1]
        await pilot.resize_terminal(44, 24)
        await until(pilot, "expected", gone=True)
        assert "best" in text_of(pilot.app)
    assert sum(isinstance(query, GetBelief) for query in client.asked) == 1
