"""Arrays are handed to sbatch once, whatever it answers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from controller.domain.agents import Job, JobKind, JobState
from controller.domain.arrays import Array, Cancel, Task
from controller.domain.effects import SubmitJob
from controller.domain.events import Event, JobSeen
from controller.domain.world import Facts, World
from controller.launch.slurm import Slurm
from controller.launch.submitting import Submitter
from tests.launch.double import Double

TIMED_OUT = "Batch job submission failed: Socket timed out on send/recv operation"
LOOKS_S = (0.01, 0.02, 0.03)


@pytest.fixture
def double(tmp_path: Path) -> Double:
    return Double(tmp_path / "double")


def a_job(place: Path, **fields: object) -> Job:
    array = Array(
        name="tui-sweeps-ab12cd34", spec="1-3", n_tasks=3, throttle=2, script="#!/bin/sh\n", directory="/"
    )
    log = str(place / "logs" / "%A_%a.out")
    plain = {"id": "ab12cd34", "kind": JobKind.SLURM, "sweep_id": "s", "array": array, "log": log}
    return Job(**(plain | fields))  # type: ignore[arg-type]


def outcome(
    double: Double, job: Job, *, looks_s: tuple[float, ...] = LOOKS_S, limit_s: float = 30.0
) -> JobSeen:
    """Submit and return what was told last."""
    told: list[JobSeen] = []
    submitter = Submitter(double.programs(limit_s), looks_s=looks_s)
    asyncio.run(submitter.submit(job, told.append))
    return told[-1]


def test_array_is_submitted_with_its_script_name_and_throttle(double: Double, tmp_path: Path) -> None:
    seen = outcome(double, a_job(tmp_path))
    assert (seen.state, seen.slurm_id, seen.cluster) == (JobState.RUNNING, "100", "double")
    (call,) = double.calls()
    assert call["text"] == "#!/bin/sh\n"
    assert call["arguments"] == ["--parsable", "--job-name=tui-sweeps-ab12cd34", "--array=1-3%2"]
    assert (tmp_path / "logs").is_dir()


@pytest.mark.parametrize("mood", [f"lost {TIMED_OUT}", "slow 30"])
def test_array_that_slurm_took_without_an_answer_is_found_by_its_name(
    double: Double, tmp_path: Path, mood: str
) -> None:
    double.mood("sbatch", mood)
    seen = outcome(double, a_job(tmp_path), limit_s=3.0 if mood.startswith("slow") else 30.0)
    assert (seen.state, seen.slurm_id) == (JobState.RUNNING, "100")
    assert len(double.calls("sbatch")) == 1
    assert len(double.queue) == 3


def test_array_that_slurm_takes_late_is_found_by_a_later_look(double: Double, tmp_path: Path) -> None:
    double.mood("sbatch", f"late 1 {TIMED_OUT}")
    seen = outcome(double, a_job(tmp_path), looks_s=(0.01, 0.1, *(0.5 for _ in range(60))))
    assert (seen.state, seen.slurm_id) == (JobState.RUNNING, "100")
    assert len(double.calls("sbatch")) == 1


def test_array_that_never_comes_up_is_given_up_and_not_submitted_again(
    double: Double, tmp_path: Path
) -> None:
    double.mood("sbatch", f"fail {TIMED_OUT}")
    seen = outcome(double, a_job(tmp_path))
    assert seen.state is JobState.FAILED
    assert "timed out" in seen.cause
    assert len(double.calls("sbatch")) == 1
    assert len(double.calls("squeue")) == len(LOOKS_S)


def test_queue_that_does_not_answer_is_no_proof(double: Double, tmp_path: Path) -> None:
    double.mood("sbatch", f"lost {TIMED_OUT}")
    double.mood("squeue", *["fail Unable to contact slurm controller"] * 5)
    seen = outcome(double, a_job(tmp_path))
    assert (seen.state, seen.slurm_id) == (JobState.RUNNING, "100")
    assert len(double.calls("squeue")) == 6


@pytest.mark.parametrize(
    "complaint",
    [
        "Batch job submission failed: Invalid job array specification",
        "invalid partition specified: gpu",
        "Batch job submission failed: Job violates accounting/QOS policy",
    ],
)
def test_refusal_is_told_at_once_in_slurms_words(double: Double, tmp_path: Path, complaint: str) -> None:
    double.mood("sbatch", f"fail {complaint}")
    seen = outcome(double, a_job(tmp_path))
    assert (seen.state, seen.cause) == (JobState.FAILED, complaint)
    assert len(double.calls()) == 1


def test_host_without_slurm_is_told(tmp_path: Path) -> None:
    seen = outcome(Double(tmp_path / "double", programs=()), a_job(tmp_path))
    assert (seen.state, seen.cause) == (JobState.FAILED, "there is no sbatch on this host")


def test_folder_for_the_output_that_cannot_be_made_is_told_before_anything_is_submitted(
    double: Double, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    seen = outcome(double, a_job(tmp_path, log=str(tmp_path / "file" / "%A_%a.out")))
    assert seen.state is JobState.FAILED
    assert not double.calls()


def test_restart_looks_for_what_was_being_submitted_and_submits_nothing(
    double: Double, tmp_path: Path
) -> None:
    job = a_job(tmp_path)
    outcome(double, job)
    world = World(Facts(jobs=(job,)))
    told: list[Event] = []
    programs = double.programs()
    slurm = Slurm(told.append, programs, submitter=Submitter(programs, looks_s=LOOKS_S))
    asyncio.run(_all(slurm, world))
    last = told[-1]
    assert isinstance(last, JobSeen)
    assert (last.state, last.slurm_id) == (JobState.RUNNING, "100")
    assert len(double.calls("sbatch")) == 1


def test_outcome_that_could_not_be_recorded_is_told_again(double: Double, tmp_path: Path) -> None:
    job = a_job(tmp_path)
    told: list[Event] = []
    slurm = Slurm(told.append, double.programs())
    asyncio.run(slurm.perform(SubmitJob(job=job)))
    # The disk was full: the record says that it is still being submitted.
    asyncio.run(_all(slurm, World(Facts(jobs=(job,)))))
    assert told[-1] == told[0]
    assert len(double.calls("sbatch")) == 1


@pytest.mark.parametrize("what", ["cancel", "hold"])
def test_what_was_asked_before_a_restart_is_asked_again(double: Double, tmp_path: Path, what: str) -> None:
    job = a_job(tmp_path)
    outcome(double, job)
    assert job.array is not None
    array = replace(job.array, slurm_id="100", cancel=Cancel.WAITING if what == "cancel" else Cancel.NOTHING)
    job = replace(job, state=JobState.RUNNING, array=array, cause="" if what == "cancel" else "three failed")
    world = World(Facts(jobs=(job,), tasks=(Task(job_id=job.id, index=1),)))
    asyncio.run(_all(Slurm(lambda _: None, double.programs()), world))
    if what == "cancel":
        assert not double.queue
    else:
        assert double.calls("scontrol")[0]["arguments"] == ["hold", "JobName=tui-sweeps-ab12cd34"]


async def _all(slurm: Slurm, world: World) -> None:
    for work in slurm.take_up(world):
        await work
