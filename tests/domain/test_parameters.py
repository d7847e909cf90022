"""Parameters of a sweep file; the numbers are the points of the list in `test_sweepfile.py`."""

from __future__ import annotations

import pytest

from controller.domain.parameters import Distribution
from controller.domain.problems import Severity
from controller.domain.sweepfile import read, read_parameters
from tests.domain.sweeptext import config, only, sweep


# 1
def test_exponents_without_a_dot_stay_text_with_the_fix() -> None:
    reading = read(sweep("  lr:\n    values: [1e-4, 1.0e-3, '1e-2', 2e5]"))
    assert reading.config is not None
    assert reading.config.parameters[0].values == ("1e-4", 0.001, "1e-2", "2e5")
    problem = only(reading)
    assert (problem.severity, problem.line, problem.column) == (Severity.WARNING, 5, 14)
    assert problem.hint == "write 1.0e-4, 2.0e+5 for numbers"


# 2
def test_text_in_a_bound_is_an_error_with_line_parameter_and_fix() -> None:
    problem = only(read(sweep("  lr:\n    min: 1e-4\n    max: 0.1")))
    assert (problem.severity, problem.line, problem.column) == (Severity.ERROR, 5, 10)
    assert problem.key == "parameters.lr.min"
    assert problem.hint == "write 1.0e-4"


# 3
def test_kinds_are_inferred_from_types_without_coercion() -> None:
    space = config(
        sweep("  a: {min: 0, max: 1}\n  b: {min: 0, max: 1.0}\n  c: {values: [true, 'True', 1]}")
    ).parameters
    assert [each.distribution for each in space[:2]] == [Distribution.INT_UNIFORM, Distribution.UNIFORM]
    assert [type(value) for value in space[2].values] == [bool, str, int]


# 4
@pytest.mark.parametrize(("low", "high"), [("1.0e-5", "0.1"), ("0", "0.5"), ("16", "256")])
def test_log_uniform_bounds_that_look_like_limits_warn_also_in_groups(low: str, high: str) -> None:
    text = f"  g:\n    parameters:\n      lr: {{distribution: log_uniform, min: {low}, max: {high}}}"
    problem = only(read(sweep(text)))
    assert problem.severity is Severity.WARNING
    assert "look like limits" in problem.message
    assert "log_uniform_values" in problem.hint


def test_log_uniform_with_exponents_says_what_they_mean() -> None:
    problem = only(read(sweep("  lr: {distribution: log_uniform, min: -11.5, max: -2.3}")))
    assert "1.01301e-05 to 0.100259" in problem.message
    assert "look like" not in problem.message


# 5
@pytest.mark.parametrize("name", ["+seed", "a/b", "list[0]", "'a:b'"])
def test_odd_names_run_with_a_warning(name: str) -> None:
    reading = read(sweep(f"  {name}: {{value: 1}}"))
    assert only(reading).severity is Severity.WARNING
    assert reading.config is not None
    assert reading.config.parameters[0].path == (name.strip("'"),)


# 8
@pytest.mark.parametrize(
    ("parameters", "line", "words"),
    [
        ("", 3, "mapping of at least one name"),
        ("  - a", 4, "not a list"),
        ("  a: 3", 4, "the number 3"),
        ("  a: [1, 2]", 4, "a list"),
        ("  a:", 4, "null"),
        ("  a: {}", 4, "says nothing"),
        ("  a: {values: 10}", 4, "values must be a list"),
        ("  a: {values: {x: 1}}", 4, "values must be a list"),
        ("  a: {values: []}", 4, "empty list"),
        ("  a: {min: 1}", 4, "min but no max"),
        ("  a: {min: 2, max: 2}", 4, "not less than"),
        ("  a: {min: 3, max: 2}", 4, "not less than"),
        ("  a: {min: true, max: 2.0}", 4, "boolean"),
        ("  a: {value: 1, min: 2}", 4, "'min' is no key of constant"),
        ("  a: {distribution: lognormal}", 4, "no known distribution"),
        ("  a: {distribution: log_uniform_values, min: 0, max: 1}", 4, "above 0"),
        ("  a: {distribution: int_uniform, min: 0, max: 1.5}", 4, "whole numbers"),
        ("  a: {distribution: normal, min: 0}", 4, "'min' is no key of normal"),
        ("  a: {distribution: log_normal, mu: 710}", 4, "out of range"),
        ("  a: {min: -9000000000000000000, max: 9000000000000000000}", 4, "more than 2^62 steps"),
        ("  a: {distribution: q_uniform, min: 0, max: 1.0e+300}", 4, "more than 2^62 steps"),
        ("  a: {values: [1, 2], probabilities: [1]}", 4, "2 values but 1"),
        ("  a:\n    values: [1]\n    b:\n      values: [2]", 6, "'b' is no key"),
        ("  a:\n    lr: {value: 1}", 5, "no key of a parameter"),
        ("  a: {parameters: {}}", 4, "at least one name"),
        ("  a: {parameters: {b: {value: 1}}, value: 2}", 4, "beside `parameters`"),
    ],
)
def test_parameters_that_cannot_run_are_errors_with_their_place(
    parameters: str, line: int, words: str
) -> None:
    problem = only(read(sweep(parameters)))
    assert (problem.severity, problem.line) == (Severity.ERROR, line)
    assert words in problem.message


