from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.widgets import Input

from controller.domain.agents import JobState
from controller.domain.arrays import TaskState
from controller.domain.batch import plan
from controller.domain.changes import JobAdded, JobSet, TasksSet
from controller.domain.commands import (
    CancelJob,
    Command,
    HoldJob,
    LaunchAgents,
    SetThrottle,
    SubmitArray,
)
from controller.domain.world import World
from controller.settings import Home
from tests import scenes, slurm_scene
from tests.dashboard.screen import make_app, text_of
from tests.dashboard.test_walk import until
from tests.fake_client import FakeClient
from tui_sweeps.views.launching import LOCAL, SLURM, Place, first_values, planned
from tui_sweeps.views.tasks import groups_of, ranges

PLACE = Place(("/opt/bin/tui-sweeps",), "/home/ada/sweeps")


def meaning(way: str, **values: str) -> tuple[object, str, str]:
    world = World(scenes.digits().facts)
    found = planned(world, world.sweeps["d1g1ts00"], way, first_values(way) | values, PLACE)
    return found.command, found.problem, found.summary


def test_form_says_in_numbers_what_will_happen() -> None:
    command, problem, summary = meaning(LOCAL, n="3", count="2")
    assert (command, problem) == (LaunchAgents(sweep_id="d1g1ts00", n_agents=3, count=2), "")
    assert summary == "3 agents, 6 runs in all; 12 runs left to hand out"
    assert meaning(SLURM, array="1-12%2")[2].startswith("12 tasks, 2 at a time, until the sweep is done")


def test_form_becomes_the_very_command_of_the_command_line() -> None:
    values = {"array": "1-12%2", "task_count": "1", "partition": "gpu", "time": "2:00:00", "gres": "gpu:1"}
    command, problem, _ = meaning(SLURM, **values, extra="--account='the lab' -C a100")
    assert problem == ""
    assert command == plan(
        scenes.digits_sweep(),
        program=PLACE.program,
        home=PLACE.home,
        array="1-12%2",
        count=1,
        options=["--partition=gpu", "--time=2:00:00", "--gres=gpu:1", "--account=the lab", "-C", "a100"],
    )


def test_script_of_the_users_own_is_submitted_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    script = "#!/bin/bash\n#SBATCH -o mine.out\nexec tui-sweeps agent d1g1ts00\n"
    Path("own.sh").write_text(script)
    command, problem, summary = meaning(SLURM, script=" own.sh ", array="1-3", gres="gpu:1")
    assert problem == ""
    assert isinstance(command, SubmitArray)
    assert (command.script, command.array, command.options) == (script, "1-3", ("--gres=gpu:1",))
    assert (command.directory, command.log) == (str(tmp_path), f"{tmp_path}/mine.out")
    assert "exec" not in summary
    Path("own.sh").write_text("#!/bin/bash\ntui-sweeps agent d1g1ts00\n")
    assert "signals will not reach the agent" in meaning(SLURM, script="own.sh")[2]
    assert "there is no file" in meaning(SLURM, script="other.sh")[1]
    Path("own.sh").write_text("echo\n")
    assert "does not begin with #!" in meaning(SLURM, script="own.sh")[1]


@pytest.mark.parametrize(
    ("way", "values", "said"),
    [
        (LOCAL, {"n": "0"}, "Agents: 0 is no whole number from 1 to 256"),
        (LOCAL, {"n": ""}, "Agents: nothing"),
        (LOCAL, {"count": "x"}, "Runs each: x"),
        (SLURM, {"array": "1-"}, "is no task number or range"),
        (SLURM, {"array": "1-4%0"}, "after % is no number of tasks"),
        (SLURM, {"time": "2h"}, "Time limit: 2h is no time"),
        (SLURM, {"extra": "--name='x"}, "quote it as a shell needs it"),
        (SLURM, {"extra": "--array=1"}, "--array cannot be given here"),
    ],
)
def test_mistake_in_the_form_is_said_with_what_to_do(way: str, values: dict[str, str], said: str) -> None:
    command, problem, _ = meaning(way, **values)
    assert command is None
    assert said in problem


def test_tasks_without_an_agent_are_one_row_per_array_and_state() -> None:
    groups = groups_of(World(slurm_scene.slurm().facts), "d1g1ts00")
    found = {(one.job.id, one.state): ranges(task.index for task in one.tasks) for one in groups}
    assert found == {
        ("jobarray", TaskState.QUEUED): "6-10",
        ("jobarray", TaskState.BLOCKED): "12",
        ("jobarray", TaskState.NEVER_STARTED): "3",
        ("jobarray", TaskState.CANCELLED): "11",
        ("refused0", None): "",
    }
    assert ranges([3, 1, 2, 8, 10, 11]) == "1-3,8,10-11"


