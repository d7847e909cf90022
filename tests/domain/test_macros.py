"""Commands become the words W&B's agent would execute."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controller.domain.macros import MacroError, expand, literal_macros, params_yaml_mapping, unknown_macros

CONFIG: dict[str, Any] = {
    "lr": 1e-05,
    "flag": True,
    "off": False,
    "none": None,
    "sizes": [64, 32],
    "text": "two words",
    "nest": {"a": 1, "b": {"c": "x"}},
}


def words(
    *command: str, program: str | None = "train.py", config: dict[str, Any] = CONFIG
) -> tuple[str, ...]:
    return expand(
        command,
        program=program,
        config=config,
        interpreter="/opt/bin/python",
        environment={"HOME": "/home/me", "SNEAKY": "${args_no_hyphens}"},
        json_file="run/config.json",
    )


# Point 12 of the reader's list: argument text is Python's str().
TEXTS = (
    "lr=1e-05",
    "flag=True",
    "off=False",
    "none=None",
    "sizes=[64, 32]",
    "text=two words",
    "nest={'a': 1, 'b': {'c': 'x'}}",
)


@pytest.mark.parametrize(
    ("macro", "prefix"),
    [("args", "--"), ("args_no_hyphens", ""), ("args_append_hydra", "+"), ("args_override_hydra", "++")],
)
def test_argument_macros_print_values_as_python_does(macro: str, prefix: str) -> None:
    assert words(f"${{{macro}}}") == tuple(prefix + text for text in TEXTS)


def test_args_no_boolean_flags_names_true_ones_and_leaves_false_ones_out() -> None:
    expected = ("--lr=1e-05", "--flag", *(f"--{text}" for text in TEXTS[3:]))
    assert words("${args_no_boolean_flags}") == expected


def test_args_no_equals_gives_two_words_each() -> None:
    assert words("${args_no_equals}")[:4] == ("--lr", "1e-05", "--flag", "True")
    assert len(words("${args_no_equals}")) == 2 * len(CONFIG)


def test_args_json_is_one_word_in_the_order_of_the_config() -> None:
    (word,) = words("${args_json}")
    assert list(json.loads(word).items()) == list(CONFIG.items())


def test_default_command_is_the_system_env_interpreter_program_and_arguments() -> None:
    command = ("${env}", "${interpreter}", "${program}", "${args}")
    assert words(*command, config={"a": 1}) == ("/usr/bin/env", "/opt/bin/python", "train.py", "--a=1")


def test_fixed_words_stay_in_place_also_after_the_arguments() -> None:
    assert words("x", "${args}", "a b", config={"k": 0}) == ("x", "--k=0", "a b")


def test_json_file_is_its_path() -> None:
    assert words("x", "${args_json_file}") == ("x", "run/config.json")


def test_envvar_works_anywhere_in_a_word_and_unset_becomes_its_name() -> None:
    assert words("${envvar:HOME}/x-${envvar:NOPE}", "${envvar:HOME}") == ("/home/me/x-NOPE", "/home/me")


def test_envvar_is_replaced_before_macros_are_looked_for() -> None:
    assert words("x", "${envvar:SNEAKY}", config={"a": 1}) == ("x", "a=1")


def test_unknown_macros_that_fill_a_word_vanish_and_others_stay_literal() -> None:
    assert words("x", "${args_with_hyphens}", "pre${args}", "${args}post") == (
        "x",
        "pre${args}",
        "${args}post",
    )
    assert unknown_macros(("x", "${args_with_hyphens}", "${args}", "${envvar:A}", "${envvar:a}")) == (
        "${args_with_hyphens}",
        "${envvar:a}",
    )
    assert literal_macros("pre${args}") == ("${args}",)


@pytest.mark.parametrize(
    ("command", "program", "config"),
    [
        (("${program}",), None, {}),
        (("x", "a\0b"), "p", {}),
        (("x", "${args}"), "p", {"k": "a\0b"}),
        (("${args}",), "p", {}),
    ],
)
def test_words_that_cannot_be_executed_are_refused(
    command: tuple[str, ...], program: str | None, config: dict[str, Any]
) -> None:
    with pytest.raises(MacroError) as refused:
        words(*command, program=program, config=config)
    assert refused.value.hint


# Point 14 of the reader's list: the file for `wandb.config`.
def test_parameter_file_holds_each_top_name_with_its_value() -> None:
    assert params_yaml_mapping({"b": {"c": 1}, "a": None}) == {
        "wandb_version": 1,
        "b": {"value": {"c": 1}},
        "a": {"value": None},
    }
