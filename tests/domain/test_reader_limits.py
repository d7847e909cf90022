"""The reader survives whatever is called a sweep file: bombs, brackets, bytes and random text."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.domain.sweepfile import Severity, read, read_mapping
from controller.domain.sweepfile.items import MAX_DEPTH
from controller.domain.sweepfile.text import MAX_BYTES

HEAD = "method: random\nprogram: a.py\nparameters:\n  x:\n    value: "


def alias_bomb(n_levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, n_levels)]
    return "\n".join(lines)


def merge_bomb(n_levels: int) -> str:
    lines = ["m0: &m0 {k: 1}"]
    lines += [f"m{i}: &m{i} {{<<: [*m{i - 1}, *m{i - 1}]}}" for i in range(1, n_levels)]
    return "\n".join(lines)


BOMBS = {
    "brackets": ("[" * 5000, "deeper than"),
    "braces": ("{a: " * 5000, "deeper than"),
    "dashes": ("- " * 5000, "deeper than"),
    "closed brackets": (HEAD + "[" * 5000 + "]" * 5000, "deeper than"),
    "aliases": (alias_bomb(9), "aliases expand"),
    "aliases without end": (alias_bomb(2000), "aliases"),
    "merges": (merge_bomb(60), "aliases expand"),
    "itself": (HEAD + "&a [*a]", "aliases expand"),
    "many values": (HEAD + "[" + "1, " * 120_000 + "]", "more than 100,000"),
    "large": ("# " + "x" * MAX_BYTES, "larger than"),
    "second document": (HEAD + "1\n---\nmethod: grid\n", "second YAML document"),
    "empty": ("", "empty"),
    "only a comment": ("# nothing\n", "empty"),
    "null": ("---\n", "mapping"),
    "list": ("- a\n- b\n", "mapping, not a list"),
    "text": ("hello", "mapping, not the text"),
    "nul": (b"method: grid\n\0", "U+0000"),
    "latin": ("name: caf\xe9\n".encode("latin-1"), "not UTF-8 text"),
    "half utf-16": (b"\xff\xfea", "not UTF-16-LE text"),
    "tab": ("method: grid\nparameters:\n\tx: 1\n", "not YAML"),
    "template": ("project: {{ slug }}\nmethod: grid\n", "mapping cannot be a key"),
    "jinja": ("{% if x %}\nmethod: grid\n", "not YAML"),
    "python": ("sweep = {\n  'method': 'grid',\n}\nimport wandb\n", "not YAML"),
    "unknown alias": (HEAD + "*nowhere", "not YAML"),
    "python tag": (HEAD + "!!python/object/apply:os.system [ls]", "not allowed"),
    "bad int": (HEAD + "!!int x", "cannot be read as"),
    "empty int": (HEAD + "!!int ''", "cannot be read as"),
    "bad date": (HEAD + "2020-13-45", "cannot be read as"),
    "long int": (HEAD + "9" * 5000, "cannot be read as"),
    "wide int": (HEAD + "9" * 30, "64 bits"),
    "binary": (HEAD + "!!binary aGVsbG8=", "binary"),
    "escaped nul": (HEAD + '"a\\0b"', "no program can be given"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_reader_refuses_with_one_placed_sentence(name: str) -> None:
    source, words = BOMBS[name]
    reading = read(source)
    assert reading.config is None
    errors = [problem for problem in reading.problems if problem.severity is Severity.ERROR]
    assert any(words in problem.message for problem in errors), errors
    assert all(problem.line >= 1 and problem.column >= 1 for problem in errors)


def test_nesting_is_accepted_up_to_the_limit() -> None:
    # The mapping, `parameters` and `x` are three levels themselves.
    room = MAX_DEPTH - 3
    assert read(HEAD + "[" * room + "]" * room).config is not None
    assert read(HEAD + "[" * (room + 1) + "]" * (room + 1)).config is None


def test_long_chains_of_conditions_and_long_numbers_cost_no_more_than_their_length() -> None:
    chain = "".join(f"\n  k{i}: {{value: 1, when: {{k{i - 1}: 1}}}}" for i in range(1, 2000))
    assert read(f"method: random\nprogram: a\nparameters:\n  k0: {{value: 1}}{chain}").problems == ()
    assert read(HEAD + "1" + ":11" * 300_000).config is None


def test_plain_data_deeper_than_the_limit_is_refused() -> None:
    value: list[object] = []
    for _ in range(3000):
        value = [value]
    assert read_mapping({"method": "grid", "parameters": {"x": {"value": value}}}).config is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_with_a_mark_are_read(encoding: str) -> None:
    config = read((HEAD + "größe\n").replace("\n", "\r\n").encode(encoding)).config
    assert config is not None
    assert config.parameters[0].values == ("größe",)


_PIECES = st.sampled_from(
    [
        "method: grid\n",
        "parameters:\n",
        "  x:\n",
        "    values: [1e-4, 2]\n",
        "    min: 0\n",
        "  - ",
        "*a",
        "&a ",
        "<<: ",
        "${args}",
        "{{",
        "}}",
        "!!int ",
        "\t",
        "\r\n",
        "---\n",
        "'",
        '"',
        "? ",
        "| ",
        "> ",
        "1:30",
        ".inf",
        "early_terminate: ",
        "metric: ",
        "command: [",
        "when: {x: 1}\n",
        "\ufeff",
        "�",
        "~",
        "#",
        "%YAML 1.1\n",
    ]
)


@settings(max_examples=200, deadline=2000)
@given(st.one_of(st.text(max_size=200), st.binary(max_size=200), st.lists(_PIECES, max_size=30).map("".join)))
def test_read_never_raises_and_has_a_config_exactly_without_errors(source: str | bytes) -> None:
    reading = read(source)
    has_error = any(problem.severity is Severity.ERROR for problem in reading.problems)
    assert (reading.config is None) == has_error


_WORDS = st.sampled_from(
    [
        "method",
        "grid",
        "bayes",
        "random",
        "parameters",
        "value",
        "values",
        "min",
        "max",
        "q",
        "distribution",
        "uniform",
        "log_uniform",
        "q_beta",
        "when",
        "metric",
        "name",
        "early_terminate",
        "type",
        "hyperband",
        "s",
        "min_iter",
        "max_iter",
        "command",
        "${args}",
        "retry",
        "capture",
        "min_time",
        "1e-4",
        "run_cap",
        "mu",
        "a",
    ]
)
_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _WORDS, st.text(max_size=5))
_TREES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_WORDS, inner, max_size=6)),
    max_leaves=25,
)


@settings(max_examples=200, deadline=2000)
@given(
    st.fixed_dictionaries(
        {"method": _SCALARS, "parameters": st.one_of(_TREES, st.dictionaries(_WORDS, _TREES, max_size=5))},
        optional=dict.fromkeys(("metric", "early_terminate", "command", "retry", "seed", "min_time"), _TREES),
    )
)
def test_plain_data_never_raises_and_reads_like_its_yaml(mapping: dict[str, object]) -> None:
    reading = read_mapping(mapping)
    assert (reading.config is None) == any(each.severity is Severity.ERROR for each in reading.problems)
    assert all(problem.line == 0 for problem in reading.problems)
    read(yaml.safe_dump(mapping))
