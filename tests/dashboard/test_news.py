"""Bells and notifications, values of metrics in the table, and waiting for the first facts."""

from __future__ import annotations

import asyncio

from controller.domain.changes import HistoryGrew, SweepStateSet
from controller.domain.states import SweepState
from controller.domain.world import Snapshot
from tests import scenes
from tests.dashboard.screen import make_app, text_of, until
from tests.fake_client import FakeClient


async def test_the_end_of_a_sweep_rings_unless_its_bell_is_off() -> None:
    client = FakeClient(scenes.digits())
    app = make_app(client)
    sent: list[str] = []
    rung: list[None] = []
    app.to_terminal = sent.append
    app.bell = lambda: rung.append(None)  # type: ignore[method-assign]
    async with app.run_test(size=(110, 24), notifications=True) as pilot:
        await until(pilot, "digits-grid")
        end = SweepStateSet(sweep_id="d1g1ts00", state=SweepState.FINISHED, cause="", at=scenes.NOW)
        again = SweepStateSet(sweep_id="d1g1ts00", state=SweepState.RUNNING, cause="", at=scenes.NOW)
        client.push(end)
        await until(pilot, "digits-grid is finished")
        assert sent == ["\x1b]9;digits-grid is finished\x07"]
        assert len(rung) == 1
        client.push(again)
        await until(pilot, "● running   digits-grid")
        await pilot.press("B")
        await until(pilot, "digits-grid is quiet now")
        client.push(end)
        await until(pilot, "✓ finished  digits-grid")
        assert len(sent) == len(rung) == 1


async def test_lowest_and_highest_of_any_metric_are_columns_to_filter_and_sort_by() -> None:
    async with make_app(FakeClient(scenes.digits())).run_test(size=(220, 30)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("enter", "C", "slash", *"min.val_loss", "enter", "space", "enter")
        await until(pilot, "min val_loss")
        await pilot.press("colon", *"runs max.val_accuracy>0.98", "enter")
        text = await until(pilot, "1 of 36")
        assert "21 calm-toad-21" in text
        assert "0.038" in text
        await pilot.press("escape", "colon", *"sort min.val_loss", "enter")
        await until(pilot, "▲")


async def test_new_best_run_is_told_in_every_row_that_compares_itself_with_it() -> None:
    client = FakeClient(scenes.digits())
    app = make_app(client)
    async with app.run_test(size=(120, 60)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("enter")
        await until(pilot, "Δ BEST")
        world = app.model.world
        old = world.runs[world.best_of["d1g1ts00"] or ""]
        active = next(run for run in world.runs.values() if run.state == "running" and run.best is not None)
        assert old.best is not None
        assert active.token is not None
        client.push(
            HistoryGrew(
                run_id=active.id,
                token=active.token,
                last_seq=99,
                n_points=1,
                last_step=99,
                best=old.best + 0.25,
                latest=old.best + 0.25,
                n_metric_values=1,
                summary={},
                at=scenes.NOW,
            )
        )
        await until(pilot, f"(run {active.number})")
        await pilot.pause()
        lines = text_of(app).splitlines()
        assert " best " in next(line for line in lines if active.name in line)
        assert " -0.25 " in next(line for line in lines if old.name in line)


async def test_the_config_is_copied_as_yaml() -> None:
    app = make_app(FakeClient(scenes.digits()))
    copied: list[str] = []
    app.copy_to_clipboard = copied.append  # type: ignore[method-assign]
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("enter", "ctrl+y")
        await until(pilot, "Copied the config as YAML")
    assert "learning_rate: 0.01" in copied[0]


async def test_waiting_for_the_first_facts_is_counted_in_seconds() -> None:
    class Slow(FakeClient):
        async def snapshot(self) -> Snapshot:
            await gate.wait()
            return await super().snapshot()

    gate = asyncio.Event()
    app = make_app(Slow(scenes.digits()))
    async with app.run_test(size=(90, 24)) as pilot:
        await until(pilot, "Asking the controller")
        await until(pilot, "everything it knows … 1 s")
        gate.set()
        await until(pilot, "digits-grid")
