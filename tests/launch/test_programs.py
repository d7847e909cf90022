"""SLURM's programs: bounded, and in an environment that cannot change what they say."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from controller.launch.programs import Programs, cleaned, short
from tests.launch.double import Double


def test_environment_that_steers_slurms_programs_is_cleared(tmp_path: Path) -> None:
    double = Double(tmp_path)
    steering = {
        "SQUEUE_FORMAT": "%A",
        "SQUEUE_STATES": "RUNNING",
        "SACCT_FORMAT": "JobID",
        "SBATCH_PARTITION": "gpu",
        "SLURM_TIME_FORMAT": "relative",
        "SLURM_JOB_ID": "12",
        "SLURM_ARRAY_TASK_ID": "3",
    }
    programs = double.programs(SLURM_CONF="/etc/slurm.conf", KEPT="yes", **steering)
    asyncio.run(programs.run("squeue"))
    (call,) = double.calls()
    assert not call["environment"].keys() & steering.keys()
    assert (call["environment"]["SLURM_CONF"], call["environment"]["KEPT"]) == ("/etc/slurm.conf", "yes")
    assert cleaned({"SBATCH_QOS": "x", "HOME": "/h"}) == {"HOME": "/h"}


def test_program_that_does_not_answer_is_ended_with_all_it_started(tmp_path: Path) -> None:
    wrapper = tmp_path / "squeue"
    wrapper.write_text(f"#!/bin/sh\nsleep 300 & echo $! > {tmp_path}/pid\nwait\n")
    wrapper.chmod(0o755)
    programs = Programs({"PATH": f"{tmp_path}:/usr/bin:/bin"}, limits_s={"squeue": 3.0})

    said = asyncio.run(programs.run("squeue"))
    assert (said.code, said.ok) == (None, False)
    assert "did not answer" in said.complaint
    # Its pipe was closed: whatever it started is dead, though perhaps not collected yet.
    assert not _is_running(int((tmp_path / "pid").read_text()))


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_program_or_directory_that_is_missing_is_named(tmp_path: Path) -> None:
    programs = Programs({"PATH": os.fspath(tmp_path)})
    said = asyncio.run(programs.run("sacct"))
    assert (said.missing, said.complaint) == (True, "there is no sacct on this host")
    said = asyncio.run(programs.run("sbatch", directory=str(tmp_path / "none")))
    assert (said.missing, "does not exist" in said.complaint) == (False, True)


def test_output_that_is_no_text_is_read_all_the_same(tmp_path: Path) -> None:
    program = tmp_path / "squeue"
    program.write_text("#!/bin/sh\nprintf '\\377\\n'\n")
    program.chmod(0o755)
    said = asyncio.run(Programs({"PATH": f"{tmp_path}:/usr/bin:/bin"}).run("squeue"))
    assert said.ok
    assert said.text == "\ufffd\n"


@pytest.mark.parametrize(
    ("complaint", "line"),
    [
        ("sbatch: error: Batch job submission failed: X", "Batch job submission failed: X"),
        ("sbatch: warning: a\nsbatch: error: b", "b"),
        ("", "no reason was given"),
    ],
)
def test_complaint_is_told_in_one_line(complaint: str, line: str) -> None:
    assert short(complaint) == line
