from __future__ import annotations

import re
from typing import Any

import pytest
from msgspec.structs import replace

from controller.domain.parameters import MISSING
from tests import scenes
from tui_sweeps.views.filter import (
    SWEEP_FIELDS,
    FilterError,
    choices_of,
    limits_of,
    matches,
    parse,
    run_fields,
    with_choices,
    with_limits,
)
from tui_sweeps.views.filter.subjects import RunSubject


class Thing:
    """A subject of fields only; its texts are its text fields."""

    def __init__(self, **fields: Any) -> None:
        self.fields = fields

    def texts(self) -> list[str]:
        return [value for value in self.fields.values() if isinstance(value, str)]

    def field(self, name: str) -> Any:
        return self.fields.get(name, MISSING)


RUN = Thing(
    name="brave-newt-7",
    state="running",
    lr=5e-4,
    optimizer="adam",
    node="n07",
    val_acc=0.93,
    nan=float("nan"),
    flag=True,
    nothing=None,
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "newt",
        "NEWT adam",
        "state:run",
        "state=running",
        "lr<1e-3",
        "lr<=0.0005",
        "val_acc>=0.9",
        "optimizer=adam|sgd",
        "optimizer=sgd|adam",
        "!node:n08",
        "-node:n08",
        "/brave-.*-\\d/",
        "node:/n0[67]/",
        "sgd | adam",
        "sgd|adam",
        "(sgd | adam) state:running",
        "zebra | newt lr<1",
        "flag=true",
        "flag!=false",
        "missing!=3",
        "nan=nan",
        "nothing=null",
        '"brave-newt"',
        "!(zebra | yak)",
        "optimizer=sgd|state:running",
    ],
)
def test_filter_holds(text: str) -> None:
    assert matches(parse(text), RUN)


@pytest.mark.parametrize(
    "text",
    [
        "zebra",
        "newt sgd",
        "state=run",
        "lr>1e-3",
        "nan>0",
        "nan<=0",
        "missing=3",
        "missing<3",
        "optimizer>3",
        "!newt",
        "/^newt/",
        "zebra | newt lr>1",
        "nothing<1",
    ],
)
def test_filter_does_not_hold(text: str) -> None:
    assert not matches(parse(text), RUN)


@pytest.mark.parametrize(
    ("text", "start", "said"),
    [
        ("lr<abc", 3, "needs a number"),
        ("lr<", 0, "a value is missing"),
        ("<3", 0, "a field is missing"),
        ("(newt", 0, "not closed"),
        ("newt)", 4, "closes nothing"),
        ("newt |", 5, "after this |"),
        ("| newt", 0, "before this |"),
        ("/[/", 0, "not a regular expression"),
        ("/abc", 0, "no second one"),
        ('"abc', 0, "not closed"),
        ("a!b", 1, "stands before a word"),
        ("val_ac>0.5", 0, "did you mean val_acc?"),
        ("(" * 60, 51, "too many ("),
        ("x" * 3000, 2000, "at most"),
    ],
)
def test_filter_mistake_is_said_with_its_place(text: str, start: int, said: str) -> None:
    fields: dict[str, tuple[str, ...]] | None = {"lr": (), "val_acc": ()} if text.startswith("val") else None
    with pytest.raises(FilterError) as error:
        parse(text, fields)
    assert said in str(error.value)
    assert error.value.start == start
    assert error.value.end > start


@pytest.mark.parametrize(
    ("text", "start", "said"),
    [
        ("state:bogus", 6, "state is never 'bogus'; known are pending, running"),
        ("newt state:runing", 11, "did you mean running?"),
        ("state!=finishd", 7, "did you mean finished?"),
        ("state=run", 6, "did you mean running?"),
        ("state:running|crahsed", 14, "did you mean crashed?"),
        ("!state:/^x/", 7, "known are"),
        ("state<3", 6, "state is a word: < says nothing about it"),
        ("is:activ3", 3, "did you mean active?"),
        ("is=silent", 3, "known are active, ended"),
        ("learning_rat<1", 0, "did you mean learning_rate?"),
        ("epoch>3", 0, "there is no field 'epoch'"),
    ],
)
def test_words_that_no_run_can_fulfil_are_mistakes_with_a_suggestion(
    text: str, start: int, said: str
) -> None:
    with pytest.raises(FilterError, match=re.escape(said)) as error:
        parse(text, run_fields(scenes.digits_sweep(), ()))
    assert error.value.start == start


