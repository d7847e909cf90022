"""What a signal means inside SLURM, by what SLURM says of it."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from controller.agent import scheduler
from controller.agent.departure import meaning
from controller.agent.scheduler import (
    JobRecord,
    ask,
    duration_s,
    mark_in_output,
    parse,
    size_of_output,
)
from controller.agent.slurm import SlurmTask
from controller.domain.states import AttemptState


def task(**more: Any) -> SlurmTask:
    return SlurmTask(job="9", array_job="8", array_task="3", **more)


def record(**more: Any) -> JobRecord:
    known: dict[str, Any] = {
        "state": "COMPLETING",
        "reason": "None",
        "restarts": 0,
        "requeue": True,
        "preempted": False,
        "time_left_s": 3000.0,
    }
    return JobRecord(**(known | more))


TERM, USR1 = signal.SIGTERM, signal.SIGUSR1
NEAR_END = record(state="RUNNING", time_left_s=60.0)
PREEMPTED, KILLED = AttemptState.PREEMPTED, AttemptState.KILLED


@pytest.mark.parametrize(
    ("signum", "said", "mark", "state", "cause", "back"),
    [
        (TERM, record(), "", KILLED, "job cancelled (SIGTERM)", False),
        (TERM, record(), None, KILLED, "job cancelled (SIGTERM)", False),
        (TERM, None, "", KILLED, "job cancelled (SIGTERM)", False),
        (TERM, record(restarts=1), "JOB REQUEUE", PREEMPTED, "requeued (SIGTERM)", True),
        (TERM, record(restarts=1), None, PREEMPTED, "requeued (SIGTERM)", True),
        (TERM, record(restarts=1), "PREEMPTION", PREEMPTED, "preempted (SIGTERM)", True),
        (TERM, record(preempted=True, requeue=False), "PREEMPTION", PREEMPTED, "preempted (SIGTERM)", False),
        (TERM, record(preempted=True, requeue=False), None, PREEMPTED, "preempted (SIGTERM)", False),
        (TERM, None, "PREEMPTION", PREEMPTED, "preempted (SIGTERM)", True),
        (TERM, record(reason="TimeLimit"), "TIME LIMIT", PREEMPTED, "time limit reached (SIGTERM)", False),
        (TERM, record(reason="TimeLimit"), None, PREEMPTED, "time limit reached (SIGTERM)", False),
        (TERM, None, "TIME LIMIT", PREEMPTED, "time limit reached (SIGTERM)", False),
        (TERM, record(state="RUNNING"), None, KILLED, "agent got SIGTERM", False),
        (TERM, None, None, PREEMPTED, "agent got SIGTERM; why is not known", False),
        (
            USR1,
            record(state="RUNNING", time_left_s=60.0),
            None,
            PREEMPTED,
            "time limit near (SIGUSR1)",
            False,
        ),
        (USR1, record(state="RUNNING"), None, PREEMPTED, "warned to leave (SIGUSR1)", False),
        (USR1, record(state="RUNNING", preempted=True), None, PREEMPTED, "preempted (SIGUSR1)", True),
        (USR1, None, None, PREEMPTED, "warned to leave (SIGUSR1)", False),
    ],
)
def test_causes_are_told_apart_as_measured(
    signum: int, said: JobRecord | None, mark: str | None, state: AttemptState, cause: str, back: bool
) -> None:
    found = meaning(signum, task(), said, mark)
    assert (found.state, found.cause, found.comes_back) == (state, cause, back)


def test_restarts_are_counted_from_those_the_agent_knows() -> None:
    found = meaning(TERM, task(restart=2), record(restarts=2), None)
    assert found.state is KILLED
    assert meaning(TERM, task(restart=2), record(restarts=3), None).comes_back


LINE = (
    "JobId=6 ArrayJobId=6 ArrayTaskId=1 JobName=job.sh UserId=me(1000) JobState=COMPLETING Reason=TimeLimit "
    "Dependency=(null) Requeue=1 Restarts=2 BatchFlag=1 ExitCode=0:0 RunTime=00:01:27 TimeLimit=1-02:00:00 "
    "EndTime=2026-11-27T06:41:55 PreemptEligibleTime=2026-11-27T06:41:00 PreemptTime=None Command=/a b/x\n"
)


def test_line_of_scontrol_is_read() -> None:
    expected = record(reason="TimeLimit", restarts=2, time_left_s=26 * 3600 - 87.0)
    assert parse(LINE) == expected
    changed = LINE.replace("PreemptTime=None", "PreemptTime=2026-11-27T06:39:58").replace(
        "1-02:00:00", "UNLIMITED"
    )
    assert parse(changed) == record(reason="TimeLimit", restarts=2, preempted=True, time_left_s=None)


@pytest.mark.parametrize("text", ["", "slurm_load_jobs error: Invalid job id specified\n", "\0\n"])
def test_what_is_no_record_says_nothing(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("59:01", 3541.0), ("01:00:00", 3600.0), ("2-00:00:30", 172830.0), ("UNLIMITED", None), ("", None)],
)
def test_durations_of_slurm(text: str, seconds: float | None) -> None:
    assert duration_s(text) == seconds


def test_mark_in_the_output_is_that_of_this_instance(tmp_path: Path) -> None:
    when = b" CANCELLED AT 2026-11-27T06:40:11"
    with (tmp_path / "out").open("ab", buffering=0) as output:
        output.write(
            b"slurmstepd-n1: error: *** JOB 6 ON n1 CANCELLED AT 2026-11-27T06:40:11 DUE TO PREEMPTION ***\n"
        )
        since = size_of_output(output.fileno())
        assert mark_in_output(output.fileno(), since) is None
        output.write(b"slurmstepd: error: *** JOB 6 ON n1" + when + b" ***\n")
        assert mark_in_output(output.fileno(), since) == ""
        output.write(
            b"x\nslurmstepd: error: *** STEP 6.0 ON n1 CANCELLED AT 2026-11-27T06:41:00 DUE TO TIME LIMIT ***"
        )
        assert mark_in_output(output.fileno(), since) == "TIME LIMIT"


def test_output_that_is_no_file_says_nothing() -> None:
    read, write = os.pipe()
    try:
        assert mark_in_output(write, 0) is None
        assert mark_in_output(-1, 0) is None
    finally:
        os.close(read)
        os.close(write)


def scontrol(directory: Path, script: str) -> dict[str, str]:
    program = directory / "scontrol"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"PATH": f"{directory}:/usr/bin:/bin", "SQUEUE_FORMAT": "%i", "SLURM_TIME_FORMAT": "relative"}


def test_scontrol_is_asked_for_the_task_by_name_in_a_clean_environment(tmp_path: Path) -> None:
    environment = scontrol(
        tmp_path,
        f'[ "$*" = "-o show job 8_3" ] && [ -z "$SQUEUE_FORMAT$SLURM_TIME_FORMAT" ] && printf %s "{LINE}"',
    )
    assert asyncio.run(ask("8_3", environment)) == parse(LINE)


@pytest.mark.parametrize("script", ["exit 1", "echo nonsense", "kill -9 $$"])
def test_scontrol_that_fails_says_nothing(tmp_path: Path, script: str) -> None:
    assert asyncio.run(ask("8_3", scontrol(tmp_path, script))) is None


def test_scontrol_that_is_missing_says_nothing(tmp_path: Path) -> None:
    assert asyncio.run(ask("8_3", {"PATH": str(tmp_path)})) is None


def test_scontrol_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "LIMIT_S", 0.05)
    environment = scontrol(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 1000")
    assert asyncio.run(ask("8_3", environment)) is None
    pid = (tmp_path / "pid").read_text() if (tmp_path / "pid").exists() else ""
    assert not pid.strip() or not Path(f"/proc/{pid.strip()}").exists()
