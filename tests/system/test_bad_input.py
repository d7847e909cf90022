"""Mistakes end as one or two sentences and the right exit code; nothing is half-created."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.system.lab import Lab

WRONG_FILES = {
    "not yaml": ("method: [grid", "this is not YAML"),
    "no method": ("parameters:\n  x: {value: 1}\n", "method"),
    "bad bound": (
        "method: random\nparameters:\n  lr:\n    min: 1e-4\n    max: 0.1\n",
        "sweep.yaml:4:",
    ),
    "grid over a float range": ("method: grid\nparameters:\n  lr: {min: 0.0, max: 1.0}\n", "lr"),
    "empty": ("", "sweep.yaml"),
}


@pytest.mark.parametrize("name", WRONG_FILES)
def test_a_wrong_sweep_file_is_refused_with_its_place(lab: Lab, name: str) -> None:
    text, said = WRONG_FILES[name]
    path = lab.write("sweep.yaml", "")
    path.write_text(text)
    lab.cli("sweep", "sweep.yaml", code=1)
    assert said in lab.last_err
    assert "error" in lab.last_err
    assert not lab.home.store.exists(), "nothing may be created for a file that cannot be used"
    lab.cli("check", "sweep.yaml", code=1)


def test_wrong_words_are_refused(lab: Lab) -> None:
    lab.start_controller()
    for argv, code, said in (
        (("nonsense",), 2, "invalid choice"),
        (("sweep", "missing.yaml"), 2, "there is no file missing.yaml"),
        (("sweep", "--pause", "abcdefgh"), 1, "there is no sweep abcdefgh"),
        (("agent", "abcdefgh"), 78, "abcdefgh"),
        (("agent", "--count", "0", "abcdefgh"), 2, "whole number"),
        (("runs", "abcdefgh"), 1, "there is no sweep"),
        (("show", "abcdefgh"), 1, "there is no run"),
        (("stop",), 2, "which runs"),
        (("stop", "abcdefgh"), 1, "there is no run"),
        (("retry", "--failed", "abcdefgh"), 1, "there is no sweep"),
        ((), 2, "needs a terminal"),
    ):
        lab.cli(*argv, code=code)
        assert said in lab.last_err, (argv, lab.last_err)


def test_without_a_controller_looking_is_an_outage_not_a_traceback(lab: Lab) -> None:
    lab.cli("runs", "abcdefgh", code=75)
    assert "controller start" in lab.last_err


def test_a_way_to_the_controller_that_does_not_exist_is_refused(lab: Lab) -> None:
    lab.environment["TUI_SWEEPS_VIA"] = "pigeon"
    lab.cli("agent", "abcdefgh", code=78)
    assert "there is no way 'pigeon'" in lab.last_err


def test_a_missing_program_fails_its_run_with_the_cause(lab: Lab) -> None:
    sweep = lab.sweep_file(1, command=["no-such-program", "${args}"])
    lab.cli("run", str(sweep), code=1)
    (row,) = lab.json("ls")
    (run,) = lab.json("runs", row["id"])
    assert run["state"] == "failed"
    assert "no-such-program" in run["cause"]


def test_help_and_version_answer_everywhere(lab: Lab) -> None:
    assert "0.1" in lab.cli("--version")
    for command in ("sweep", "agent", "run", "runs", "logs", "watch", "controller"):
        assert "example:" in lab.cli(command, "--help")


@pytest.mark.parametrize("below", ["", "sub"])
def test_a_home_that_is_a_file_is_refused_in_a_sentence(lab: Lab, below: str) -> None:
    home = str(lab.write("a-file", "") / below)
    for argv in (("ls",), ("controller", "run"), ("sweep", str(lab.sweep_file(1)))):
        lab.cli("--home", home, *argv, code=78)
        assert "is no directory" in lab.last_err


def test_a_damaged_store_is_named_where_no_controller_comes_up(lab: Lab) -> None:
    lab.home.path.mkdir(mode=0o700)
    for _ in range(2):
        lab.home.store.write_text("garbage")
        lab.cli("ls", code=75)
        assert lab.last_err.count("is damaged") == 1


def test_output_that_cannot_be_written_is_said_in_a_sentence(lab: Lab) -> None:
    lab.start_controller()
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tui_sweeps", "check", str(lab.sweep_file(1))],
            stdout=full,
            stderr=subprocess.PIPE,
            env=lab.environment,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.decode() == "tui-sweeps: output: No space left on device\n"


def test_names_beyond_the_terminals_characters_are_shown_as_escapes(lab: Lab) -> None:
    lab.environment["PYTHONIOENCODING"] = "ascii"
    lab.start_controller()
    lab.cli("sweep", "--name", "über", str(lab.sweep_file(1)))
    assert "\\xfcber" in lab.cli("ls")
    assert lab.json("ls")[0]["name"] == "über"


def test_a_sweep_of_another_project_is_not_found_by_its_id(lab: Lab) -> None:
    sweep_id = lab.register(1)
    lab.cli("runs", f"elsewhere/{sweep_id}", code=1)
    assert "belongs to project uncategorized" in lab.last_err
    lab.cli("sweep", "-p", "a/b", str(lab.sweep_file(1)), code=2)
    assert "cannot have a /" in lab.last_err
    assert len(lab.json("ls")) == 1
