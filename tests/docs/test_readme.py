"""The README says what the code says; where it does not, the test prints what to write."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Iterator

import pytest
import yaml

from controller.domain.sweepfile import read
from tests.docs.meanings import WORDS
from tests.docs.tables import ROOT, TABLES, parsers
from tui_sweeps.cli.parser import read_arguments

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
CODE = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", README, flags=re.DOTALL | re.MULTILINE))
TOP = tuple(path.name + "/" for path in ROOT.iterdir() if path.is_dir())


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_the_codes(name: str) -> None:
    table = TABLES[name]()
    assert table in README, (
        f"run `python -m tests.docs.tables --write`: the README's table of {name} should be\n\n{table}"
    )


@pytest.mark.parametrize(("word", "place"), [(word, place) for word, place, _ in WORDS])
def test_every_word_is_in_the_code(word: str, place: str) -> None:
    parts = place.split(".")
    n_modules = next(n for n in range(1, len(parts)) if not parts[n].islower())
    found = importlib.import_module(".".join(parts[:n_modules]))
    for part in parts[n_modules:]:
        assert hasattr(found, part), f"{word}: there is no {place}"
        found = getattr(found, part)


def test_every_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert not missing


def test_every_path_of_the_tree_exists() -> None:
    named = [word for word in CODE if f"{word}/".startswith(TOP) or word in (".ci/run", "LICENSE")]
    assert named
    missing = [word for word in named if not (ROOT / word).exists()]
    assert not missing


def command_lines(program: str) -> Iterator[list[str]]:
    """Yield the arguments of every line in a code block that runs a program, and of every mention in text."""
    lines = [line for _, block in BLOCKS for line in block.splitlines()]
    lines += [inner for line in lines for inner in re.findall(r"\$\(([^)]+)\)", line)]
    for line in [*lines, *(code for code in CODE if " " in code and not code.startswith("tui-sweeps "))]:
        words = shlex.split(line, comments=True) if line.startswith(program) else []
        if words[:1] == [program]:
            stop = next((n for n, word in enumerate(words) if word in (">", "|", "&&", "&")), len(words))
            yield words[1:stop]


def test_every_command_line_parses() -> None:
    lines = list(command_lines("tui-sweeps"))
    assert len(lines) >= 15
    for arguments in lines:
        try:
            read_arguments(arguments)
        except SystemExit:
            pytest.fail(f"the parser refuses: tui-sweeps {shlex.join(arguments)}")


def test_every_command_mentioned_in_the_text_exists() -> None:
    mentioned = {code.split()[1] for code in CODE if re.match(r"tui-sweeps [a-z]", code)}
    assert mentioned <= set(parsers())


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    mentioned = {words[0] for words in command_lines("make")}
    assert {"demo", "test", "check"} <= mentioned
    assert mentioned <= targets


def test_ci_runs_what_the_readme_names() -> None:
    run = (ROOT / ".ci/run").read_text()
    assert "make check" in README
    assert "make check" in run


def test_every_yaml_block_is_yaml_and_the_sweep_file_is_read_without_a_remark() -> None:
    blocks = [block for language, block in BLOCKS if language == "yaml"]
    assert all(isinstance(yaml.safe_load(block), dict) for block in blocks)
    (sweep,) = [block for block in blocks if "method:" in block]
    reading = read(sweep.encode())
    assert reading.config is not None
    assert not reading.problems
    (capture,) = [yaml.safe_load(block)["capture"] for block in blocks if "capture:" in block]
    found = re.search(capture[0], "step 7 lr=0.1 loss=0.25")
    assert found is not None
    assert found.groupdict() == {"step": "7", "val_loss": "0.25"}


def test_every_python_block_compiles() -> None:
    blocks = [block for language, block in BLOCKS if language == "python"]
    assert blocks
    for block in blocks:
        compile(block, "README.md", "exec")
