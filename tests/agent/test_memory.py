"""Kills for want of memory are told apart from other kills."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.agent.memory import Kills, MemoryWatch, count_kills

V1 = "5:devices:/\n4:cpu,memory:/slurm_n1/job_1/task_0\n0::/\n"
V2 = "0::/slurm/job_1/task_0\n"


def grow(file: Path, n: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"under_oom 0\noom_kill_disable 0\noom_kill {n}\n")


@pytest.mark.parametrize(
    ("groups", "files"),
    [
        (V1, ["memory/slurm_n1/job_1/task_0/memory.oom_control", "memory/slurm_n1/job_1/memory.oom_control"]),
        (V2, ["slurm/job_1/task_0/memory.events", "slurm/job_1/memory.events"]),
    ],
)
def test_kills_are_counted_in_the_groups_of_this_process(
    tmp_path: Path, groups: str, files: list[str]
) -> None:
    for n, name in enumerate(files, 1):
        grow(tmp_path / name, n)
    elsewhere = files[0].replace("job_1", "job_2")
    grow(tmp_path / elsewhere, 40)
    assert count_kills(groups, tmp_path).near == 3


def test_groups_that_cannot_be_read_count_nothing(tmp_path: Path) -> None:
    assert count_kills("nonsense\n\n7:memory:/gone\n0::/gone", tmp_path).near == 0


@pytest.mark.parametrize(
    ("signal", "near", "anywhere", "begins"),
    [
        (9, 1, 1, "out of memory: "),
        (None, 1, 1, "out of memory: "),
        (9, 0, 1, "probably out of memory: "),
        (None, 0, 1, "why"),
        (9, 0, 0, "why"),
    ],
)
def test_cause_says_so_where_memory_ran_out(
    signal: int | None, near: int, anywhere: int, begins: str
) -> None:
    counts = iter([Kills(5, 9), Kills(5 + near, 9 + anywhere), Kills(5 + near, 9 + anywhere)])
    watch = MemoryWatch(lambda: next(counts))
    cause = watch.explain("why", signal)
    assert cause.startswith(begins)
    assert cause.endswith("why")
    assert watch.explain("why", signal) == "why", "one kill explains one end"
