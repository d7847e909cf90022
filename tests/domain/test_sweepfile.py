"""The seventeen points of the design's list of what a reader must survive, and what goes beyond W&B.

The points about parameters are in `test_parameters.py`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.domain.parameters import Distribution
from controller.domain.problems import Problem, Severity, describe
from controller.domain.sweepfile import read, read_mapping
from controller.domain.sweeps import EarlyTermination, Goal, Method, Metric, Retry
from tests.domain.sweeptext import only, sweep

DATA = Path(__file__).parent / "data"


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


def test_all_problems_are_reported_in_order() -> None:
    reading = read(sweep("  a: 3\n  b: {min: 1e-4, max: 1e-2}\n  c: {value: 1}", more="colour: red"))
    assert [problem.line for problem in reading.problems] == [4, 5, 5, 7]
    assert reading.config is None


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
