"""Mistakes end as one or two sentences and the right exit code; nothing is half-created."""

from __future__ import annotations

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
        (("agent", "abcdefgh"), 1, "abcdefgh"),
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