async def test_array_is_submitted_from_the_form_which_remembers_it(tmp_path: Path) -> None:
    client, home = FakeClient(scenes.digits()), Home(tmp_path)
    app = make_app(client, home=home)
    app.place = PLACE
    async with app.run_test(size=(120, 34), notifications=True) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("enter", "a", "up", "space", "tab")
        await until(pilot, "#SBATCH --array=1-4")
        await pilot.press("end", "percent_sign", "x")
        await until(pilot, "is no number of tasks")
        await pilot.press("enter")
        assert client.sent == []
        await pilot.press("backspace", "2", "tab", "1", "tab", *"gpu")
        text = await until(pilot, "#SBATCH --partition=gpu")
        assert "4 tasks, 2 at a time, 4 runs in all" in text
        assert "exec /opt/bin/tui-sweeps agent --home /home/ada/sweeps" in text
        await pilot.press("enter")
        await until(pilot, "HEARD")
        await pilot.press("a")
        await until(pilot, "#SBATCH --partition=gpu")
        await pilot.press("escape", "d")
    (sent,) = client.sent
    assert isinstance(sent, SubmitArray)
    assert (sent.array, sent.throttle, sent.count) == ("1-4", 2, 1)
    again = make_app(FakeClient(scenes.digits()), home=home)
    kept = again.setting.desk.launches["digits"]
    assert (kept.way, kept.values["partition"]) == ("slurm", "gpu")


async def test_what_slurm_said_to_the_array_is_told() -> None:
    client = FakeClient(scenes.digits())
    app = make_app(client)
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("enter", "6")
        job = replace(slurm_scene.array_job(), state=JobState.SUBMITTING)
        assert job.array is not None
        client.push(JobAdded(job=replace(job, array=replace(job.array, slurm_id=""))))
        app._submitting.add(job.id)
        await until(pilot, "submitting…")
        client.push(JobSet(job=slurm_scene.array_job()))
        await until(pilot, "SLURM took array 12345: 12 tasks, 2 at a time.")
        client.push(
            TasksSet(job_id=job.id, tasks=tuple(slurm_scene.task(n, TaskState.QUEUED) for n in (1, 2)))
        )
        await until(pilot, "12345_[1-2]")
        client.push(JobAdded(job=slurm_scene.refused_job()))
        app._submitting.add("refused0")
        client.push(JobSet(job=slurm_scene.refused_job()))
        await until(pilot, "SLURM did not take the array: sbatch: error: invalid")


async def steer(keys: list[str], wanted: str) -> list[object]:
    """Press keys on the agents of an array; return what was sent."""
    client = FakeClient(slurm_scene.slurm())
    app = make_app(client)
    app.setting.desk.hinted = True
    copied: list[str] = []
    app.copy_to_clipboard = copied.append  # type: ignore[method-assign]
    async with app.run_test(size=(150, 30), notifications=True) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("enter", "6")
        await until(pilot, "12345_[6-10]")
        for key in keys:
            await pilot.press(key)
        await until(pilot, wanted)
    return [*client.sent, *copied]


async def test_waiting_tasks_are_cancelled_after_a_question_and_the_undo() -> None:
    sent = await steer(["w", "y", "enter"], "done")
    assert sent == [CancelJob(job_id="jobarray", waiting_only=True, actor="user")]
    assert await steer(["w", "y"], "cancelling the waiting tasks of array 12345 in") == []
    assert await steer(["W"], "6 tasks will not start, 2 tasks end") == []
    assert await steer(["W"], "Ends 2 runs") == []


async def test_throttle_and_hold_are_changed_live() -> None:
    assert await steer(["t", "home", "delete", "x"], "is no number of tasks") == []
    sent: list[object] = await steer(["t", "home", "delete", "6", "enter"], "done")
    expected: list[Command] = [SetThrottle(job_id="jobarray", throttle=6, actor="user")]
    assert sent == expected
    assert await steer(["o"], "done") == [HoldJob(job_id="jobarray", actor="user")]


async def test_exact_scancel_and_log_of_the_row_are_copied() -> None:
    assert await steer(["y"], "Copied") == ["scancel 12345_5"]
    assert await steer(["down", "down", "down", "y"], "Copied") == ["scancel 12345_[6-10]"]
    assert await steer(["Y"], "Copied") == ["/home/ada/digits/sweeps/d1g1ts00/slurm/12345_5.out"]


async def test_local_agents_are_launched_with_what_was_typed() -> None:
    client = FakeClient(scenes.digits())
    async with make_app(client).run_test(size=(80, 24)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("a")
        await until(pilot, "(x) agents on this machine")
        assert isinstance(pilot.app.focused, Input)
        await pilot.press("backspace", "9", "9", "9")
        await until(pilot, "no whole number from 1 to 256")
        await pilot.press("backspace", "backspace", "tab", "1", "enter")
        await pilot.pause(0.1)
        assert "Launch agents" not in text_of(pilot.app)
    assert client.sent == [LaunchAgents(sweep_id="d1g1ts00", n_agents=9, count=1, actor="user")]


async def test_what_stands_in_the_way_of_an_array_is_said_in_the_form() -> None:
    app = make_app(FakeClient(scenes.digits()))
    app.has_sbatch = lambda: False
    async with app.run_test(size=(120, 34)) as pilot:
        await until(pilot, "digits-grid")
        await pilot.press("a", "up", "space")
        await until(pilot, "There is no sbatch on this machine")