@pytest.mark.parametrize(
    "text", ["state:run", "state:e", "state:RUNNING", "is:end", "state:/^(run|fin)/", "val_accuracy>0.9"]
)
def test_words_that_some_run_can_fulfil_pass(text: str) -> None:
    parse(text, run_fields(scenes.digits_sweep(), ()))


def test_sweeps_have_their_own_states_and_methods() -> None:
    parse("state:paused method=bayes|grid", SWEEP_FIELDS)
    with pytest.raises(FilterError, match="method is never 'baysian'; did you mean bayes"):
        parse("method:baysian", SWEEP_FIELDS)


def test_what_a_run_is_can_be_several_things_at_once() -> None:
    run = Thing(**{"is": ("active", "stopping")})
    assert matches(parse("is=active is:stop !is:queued is!=ended"), run)
    assert not matches(parse("is!=active"), run)


def test_bars_without_spaces_bind_tighter_than_spaces() -> None:
    assert not matches(parse("newt sgd|zebra"), RUN)
    assert matches(parse("newt sgd|adam"), RUN)


def test_limits_become_part_of_the_text_and_are_found_again() -> None:
    text = with_limits("state:running", "lr", 1e-4, None)
    assert text == "state:running lr>=0.0001"
    text = with_limits(text, "lr", 1e-4, 0.01)
    assert text == "state:running lr>=0.0001 lr<=0.01"
    assert limits_of(text, "lr") == (1e-4, 0.01)
    assert with_limits(text, "lr", None, None) == "state:running"


def test_limits_leave_other_fields_and_odd_names_alone() -> None:
    text = with_limits("xlr>=3 lr>=1", "lr", 2.0, None)
    assert text == "xlr>=3 lr>=2"
    odd = with_limits("", "my lr", 1.0, 2.0)
    assert odd == '"my lr">=1 "my lr"<=2'
    assert limits_of(odd, "my lr") == (1.0, 2.0)
    assert with_limits(odd, "my lr", None, 3.0) == '"my lr"<=3'


@pytest.mark.parametrize("text", ["newt | zebra", "(newt | lr>=9)", "/brave newt|x/ | newt", '"a b" | newt'])
def test_limits_hold_for_every_alternative_of_the_filter(text: str) -> None:
    limited = with_limits(text, "lr", 1.0, None)
    assert matches(parse(text), RUN)
    assert not matches(parse(limited), RUN)
    assert matches(parse(with_limits(limited, "lr", None, None)), RUN)
    assert limits_of(limited, "lr") == (1.0, None)


def test_typed_limits_are_the_brush_too() -> None:
    assert limits_of("lr<1e-3 lr>1e-5", "lr") == (1e-5, 1e-3)
    assert with_limits("lr<1e-3 newt", "lr", None, 1e-4) == "newt lr<=0.0001"


def test_choices_become_part_of_the_text_and_are_found_again() -> None:
    values = ["adam", "sgd", 0.1, True, None, 'a "quoted" one', "\x1b[31m/red", ""]
    for chosen in ([0, 1], [2], [3, 4], [5], [6], [7]):
        text = with_choices("newt", "o", [values[at] for at in chosen])
        assert text.isprintable()
        assert choices_of(text, "o", values) == tuple(chosen)
        assert with_choices(text, "o", None) == "newt"
    assert choices_of("newt o!=adam", "o", values) is None


def test_tags_are_found_by_word_and_by_field() -> None:
    (run, *_) = scenes.digits().facts.runs
    fields = run_fields(scenes.digits_sweep(), ())
    subject = RunSubject(replace(run, tags=("base", "ab-late")), {})
    for text in ("ab-la", "tag:base", "tag=ab-late", "tag:late", "!tag:gone", "/^base$/"):
        assert matches(parse(text, fields), subject), text
    for text in ("tag=late", "tag:gone", "!tag=base"):
        assert not matches(parse(text, fields), subject), text
