"""The importance of parameters: what is asked, when, and what is shown meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from controller.domain.changes import RunStateSet
from controller.domain.queries import Answer, GetImportance, ImportanceTable, Query
from controller.domain.states import RunState
from tests import plot_scenes, scenes
from tests.dashboard.screen import make_app, until
from tests.fake_client import FakeClient


async def test_importance_asks_again_for_another_metric_and_when_told() -> None:
    client = FakeClient(plot_scenes.tuned())
    async with make_app(client).run_test(size=(100, 30), notifications=True) as pilot:
        await until(pilot, "tune-augmented")
        await pilot.press("enter", "3")
        await until(pilot, "What drives the best val_accuracy, from 33 runs")
        client.push(RunStateSet(run_id="t0000240", state=RunState.FINISHED, at=scenes.NOW))
        await until(pilot, "1 more run ended since")
        await pilot.press("c")
        await pilot.press("v", "v", "m", "v")
        await until(pilot, "only the last value")
    asked = [query for query in client.asked if isinstance(query, GetImportance)]
    assert [(query.metric, query.of) for query in asked] == [
        ("", "best"),
        ("", "best"),
        ("val_loss", "last"),
        ("val_loss", "min"),
        ("accuracy", "last"),
    ]


async def test_importance_names_the_question_at_once_and_remembers_the_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = FakeClient(plot_scenes.tuned())
    answer, gate = client.ask, asyncio.Event()

    async def slow(query: Query) -> Answer:
        if isinstance(query, GetImportance) and query.of == "min":
            await gate.wait()
        return await answer(query)

    monkeypatch.setattr(client, "ask", slow)
    async with make_app(client).run_test(size=(100, 30)) as pilot:
        await until(pilot, "tune-augmented")
        await pilot.press("enter", "3")
        await until(pilot, "What drives the best val_accuracy, from 33 runs")
        await pilot.press("v")
        await until(pilot, "What drives the last val_loss, from 33 runs")
        await pilot.press("v")
        text = await until(pilot, "What drives the min val_loss")
        assert "computing" in text
        assert "from 33 runs" not in text
        await pilot.press("v")
        await until(pilot, "What drives the max val_loss, from 33 runs")
        n_asked = len(client.asked)
        await pilot.press("v", "v")
        assert "computing" not in await until(pilot, "What drives the last val_loss, from 33 runs")
        assert len(client.asked) == n_asked
        await pilot.press("v")
        await until(pilot, "What drives the min val_loss")
        gate.set()
        assert "computing" not in await until(pilot, "What drives the min val_loss, from 33 runs")


async def test_importance_says_when_there_is_nothing_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient(plot_scenes.tuned(5))
    note = "too few runs have a value: 5, and 10 are needed"

    async def ask(query: object) -> ImportanceTable:
        return ImportanceTable(metric="val_loss", n_runs=5, parameters=(), note=note)

    monkeypatch.setattr(client, "ask", ask)
    async with make_app(client).run_test(size=(80, 24)) as pilot:
        await until(pilot, "tune-augmented")
        await pilot.press("enter", "3")
        await until(pilot, note)
