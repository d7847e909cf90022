"""Performs effects: asks search, judges runs, starts agents. Answers come back as events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Protocol, assert_never

from controller.domain.agents import Job, JobState
from controller.domain.effects import (
    ArrayEffect,
    CancelTasks,
    CheckEarlyTermination,
    Effect,
    ForgetCurves,
    HoldTasks,
    LimitTasks,
    StartJob,
    SubmitJob,
    Suggest,
)
from controller.domain.events import Event, JobSeen
from controller.domain.world import World
from controller.engine.judging import Judge
from controller.engine.suggesting import Suggester


class Launcher(Protocol):
    """Starts agents and sees them end; `controller.launch` has the real ones."""

    def start(self, job: Job) -> tuple[int, int, str]:
        """Start a job's agent; return pid, start time in kernel ticks, and the path of its log.

        May block. Raises:
            OSError: it could not be started; the text says why.
        """
        ...

    def watch(self, pid: int, ticks: int, ended: Callable[[str], None]) -> None:
        """Call `ended` with a cause once the process is gone."""
        ...

    def forget(self) -> None:
        """Stop watching; the processes go on."""
        ...


class Cluster(Protocol):
    """Does what was decided about arrays; `controller.launch` has the real one, for SLURM."""

    def perform(self, effect: ArrayEffect) -> Coroutine[None, None, None]:
        """Return the work of an effect; its outcome comes as an event."""
        ...

    def take_up(self, world: World) -> Iterator[Coroutine[None, None, None]]:
        """Yield the work that was under way when the World was recorded."""
        ...


class HousePerformer:
    """The performer of a running controller."""

    def __init__(
        self,
        *,
        post: Callable[[Event], None],
        look: Callable[[], World],
        judge: Judge,
        spawn: Callable[[Coroutine[None, None, None]], object],
        launcher: Launcher,
        cluster: Cluster,
    ) -> None:
        self._post = post
        self._spawn = spawn
        self._judge = judge
        self._suggester = Suggester(post, look)
        self._launcher = launcher
        self._cluster = cluster
        self._started: dict[str, JobSeen | None] = {}
        """What became of each job's start, until the record knows; None while it is being started."""

    def perform(self, effect: Effect, world: World) -> None:
        """Start doing it."""
        match effect:
            case Suggest():
                self._suggester.perform(effect, world)
            case CheckEarlyTermination():
                self._spawn(self._judge.judge(effect, world))
            case ForgetCurves(sweep_id=sweep_id):
                self._judge.forget_sweep(sweep_id)
            case StartJob(job=job):
                self._started[job.id] = None
                self._spawn(self._start(job))
            case SubmitJob() | CancelTasks() | LimitTasks() | HoldTasks():
                self._spawn(self._cluster.perform(effect))
            case _:
                assert_never(effect)

    def restarted(self, world: World) -> None:
        """Watch the agents that run already; start those that were written down and not started."""
        self._suggester.forget()
        self._judge.forget()
        self._launcher.forget()
        for work in self._cluster.take_up(world):
            self._spawn(work)
        for job in world.jobs.values():
            if job.array is not None:
                continue
            match job.state:
                case JobState.SUBMITTING if job.id in self._started:
                    self._tell(self._started[job.id])
                case JobState.RUNNING if job.pid is not None:
                    self._follow(job.id, job.pid, job.started_ticks or 0)
                case JobState.SUBMITTING:
                    # Whether it was started cannot be known: an agent that came up has joined by
                    # itself; starting a second one would double the user's agents.
                    cause = "the controller ended while starting it"
                    joined = any(agent.job_id == job.id for agent in world.agents.values())
                    if not joined:
                        self._post(JobSeen(job_id=job.id, state=JobState.FAILED, cause=cause))
                case _:
                    pass

    def close(self) -> None:
        """Let go of everything; agents go on."""
        self._launcher.forget()
        self._suggester.close()

    async def _start(self, job: Job) -> None:
        try:
            pid, ticks, log = await asyncio.to_thread(self._launcher.start, job)
        except OSError as error:
            seen = JobSeen(job_id=job.id, state=JobState.FAILED, cause=str(error))
        else:
            seen = JobSeen(job_id=job.id, state=JobState.RUNNING, pid=pid, started_ticks=ticks, log=log)
        self._started[job.id] = seen
        self._tell(seen)

    def _tell(self, seen: JobSeen | None) -> None:
        """Say what became of a job's start; told again when it was lost with a refused record."""
        if seen is None:
            return
        self._post(seen)
        if seen.pid is not None:
            self._follow(seen.job_id, seen.pid, seen.started_ticks or 0)

    def _follow(self, job_id: str, pid: int, ticks: int) -> None:
        def ended(cause: str) -> None:
            self._post(JobSeen(job_id=job_id, state=JobState.ENDED, cause=cause))

        self._launcher.watch(pid, ticks, ended)
