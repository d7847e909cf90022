"""The seventeen points of the design's list of what a reader must survive, and what goes beyond W&B."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.domain.parameters import Distribution
from controller.domain.problems import Problem, Severity, describe
from controller.domain.sweepfile import Reading, read, read_mapping, read_parameters
from controller.domain.sweeps import EarlyTermination, Goal, Method, Metric, Retry, SweepConfig

DATA = Path(__file__).parent / "data"


def sweep(parameters: str, *, method: str = "random", more: str = "") -> str:
    """Return a sweep file whose parameters begin on line 4."""
    return f"method: {method}\nprogram: train.py\nparameters:\n{parameters}\n{more}"


def config(source: str) -> SweepConfig:
    reading = read(source)
    assert reading.config is not None, reading.problems
    return reading.config


def only(reading: Reading) -> Problem:
    assert len(reading.problems) == 1, reading.problems
    return reading.problems[0]


def test_everyday_file_is_read_whole_and_without_a_problem() -> None:
    reading = read((DATA / "everyday.yaml").read_bytes())
    assert reading.problems == ()
    assert reading.config is not None
    assert reading.config.method is Method.BAYES
    assert reading.config.metric == Metric(name="val/loss")
    assert reading.config.early_terminate == EarlyTermination(min_iter=3)
    assert reading.config.command == (
        "${env}", "python3", "${program}", "--workers", "4", "${args}", "last word",
    )  # fmt: skip
    assert [(each.name, each.distribution) for each in reading.config.parameters] == [
        ("depth", Distribution.INT_UNIFORM),
        ("dropout", Distribution.UNIFORM),
        ("lr", Distribution.LOG_UNIFORM_VALUES),
        ("optimizer", Distribution.CATEGORICAL),
        ("seed", Distribution.CONSTANT),
    ]


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


# 6
def test_unknown_top_level_keys_warn_with_the_nearest_key() -> None:
    problem = only(read(sweep("  a: {value: 1}", more="run_capp: 5")))
    assert (problem.severity, problem.line, problem.column) == (Severity.WARNING, 5, 1)
    assert problem.hint == "did you mean run_cap?"


# 7
@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("metric:\n  name: a\n  method: grid\nparameters: {a: {value: 1}}", 3, "inside metric"),
        ("parameters: {a: {value: 1}}", 1, "method is missing"),
        ("parameters: {a: {value: 1}}\nmethod: ax", 2, "not the text 'ax'"),
        ("parameters: {a: {value: 1}}\nmethod: Bayes", 2, "not the text 'Bayes'"),
    ],
)
def test_method_misplaced_missing_or_unknown_is_an_error_with_its_place(
    text: str, line: int, words: str
) -> None:
    problem = only(read("program: a.py\n" + text if line == 1 else text + "\nprogram: a.py"))
    assert (problem.severity, problem.line) == (Severity.ERROR, line)
    assert words in problem.message


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


def test_all_problems_are_reported_in_order() -> None:
    reading = read(sweep("  a: 3\n  b: {min: 1e-4, max: 1e-2}\n  c: {value: 1}", more="colour: red"))
    assert [problem.line for problem in reading.problems] == [4, 5, 5, 7]
    assert reading.config is None


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


# 10
@pytest.mark.parametrize(
    ("rule", "expected", "n_warnings"),
    [
        ("min_iter: 3", EarlyTermination(min_iter=3), 0),
        ("min_iter: 3, eta: 1.5", EarlyTermination(min_iter=3, eta=1.5), 0),
        ("max_iter: 27, s: 2", EarlyTermination(max_iter=27, s=2.0), 0),
        ("max_iter: 27, s: 2, min_iter: 3", EarlyTermination(max_iter=27, s=2.0), 1),
        ("max_iter: 27, min_iter: 3", EarlyTermination(min_iter=3), 1),
        ("min_iter: 3, s: 2", EarlyTermination(min_iter=3), 1),
        (
            "min_iter: 3, strict: true, on_nan: stop",
            EarlyTermination(min_iter=3, strict=True, on_nan="stop"),
            0,
        ),
    ],
)
def test_hyperband_forms_are_read_also_in_a_grid(
    rule: str, expected: EarlyTermination, n_warnings: int
) -> None:
    more = f"metric: {{name: loss}}\nearly_terminate: {{type: hyperband, {rule}}}"
    reading = read(sweep("  a: {values: [1]}", method="grid", more=more))
    assert reading.config is not None
    assert reading.config.early_terminate == expected
    assert len(reading.problems) == n_warnings


@pytest.mark.parametrize(
    "rule",
    [
        *("max_iter: 9", "eta: 3", "min_iter: 3, eta: 1", "min_iter: 1e2", "min_iter: 0"),
        *("max_iter: 2, s: 2", "max_iter: 9, s: 0.5"),
    ],
)
def test_hyperband_that_cannot_run_is_an_error(rule: str) -> None:
    more = f"metric: {{name: loss}}\nearly_terminate: {{type: hyperband, {rule}}}"
    problem = only(read(sweep("  a: {values: [1]}", more=more)))
    assert (problem.severity, problem.line) == (Severity.ERROR, 6)


@pytest.mark.parametrize(
    ("method", "more"), [("bayes", ""), ("grid", "early_terminate: {type: hyperband, min_iter: 3}")]
)
def test_bayes_and_early_termination_need_a_metric(method: str, more: str) -> None:
    problem = only(read(sweep("  a: {values: [1]}", method=method, more=more)))
    assert problem.severity is Severity.ERROR
    assert "needs a metric" in problem.message


# 11
def test_nested_parameters_keep_their_groups_and_are_sorted_at_each_level() -> None:
    text = (
        "  z: {value: 1}\n  opt:\n    parameters:\n      lr: {value: 2}\n      b:\n        parameters: {c: "
    )
    space = config(sweep(text + "{value: 3}}\n  a.b: {value: 4}")).parameters
    assert [each.path for each in space] == [("a.b",), ("opt", "b", "c"), ("opt", "lr"), ("z",)]


# 12 and 14 are in test_macros.py
# 13
def test_commands_keep_their_words_and_warn_of_macros_that_vanish_or_stay() -> None:
    more = 'command: [./run.sh, 1, "two words", "${arg}", "--x=${args}", "${envvar:HOME}"]'
    reading = read(sweep("  a: {value: 1}", more=more))
    assert reading.config is not None
    assert reading.config.command == ("./run.sh", "1", "two words", "${arg}", "--x=${args}", "${envvar:HOME}")
    dropped, literal = reading.problems
    assert (dropped.severity, dropped.hint) == (Severity.WARNING, "did you mean ${args}?")
    assert "stays as it is" in literal.message


@pytest.mark.parametrize("command", ["", "command: ['${program}']"])
def test_nothing_to_start_is_a_warning(command: str) -> None:
    reading = read(f"method: random\nparameters: {{a: {{value: 1}}}}\n{command}")
    assert reading.config is not None
    assert "nothing to start" in only(reading).message


# 15
@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("method: grid\nproject: {{ slug }}\nparameters: {a: {value: 1}}\n", 2, 11),
        ("sweep = 1\nx: [1\n", 2, 2),
        ("method: grid\nparameters:\n  a:\n    value: 1\n   b:\n", 5, 4),
    ],
)
def test_text_that_is_no_yaml_is_one_sentence_with_its_place(text: str, line: int, column: int) -> None:
    reading = read(text)
    assert reading.config is None
    errors = [each for each in reading.problems if each.severity is Severity.ERROR]
    assert (errors[0].line, errors[0].column) == (line, column)
    assert "\n" not in describe(errors[0], "a.yaml")


# 16
def test_of_duplicate_keys_the_last_one_counts_and_warns() -> None:
    reading = read(sweep("  a:\n    value: 1\n    value: 2"))
    assert reading.config is not None
    assert reading.config.parameters[0].values == (2,)
    problem = only(reading)
    assert (problem.severity, problem.line, problem.column) == (Severity.WARNING, 6, 5)
    assert "line 5" in problem.message


# 17
def test_carriage_returns_tags_anchors_merges_and_a_leading_marker_are_accepted() -> None:
    text = sweep("  a: &a {distribution: uniform, min: !!float 1e-5, max: 1}\n  ü: {<<: *a, max: 2}")
    reading = read(("---\n" + text).replace("\n", "\r\n").encode())
    assert reading.config is not None
    assert [(each.min, each.max) for each in reading.config.parameters] == [(1e-5, 1), (1e-5, 2)]
    assert [problem.severity for problem in reading.problems] == [Severity.WARNING]


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


def test_a_misspelt_goal_is_read_as_meant_with_a_warning() -> None:
    reading = read(sweep("  a: {value: 1}", more="metric: {name: acc, goal: maximise, target: 0.9}"))
    assert reading.config is not None
    assert reading.config.metric == Metric(name="acc", goal=Goal.MAXIMIZE, target=0.9)
    assert only(reading).severity is Severity.WARNING


def test_keys_beyond_wandb_are_read_without_a_problem() -> None:
    more = (
        "seed: 3\nshuffle: true\nretry: {max: 2, on: [crashed]}\non_lost: fence\n"
        "min_time: 1h30m\ncapture: 'a=(.*)'"
    )
    reading = read(sweep("  a: {value: 1}", more=more))
    assert reading.problems == ()
    assert reading.config is not None
    assert (reading.config.seed, reading.config.shuffle, reading.config.on_lost) == (3, True, "fence")
    assert reading.config.retry == Retry(max=2, on=("crashed",))
    assert (reading.config.min_time_s, reading.config.capture) == (5400.0, ("a=(.*)",))


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


def test_overrides_replace_top_level_keys() -> None:
    reading = read(sweep("  a: {value: 1}"), overrides={"program": "other.py", "name": "night", "run_cap": 4})
    assert reading.config is not None
    assert (reading.config.program, reading.config.name, reading.config.run_cap) == ("other.py", "night", 4)


def test_plain_data_reads_like_the_same_yaml() -> None:
    plain = read_mapping({"method": "grid", "program": "train.py", "parameters": {"a": {"values": [1, 2]}}})
    assert plain == read(sweep("  a: {values: [1, 2]}", method="grid"))


def test_describe_is_one_line_with_place_and_hint() -> None:
    problem = Problem(Severity.ERROR, 4, 9, "lr: min must be a number", "write 1.0e-4")
    assert describe(problem, "sweep.yaml") == "sweep.yaml:4:9: error: lr: min must be a number (write 1.0e-4)"
