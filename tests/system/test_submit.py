"""`submit` and `jobs` from the command line, before a scheduler double: real controller, real commands."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from controller.domain.agents import JobState
from controller.domain.arrays import TaskState
from tests.launch.double import Double
from tests.system.lab import Lab


class ClusterLab(Lab):
    """A laboratory on a host where SLURM's programs are the double's."""

    def __init__(self) -> None:
        super().__init__()
        self.double = Double(self.place / "double")
        self.environment |= self.double.environment | {"TUI_SWEEPS_SLURM_POLL": "0.2"}


@pytest.fixture
def lab() -> Iterator[ClusterLab]:
    lab = ClusterLab()
    try:
        yield lab
    finally:
        lab.close()


def test_array_is_submitted_followed_steered_and_cancelled(lab: ClusterLab) -> None:
    sweep = lab.register(4)
    shown = lab.cli("submit", sweep, "--array", "1-3%2", "--count", "1", "--dry-run", "--", "-p", "gpu")
    assert shown.splitlines()[0] == "#!/bin/bash"
    assert shown.splitlines()[-1].startswith("exec /")
    assert not lab.double.calls()
    told = lab.json("submit", sweep, "--array", "1-3%2", "--count", "1")
    assert "no compute node can reach it" in lab.last_err
    assert (told["slurm_id"], told["state"], told["throttle"]) == ("100", "running", 2)
    (call,) = lab.double.calls("sbatch")
    assert call["text"] == shown.replace("#SBATCH -p gpu\n", "")
    assert str(lab.home.path) not in " ".join(call["arguments"])
    assert "--array=1-3%2" in call["arguments"]
    lab.double.set_task(2, reason="JobHeldUser")
    job_id = told["id"]
    lab.until(lambda world: world.tasks_of[job_id][2].state is TaskState.BLOCKED)
    assert "100_2  blocked" in lab.cli("jobs", "100")
    lab.cli("jobs", "--throttle", "3", job_id)
    lab.until(lambda world: world.jobs[job_id].array.throttle == 3)
    lab.cli("jobs", "--cancel", "100")
    lab.until(lambda world: world.jobs[job_id].state is JobState.ENDED)
    assert lab.json("jobs", job_id)["n_tasks"] == {"cancelled": 3}
    lab.cli("jobs", "--cancel", "100", code=1)


def test_refusal_of_sbatch_is_told_in_its_own_words(lab: ClusterLab) -> None:
    sweep = lab.register(1)
    lab.double.mood("sbatch", "fail invalid partition specified: gpu")
    lab.cli("submit", sweep, "--", "-p", "gpu", code=1)
    assert "invalid partition specified: gpu" in lab.last_err
    assert len(lab.double.calls("sbatch")) == 1


def test_controller_killed_while_submitting_submits_nothing_again(lab: ClusterLab) -> None:
    sweep = lab.register(1)
    pid = lab.json("controller", "status")["pid"]
    # sbatch takes the array and then kills the controller before it can hear of it.
    program = lab.double.place / "bin" / "sbatch"
    program.rename(program.with_name("really-sbatch"))
    program.write_text(
        f'#!/bin/sh\n{program.parent}/sbatch.d/sbatch "$@"\nkill -9 {pid}\nexec /bin/sleep 60\n'
    )
    (program.parent / "sbatch.d").mkdir()
    program.with_name("really-sbatch").rename(program.parent / "sbatch.d" / "sbatch")
    program.chmod(0o755)
    lab.cli("submit", sweep, "--array", "1-2", code=75)
    lab.start_controller()
    world = lab.until(lambda world: all(job.state is JobState.RUNNING for job in world.jobs.values()))
    (job,) = world.jobs.values()
    assert job.array is not None
    assert job.array.slurm_id == "100"
    assert len(lab.double.calls("sbatch")) == 1
    assert len(lab.double.queue) == 2


def test_mistakes_are_told_before_anything_is_submitted(lab: ClusterLab) -> None:
    sweep = lab.register(1)
    for arguments in (
        ["--array", "4-1"],
        ["--", "--job-name=x"],
        ["--script", str(lab.write("plain.txt", "no script"))],
    ):
        lab.cli("submit", sweep, *arguments, code=2)
        assert lab.last_err.startswith("tui-sweeps: ")
    assert not lab.double.calls()
    own = lab.write("own.sh", "#!/bin/sh\ntui-sweeps agent x\n")
    assert lab.cli("submit", sweep, "--script", str(own), "--dry-run").startswith("#!/bin/sh")
    assert "exec" in lab.last_err