# 9
def test_grid_with_a_float_range_is_refused_and_integers_are_not() -> None:
    problem = only(read(sweep("  a: {min: 0, max: 3}\n  b: {min: 0.0, max: 1.0}", method="grid")))
    assert (problem.severity, problem.line) == (Severity.ERROR, 5)
    assert "uniform" in problem.message
    fine = "  a: {min: 0, max: 3}\n  b: {distribution: q_uniform, min: 0, max: 1, q: 0.25}"
    assert read(sweep(fine, method="grid")).problems == ()


def test_duplicate_values_warn_at_the_second_one() -> None:
    problem = only(read(sweep("  a: {values: [1, true, 2, 1.0]}", method="grid")))
    assert (problem.severity, problem.line, problem.column) == (Severity.WARNING, 4, 28)


# 11
def test_nested_parameters_keep_their_groups_and_are_sorted_at_each_level() -> None:
    text = (
        "  z: {value: 1}\n  opt:\n    parameters:\n      lr: {value: 2}\n      b:\n        parameters: {c: "
    )
    space = config(sweep(text + "{value: 3}}\n  a.b: {value: 4}")).parameters
    assert [each.path for each in space] == [("a.b",), ("opt", "b", "c"), ("opt", "lr"), ("z",)]


@pytest.mark.parametrize(
    ("form", "distribution", "numbers"),
    [
        ("distribution: q_uniform, min: 0, max: 1", "q_uniform", {"min": 0, "max": 1, "q": 1.0}),
        ("distribution: q_log_uniform_values, min: 1, max: 64, q: 8", "q_log_uniform_values", {"q": 8}),
        ("distribution: inv_log_uniform_values, min: 1, max: 64", "inv_log_uniform_values", {"min": 1}),
        ("distribution: normal", "normal", {"mu": 0.0, "sigma": 1.0}),
        ("distribution: q_normal, mu: 3, sigma: 2", "q_normal", {"mu": 3.0, "sigma": 2.0, "q": 1.0}),
        ("distribution: log_normal, mu: -2.5", "log_normal", {"mu": -2.5}),
        ("distribution: q_log_normal, q: 2", "q_log_normal", {"q": 2}),
        ("distribution: beta, a: 2, b: 3", "beta", {"a": 2.0, "b": 3.0}),
        ("distribution: q_beta, q: 0.1", "q_beta", {"q": 0.1, "a": 1.0}),
        (
            "values: [a, b], probabilities: [0.25, 0.75]",
            "categorical_w_probabilities",
            {"probabilities": (0.25, 0.75)},
        ),
    ],
)
def test_every_distribution_is_read_with_its_defaults(
    form: str, distribution: str, numbers: dict[str, object]
) -> None:
    reading = read(sweep(f"  x: {{{form}}}"))
    assert reading.problems == ()
    assert reading.config is not None
    parameter = reading.config.parameters[0]
    assert parameter.distribution == distribution
    assert {name: getattr(parameter, name) for name in numbers} == numbers


def test_conditions_name_other_parameters_by_dotted_path_or_sibling() -> None:
    space, problems = read_parameters(
        {
            "opt": {
                "parameters": {
                    "kind": {"values": ["adam", "sgd"]},
                    "mom": {"min": 0.0, "max": 1.0, "when": {"kind": "sgd"}},
                }
            },
            "beta": {"min": 0.0, "max": 1.0, "when": {"opt.kind": ["adam"]}},
        }
    )
    assert problems == ()
    assert {each.name: each.when for each in space} == {
        "beta": ((("opt", "kind"), ("adam",)),),
        "opt.kind": (),
        "opt.mom": ((("opt", "kind"), ("sgd",)),),
    }


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ({"kid": 1}, "no other parameter"),
        ({"x": 1}, "no other parameter"),
        ({"f": 1}, "list of values"),
        (3, "mapping"),
    ],
)
def test_conditions_that_cannot_hold_are_errors(when: object, words: str) -> None:
    _, problems = read_parameters(
        {"kind": {"values": [1, 2]}, "f": {"min": 0.0, "max": 1.0}, "x": {"value": 1, "when": when}}
    )
    assert [problem.severity for problem in problems] == [Severity.ERROR]
    assert words in problems[0].message


def test_conditions_in_a_circle_are_an_error() -> None:
    _, problems = read_parameters(
        {"a": {"values": [1, 2], "when": {"b": 1}}, "b": {"values": [1, 2], "when": {"a": 1}}}
    )
    assert "back to itself" in problems[0].message
