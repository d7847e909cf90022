"""Whatever a program can say comes back bit-equal, or is refused alone and clearly (D11)."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import pytest

from controller.domain.changes import NoteAdded, RunAdded, SweepAdded
from controller.domain.queries import GetHistory, GetLog, GetNotes, History, Log, Notes
from controller.domain.runs import Point
from controller.store import Store, StoreError
from tests.store.scene import Scene, a_run, a_scene, a_sweep, console, points

ODD = {
    "nan": math.nan,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "minus zero": -0.0,
    "subnormal": 5e-324,
    "third": 1 / 3,
    "huge float": 1.7976931348623157e308,
    "two to 53 plus one": 2**53 + 1,
    "two to 63": 2**63,
    "below two to 63": -(2**63) - 1,
    "googol to four": 10**400,
    "true": True,
    "one": 1,
    "one point": 1.0,
    "zero": 0,
    "none": None,
    "null text": "null",
    "surrogate": "\ud800 and \udfff",
    "nul": "a\0b",
    "emoji": "\U0001f600",
    "separator": "\u2028",
    "deep": {"a": {"b": [1, [2, {"c": math.nan}], None, True]}},
    "empty": {},
    "odd keys": {"": 1, "a.b": 2, '"': 3, "\ud800": 4, "\0": 5},
    "long key": {"k" * 1_000_000: 1},
    "many keys": {f"k{n}": n / 7 for n in range(10_000)},
}


def bits(value: Any) -> Any:
    """Return a value in which equality means the same type and the same bits."""
    match value:
        case float():
            return "nan" if math.isnan(value) else struct.pack("d", value)
        case dict():
            return {key: bits(item) for key, item in value.items()}
        case list():
            return [bits(item) for item in value]
    return type(value), value


@pytest.mark.parametrize("name", ODD)
def test_a_logged_value_comes_back_bit_equal(store: Store, name: str) -> None:
    scene = a_scene()
    scene.tell(records=[points(1, Point(1, 1, 0.5, {"value": ODD[name], "loss": 1.5}))])
    store.commit(scene.delta()).result()
    answer = store.ask(GetHistory(run_id="run00001"))
    assert isinstance(answer, History)
    assert bits(answer.points[0].values) == bits({"value": ODD[name], "loss": 1.5})


@pytest.mark.parametrize("name", ODD)
def test_a_config_value_comes_back_bit_equal(store: Store, name: str) -> None:
    scene = Scene()
    scene.tell(SweepAdded(sweep=a_sweep()), RunAdded(run=a_run(config={"value": ODD[name]})))
    store.commit(scene.delta()).result()
    assert bits(store.load().runs[0].config) == bits({"value": ODD[name]})


@pytest.mark.parametrize("text", ["", "a\0b", "\ud83d", "\udc80\udcff", "\x1b[31m", "é\u2028", "x" * 65_536])
def test_a_text_comes_back_as_it_was(store: Store, text: str) -> None:
    scene = a_scene()
    scene.tell(NoteAdded(at=1.0, actor=text, text=text), records=[console(1, 0, text, text)])
    store.commit(scene.delta()).result()
    log, notes = store.ask(GetLog(run_id="run00001")), store.ask(GetNotes())
    assert isinstance(log, Log)
    assert isinstance(notes, Notes)
    assert log.lines == (text, text)
    assert (notes.notes[0].actor, notes.notes[0].text) == (text, text)


def test_names_with_surrogates_come_back(store: Store) -> None:
    scene = Scene()
    scene.tell(
        SweepAdded(sweep=a_sweep(name="\ud800", source="\udfff")), RunAdded(run=a_run(name="\ud800\0"))
    )
    store.commit(scene.delta()).result()
    facts = store.load()
    assert (facts.sweeps[0].name, facts.sweeps[0].source) == ("\ud800", "\udfff")
    assert facts.runs[0].name == "\ud800\0"


@pytest.mark.parametrize("at", [math.nan, math.inf, -1.0])
def test_a_moment_comes_back_when_the_clock_was_mad(store: Store, at: float) -> None:
    scene = a_scene()
    scene.tell(records=[points(1, Point(1, 1, at, {}))])
    store.commit(scene.delta()).result()
    answer = store.ask(GetHistory(run_id="run00001"))
    assert isinstance(answer, History)
    assert bits(answer.points[0].at) == bits(at)


@pytest.mark.parametrize(
    "bad",
    [
        Point(1, 2**63, 0.0, {}),
        Point(1, -(10**30), 0.0, {}),
        Point(1, 1, 0.0, {"x": object()}),
        Point(1, 1, 0.0, {"x": 10**5000}),
    ],
)
def test_a_bad_delta_is_refused_alone(store: Store, bad: Point) -> None:
    first, second, third = a_scene(), a_scene(), a_scene()
    first.tell(records=[points(1, Point(1, 1, 0.0, {}))])
    second.tell(records=[points(1, Point(2, 2, 0.0, {}), bad)])
    third.tell(records=[points(1, Point(3, 3, 0.0, {}))])
    futures = [store.commit(scene.delta()) for scene in (first, second, third)]
    assert futures[0].result() is None
    assert type(futures[1].exception()) is StoreError
    assert futures[2].result() is None
    answer = store.ask(GetHistory(run_id="run00001"))
    assert isinstance(answer, History)
    assert [point.seq for point in answer.points] == [1, 3]


def test_replayed_points_insert_nothing_twice(store: Store, path: Path) -> None:
    for value in (1.0, 1.0, 2.0):
        scene = a_scene()
        scene.tell(records=[points(1, *(Point(n, n, 0.0, {"loss": value}) for n in range(1, 50)))])
        store.commit(scene.delta()).result()
    answer = store.ask(GetHistory(run_id="run00001"))
    assert isinstance(answer, History)
    assert [(point.seq, point.values) for point in answer.points] == [
        (n, {"loss": 1.0}) for n in range(1, 50)
    ]
