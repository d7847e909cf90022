"""Array specifications and batch scripts: what a preview shows, word for word, and what is refused."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain import batch
from controller.domain.arrays import ArrayError, read_array, read_time_limit
from controller.domain.sweeps import Method, Sweep, SweepConfig

PROGRAM = ("/opt/env/bin/tui-sweeps",)


def a_sweep(directory: str = "/home/eva/digits") -> Sweep:
    config = SweepConfig(method=Method.GRID, parameters=(), metric=None)
    return Sweep(
        id="abcd1234",
        config=config,
        source="",
        directory=directory,
        project="p",
        entity="e",
        name="n",
        n_expected=24,
    )


def planned(*options: str, directory: str = "/home/eva/digits", **more: Any) -> Any:
    given = {"array": "1-12%2", "count": 1} | more
    return batch.plan(a_sweep(directory), program=PROGRAM, home="/home/eva/h", options=options, **given)


@pytest.mark.parametrize(
    ("text", "indexes", "throttle"),
    [
        ("1-12%2", tuple(range(1, 13)), 2),
        ("7", (7,), None),
        ("1,3,8-10", (1, 3, 8, 9, 10), None),
        ("0-8:4%1", (0, 4, 8), 1),
        ("3,1-3", (3, 1, 2), None),
    ],
)
def test_array_specification_names_its_tasks(
    text: str, indexes: tuple[int, ...], throttle: int | None
) -> None:
    numbers = read_array(text)
    assert (numbers.indexes, numbers.throttle) == (indexes, throttle)


@pytest.mark.parametrize(
    "text", ["", "%2", "1-", "5-1", "1-12%0", "1-12%", "1-9:0", "a", "-3", "1;rm", "0-100000", "1 2", "٣"]
)
def test_array_specification_that_makes_no_sense_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ArrayError) as refused:
        read_array(text)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 1800.0),
        ("1:30", 90.0),
        ("2:00:00", 7200.0),
        ("1-12", 129600.0),
        ("1-12:30", 131400.0),
        ("1-00:00:05", 86405.0),
        ("UNLIMITED", None),
        ("", None),
    ],
)
def test_time_limit_is_read_as_slurm_writes_it(text: str, seconds: float | None) -> None:
    assert read_time_limit(text) == seconds


def test_script_is_whole_and_ends_in_exec() -> None:
    command = planned("-p", "gpu", "--gres=gpu:1")
    assert command.script.splitlines() == [
        "#!/bin/bash",
        "#SBATCH --array=1-12%2",
        "#SBATCH --open-mode=append --requeue",
        "#SBATCH --signal=B:USR1@120",
        "#SBATCH --chdir=/home/eva/digits --output=/home/eva/digits/sweeps/abcd1234/slurm/%A_%a.out",
        "#SBATCH -p gpu --gres=gpu:1",
        "# exec: SLURM's signals must reach the agent itself, which passes them on and reports.",
        "exec /opt/env/bin/tui-sweeps agent --home /home/eva/h --count 1 abcd1234",
    ]
    assert (command.array, command.throttle, command.count) == ("1-12", 2, 1)
    assert command.options == ()
    assert batch.ends_in_exec(command.script)


def test_warning_before_the_time_limit_does_not_come_at_the_start_of_a_short_job() -> None:
    assert "B:USR1@120" in planned("-t", "2:00:00").script
    assert "B:USR1@60" in planned("--time=10:00").script
    assert "B:USR1@15" in planned("-t1").script


@given(st.text("ab '\"\\$`#%;&|<>*?(){}!~é", min_size=1, max_size=12))
def test_words_reach_sbatch_and_the_agent_as_they_were(word: str) -> None:
    option = f"--comment={word}"
    command = planned(option, directory=f"/home/{word}")
    assert option in batch.options_in(command.script)
    assert f"--chdir=/home/{word}" in batch.options_in(command.script)
    last = command.script.splitlines()[-1].removeprefix("exec ")
    words = subprocess.run(["bash", "-c", f"printf '%s\\0' {last}"], capture_output=True, check=True)
    assert words.stdout.decode().split("\0")[:-1] == [*PROGRAM, "agent", *last.split()[2:]]


@pytest.mark.parametrize(
    "options",
    [
        ["--array=1-3"],
        ["-a", "1-3"],
        ["--job-name=x"],
        ["-Jx"],
        ["--job", "x"],
        ["--wrap=true"],
        ["--wait"],
        ["-W"],
        ["--test-only"],
        ["--clusters=b"],
        ["-p", "gpu", "script.sh"],
        ["--hold", "script.sh"],
        ["--comment=a\nb"],
    ],
)
def test_arguments_that_are_ours_or_no_options_are_refused(options: list[str]) -> None:
    with pytest.raises(ArrayError):
        planned(*options)


def test_arguments_that_take_the_next_word_are_no_script() -> None:
    assert "--partition gpu" in planned("--partition", "gpu", "-n", "2", "-H", "-t5").script


def test_output_pattern_of_the_user_is_the_log() -> None:
    assert planned("-o", "out-%a.txt").log == "/home/eva/digits/out-%a.txt"
    assert planned("--output=/scratch/%A_%a").log == "/scratch/%A_%a"
    assert batch.log_path("/x/100%%/%A_%a.out", slurm_id="77", index=3) == "/x/100%/77_3.out"


def test_output_pattern_lies_below_the_directory_that_the_user_changes_to() -> None:
    assert planned("-D", "/scratch/100%", "-o", "x.out").log == "/scratch/100%%/x.out"


def test_sweep_of_wandbs_client_is_submitted_from_where_its_program_lies() -> None:
    with pytest.raises(ArrayError):
        planned(directory="")
    command = batch.plan(a_sweep(""), program=PROGRAM, home="/h", array="1", directory="/home/eva/there")
    assert command.directory == "/home/eva/there"
    assert command.log.startswith("/home/eva/there/sweeps/")


def test_own_script_is_sent_as_it_is_with_the_arguments_beside_it() -> None:
    script = "#!/bin/bash\n#SBATCH -o mine-%a.out -t 5\nmodule load cuda\nexec tui-sweeps agent abcd1234\n"
    command = batch.plan_own(
        a_sweep(), script=script, directory="/home/eva", array="1-3", options=("-p", "gpu")
    )
    assert (command.script, command.options, command.log) == (script, ("-p", "gpu"), "/home/eva/mine-%a.out")
    arguments = batch.sbatch_arguments(
        name="n", array=command.array, throttle=command.throttle, options=command.options
    )
    assert arguments == ["--parsable", "-p", "gpu", "--job-name=n", "--array=1-3"]


@pytest.mark.parametrize("script", ["exec agent\n", "", "#!/bin/sh\n\0", "#!/bin/sh\n" + "x" * 2_000_000])
def test_what_is_no_script_is_refused(script: str) -> None:
    with pytest.raises(ArrayError):
        batch.plan_own(a_sweep(), script=script, directory="/", array="1")


@pytest.mark.parametrize(
    ("script", "is_exec"),
    [
        ("#!/bin/sh\nexec a \\\n  b\n\n# done\n", True),
        ("#!/bin/sh\na\n", False),
        ("#!/bin/sh\nexec a\nb\n", False),
        ("", False),
    ],
)
def test_missing_exec_is_seen(script: str, is_exec: bool) -> None:
    assert batch.ends_in_exec(script) is is_exec


def test_name_tells_the_job() -> None:
    assert batch.job_of_name(batch.job_name("ab12cd34")) == "ab12cd34"
    assert batch.job_of_name("tui-sweeps-ab12cd3") is None
    assert batch.job_of_name("mine") is None
