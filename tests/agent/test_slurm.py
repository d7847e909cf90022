"""What an agent knows of its SLURM task."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from controller.agent.gpus import MOST, gpus_from
from controller.agent.slurm import SHELLS, SlurmTask, shell_above, task_from

ARRAY = {
    "SLURM_JOB_ID": "8",
    "SLURM_ARRAY_JOB_ID": "8",
    "SLURM_ARRAY_TASK_ID": "3",
    "SLURM_CLUSTER_NAME": "lab",
    "SLURMD_NODENAME": "n1",
}


def test_array_task_is_called_by_array_and_task_never_by_the_raw_id() -> None:
    found = task_from(ARRAY)
    assert found == SlurmTask(job="8", cluster="lab", array_job="8", array_task="3", node="n1")
    assert found.name == "8_3"


def test_plain_job_is_called_by_its_id() -> None:
    task = task_from({"SLURM_JOB_ID": "77", "SLURM_RESTART_COUNT": "2", "SLURM_JOB_END_TIME": "1800000000"})
    assert task is not None
    assert (task.name, task.restart, task.end_at) == ("77", 2, 1_800_000_000.0)


def test_there_is_no_task_outside_of_slurm() -> None:
    assert task_from({"SLURM_CONF": "/etc/slurm/slurm.conf"}) is None


@pytest.mark.parametrize("text", ["", "Unknown", "-1", "٣", "9" * 99])
def test_nonsense_in_the_environment_counts_as_not_said(text: str) -> None:
    task = task_from(ARRAY | {"SLURM_RESTART_COUNT": text, "SLURM_JOB_END_TIME": text})
    assert task is not None
    assert (task.restart, task.end_at) == (0, None)


def test_shell_above_is_named_and_other_programs_are_not(tmp_path: Path) -> None:
    with subprocess.Popen(
        ["/bin/sh", "-c", "read x; exit 0"], stdin=subprocess.PIPE, start_new_session=True
    ) as shell:
        assert shell_above(shell.pid) in SHELLS
        shell.communicate(b"\n")
    assert shell_above(os.getpid()) == ""
    assert shell_above(2**22 + 1) == ""


@pytest.mark.parametrize(
    ("environment", "n_gpus"),
    [
        ({}, 0),
        ({"CUDA_VISIBLE_DEVICES": ""}, 0),
        ({"CUDA_VISIBLE_DEVICES": "NoDevFiles", "SLURM_GPUS_ON_NODE": "2"}, 0),
        ({"CUDA_VISIBLE_DEVICES": "0"}, 1),
        ({"CUDA_VISIBLE_DEVICES": "GPU-1f, MIG-2e,3"}, 3),
        ({"CUDA_VISIBLE_DEVICES": "0,1,-1,2"}, 2),
        ({"ROCR_VISIBLE_DEVICES": "0,1"}, 2),
        ({"SLURM_GPUS_ON_NODE": "4"}, 4),
        ({"SLURM_GPUS_ON_NODE": "many"}, 0),
        ({"SLURM_GPUS_ON_NODE": "9" * 5000}, 0),
        ({"CUDA_VISIBLE_DEVICES": "0," * 9999 + "0"}, MOST),
    ],
)
def test_gpus_are_those_that_the_environment_lets_a_program_see(
    environment: dict[str, str], n_gpus: int
) -> None:
    assert gpus_from(environment) == n_gpus
