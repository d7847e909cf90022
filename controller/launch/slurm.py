"""Does what was decided about SLURM arrays, and takes it up again after a restart."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator

from controller.domain.agents import Job, JobKind, JobState
from controller.domain.arrays import TASK_WAITS, Array, Cancel
from controller.domain.effects import ArrayEffect, CancelTasks, HoldTasks, LimitTasks, SubmitJob
from controller.domain.events import Event, JobSeen, JobSteered
from controller.domain.world import World
from controller.launch.programs import Output, Programs, short
from controller.launch.submitting import Submitter

Work = Coroutine[None, None, None]


class Slurm:
    """SLURM's side of the launch room; outcomes are posted as events."""

    def __init__(
        self, post: Callable[[Event], None], programs: Programs, *, submitter: Submitter | None = None
    ) -> None:
        self._post = post
        self._programs = programs
        self._submitter = submitter or Submitter(programs)
        self._told: dict[str, JobSeen | None] = {}
        """What became of each submission of ours, until the record knows; None while it is under way."""

    def perform(self, effect: ArrayEffect) -> Work:
        """Return the work of an effect; a submission counts as begun at once."""
        match effect:
            case SubmitJob(job=job):
                self._told[job.id] = None
                return self._submitter.submit(job, self._tell)
            case CancelTasks(job=job, waiting_only=waiting_only):
                return self._cancel(job, waiting_only=waiting_only)
            case LimitTasks(job=job, throttle=throttle):
                return self._limit(job, throttle)
            case HoldTasks(job=job, hold=hold):
                return self._hold(job, hold=hold)

    def take_up(self, world: World) -> Iterator[Work]:
        """Yield the work that was under way when the World was recorded."""
        for job in world.jobs.values():
            if job.kind is not JobKind.SLURM or job.array is None:
                continue
            if job.state is JobState.SUBMITTING:
                if job.id not in self._told:
                    self._told[job.id] = None
                    why = "the controller ended while submitting it"
                    yield self._submitter.find(job, self._tell, why=why)
                elif (told := self._told[job.id]) is not None:
                    self._post(told)
            elif job.state is JobState.RUNNING and _waits(world, job):
                if job.array.cancel is not Cancel.NOTHING:
                    yield self._cancel(job, waiting_only=job.array.cancel is Cancel.WAITING)
                elif job.cause and not job.array.held:
                    # Its first tasks failed at once.
                    yield self._hold(job, hold=True)

    def _tell(self, seen: JobSeen) -> None:
        self._told[seen.job_id] = None if seen.state is JobState.SUBMITTING else seen
        self._post(seen)

    async def _cancel(self, job: Job, *, waiting_only: bool) -> None:
        array = _array_of(job)
        arguments = [*_named(array, "--name="), *(["--state=PENDING"] if waiting_only else [])]
        said = await self._programs.run("scancel", *arguments, array.slurm_id)
        self._answer(job, said, JobSteered(job_id=job.id))

    async def _limit(self, job: Job, throttle: int) -> None:
        array = _array_of(job)
        said = await self._programs.run(
            "scontrol", "update", _addressed(array), f"ArrayTaskThrottle={throttle}"
        )
        self._answer(job, said, JobSteered(job_id=job.id, throttle=throttle))

    async def _hold(self, job: Job, *, hold: bool) -> None:
        array = _array_of(job)
        said = await self._programs.run(
            "scontrol", "hold" if hold else "release", _addressed(array, plain=True)
        )
        self._answer(job, said, JobSteered(job_id=job.id, held=hold))

    def _answer(self, job: Job, said: Output, obeyed: JobSteered) -> None:
        if said.ok:
            self._post(obeyed)
        else:
            self._post(JobSteered(job_id=job.id, problem=short(said.complaint)))


def _array_of(job: Job) -> Array:
    assert job.array is not None, "only arrays are steered"
    return job.array


def _named(array: Array, option: str) -> list[str]:
    return [option + array.name] if array.name else []


def _addressed(array: Array, *, plain: bool = False) -> str:
    """Return whom scontrol is told to change: by the unique name where there is one, for ids come back."""
    if array.name:
        return f"JobName={array.name}"
    return array.slurm_id if plain else f"JobId={array.slurm_id}"


def _waits(world: World, job: Job) -> bool:
    return any(task.state in TASK_WAITS for task in world.tasks_of[job.id].values())
