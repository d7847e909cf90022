"""What a program reports about itself and its host, on the Run screen."""

from __future__ import annotations

import math

from msgspec.structs import replace
from rich.text import Text

from controller.domain.queries import GetCurves
from controller.domain.runs import Run
from tests import scenes
from tests.dashboard.screen import make_app, text_of, until
from tests.fake_client import FakeClient
from tui_sweeps.screens.curve import CurveView
from tui_sweeps.views.run import own_config_lines, system_line

RUN = Run(id="r", sweep_id="s", number=1, name="n", config={"x": 1}, suggestion=0)


def load_of(**system: object) -> list[str]:
    values = {name.replace("__", "."): value for name, value in system.items()}
    return [cell.text for cell in system_line(replace(RUN, system=values))]


def test_run_that_reported_no_load_shows_none() -> None:
    assert system_line(RUN) == ()
    assert own_config_lines(RUN) == []


def test_load_is_processor_memory_and_each_gpu() -> None:
    assert load_of(
        cpu=20.5,
        memory_percent=41.2,
        proc__memory__rssMB=512.4,
        gpu__0__gpu=99,
        gpu__0__memoryAllocated=40.0,
        gpu__1__gpu=0,
        disk=3,
    ) == ["cpu 20%", "memory 41%", "process 512 MB", "gpu 0 99%, memory 40%", "gpu 1 0%"]


def test_memory_is_read_under_its_older_name_too() -> None:
    assert load_of(memory=7.0) == ["memory 7%"]


def test_many_gpus_are_counted_after_the_first_four() -> None:
    parts = load_of(**{f"gpu__{n}__gpu": n for n in range(12)})
    assert parts == ["gpu 0 0%", "gpu 1 1%", "gpu 2 2%", "gpu 3 3%", "and 8 more GPUs"]


def test_load_that_is_no_number_is_not_shown() -> None:
    assert load_of(cpu="\x1b[2J", memory=math.nan, proc__memory__rssMB=math.inf) == []
    assert load_of(cpu=True, memory=10**400, gpu__0__gpu=None) == []
    assert load_of(**{"gpu__\x1b[2J__gpu": 1.0}) == []


def test_own_config_is_flat_and_harmless() -> None:
    run = replace(RUN, own_config={"epochs": 4, "data": {"\x1b[2Jset": "a\x07b"}})
    lines = own_config_lines(run)
    assert [cell.text.strip() for cell in lines[0]] == ["epochs", "4"]
    assert not any("\x1b" in cell.text for line in lines for cell in line)
    assert "\x07" not in lines[1][1].text


async def test_marked_runs_and_several_metrics_are_drawn_in_one_chart() -> None:
    client = FakeClient(scenes.digits())
    async with make_app(client).run_test(size=(170, 36), notifications=True) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("enter", "space", "space", "enter")
        await until(pilot, "a 34 fond-lark-34")
        await until(pilot, "c 35 glad-otter-35")
        await pilot.press("M", "down", "space", "enter")
        text = await until(pilot, "f 35 val_loss")
        assert "val_accuracy, val_loss" in text
        await pilot.press("c")
        text = await until(pilot, "b val_loss")
        assert "35 val_loss" not in text
        await pilot.press("escape", "escape", "enter", "escape", "end", "enter")
        await pilot.press("m")
        await until(pilot, "a epoch")
        await pilot.press("c")
        await until(pilot, "b 21 calm-toad-21")
    asked = {(one.key, one.run_ids) for one in client.asked if isinstance(one, GetCurves)}
    assert ("val_loss", ("r0000034", "r0000036", "r0000035")) in asked


async def test_drawing_that_was_overtaken_by_a_later_one_is_not_shown() -> None:
    async with make_app(FakeClient(scenes.digits())).run_test(size=(120, 30)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("enter", "enter")
        await until(pilot, "a val_accuracy")
        chart = pilot.app.screen.query_one(CurveView)
        chart._show(Text("overtaken"), chart._n_asked - 1)
        await pilot.pause()
        assert "overtaken" not in text_of(pilot.app)
        chart._show(Text("the latest"), chart._n_asked)
        await until(pilot, "the latest")
