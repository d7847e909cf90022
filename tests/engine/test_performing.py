"""Effects at work: search inline and in its process, jobs started once and never forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, cast

from controller.domain.agents import Job, JobKind, JobState
from controller.domain.commands import LaunchAgents
from controller.domain.effects import StartJob
from controller.domain.events import AgentJoined, Event, JobSeen
from controller.domain.replies import Accepted
from controller.domain.world import Facts, World
from controller.engine.judging import Judge
from controller.engine.performing import HousePerformer
from controller.store import Store, StoreFullError
from tests.core.shop import Shop
from tests.engine.bench import HandClock, HandCluster, SlowStore, done, engine_of, opened, running, until


class HandLauncher:
    """Starts nothing; its processes live and die when we say so."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.watched: dict[int, Callable[[str], None]] = {}
        self.error: OSError | None = None
        self.n_forgotten = 0

    def start(self, job: Job) -> tuple[int, int, str]:
        if self.error is not None:
            raise self.error
        self.started.append(job.id)
        return 100 + len(self.started), 7, f"/logs/{job.id}"

    def watch(self, pid: int, ticks: int, ended: Callable[[str], None]) -> None:
        self.watched[pid] = ended

    def forget(self) -> None:
        self.n_forgotten += 1
        self.watched.clear()


class Desk:
    """A performer with everything around it in the hand."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()
        self.posted: list[Event] = []
        self.launcher = HandLauncher()
        self.cluster = HandCluster()
        self.performer = HousePerformer(
            post=self.posted.append,
            look=lambda: self.world,
            judge=Judge(cast("Store", None), self.posted.append),
            spawn=lambda work: asyncio.get_running_loop().create_task(work),
            launcher=self.launcher,
            cluster=self.cluster,
        )


def job(job_id: str = "job00001", **more: Any) -> Job:
    return Job(id=job_id, kind=JobKind.LOCAL, sweep_id="sweep001", **more)


def test_job_is_started_told_of_and_watched() -> None:
    async def script() -> None:
        desk = Desk()
        desk.performer.perform(StartJob(job=job()), desk.world)
        await until(lambda: desk.posted)
        assert desk.posted == [
            JobSeen(job_id="job00001", state=JobState.RUNNING, pid=101, started_ticks=7, log="/logs/job00001")
        ]
        desk.launcher.watched[101]("signal 9")
        assert desk.posted[1:] == [JobSeen(job_id="job00001", state=JobState.ENDED, cause="signal 9")]

    asyncio.run(script())


def test_job_that_cannot_be_started_says_why() -> None:
    async def script() -> None:
        desk = Desk()
        desk.launcher.error = OSError("cannot start x: no such file")
        desk.performer.perform(StartJob(job=job()), desk.world)
        await until(lambda: desk.posted)
        cause = "cannot start x: no such file"
        assert desk.posted == [JobSeen(job_id="job00001", state=JobState.FAILED, cause=cause)]

    asyncio.run(script())


def test_restart_takes_up_running_jobs_and_starts_none_twice() -> None:
    async def script() -> None:
        jobs = (
            job("running1", state=JobState.RUNNING, pid=5, started_ticks=6),
            job("halfway1", state=JobState.SUBMITTING),
            job("ended001", state=JobState.ENDED, pid=8),
        )
        desk = Desk(World(Facts(jobs=jobs)))
        desk.performer.restarted(desk.world)
        assert list(desk.launcher.watched) == [5]
        cause = "the controller ended while starting it"
        assert desk.posted == [JobSeen(job_id="halfway1", state=JobState.FAILED, cause=cause)]
        assert desk.launcher.started == []

    asyncio.run(script())


def test_restart_believes_a_job_whose_agent_has_joined() -> None:
    async def script() -> None:
        shop = Shop()
        sweep = shop.create()
        launched = shop.tell(LaunchAgents(sweep_id=sweep))
        assert isinstance(launched, Accepted)
        shop.join("a", sweep, job_id=launched.ids[0])
        desk = Desk(shop.world)
        desk.performer.restarted(desk.world)
        assert desk.posted == []

    asyncio.run(script())


def test_a_start_whose_record_was_refused_is_told_again() -> None:
    async def script() -> None:
        desk = Desk(World(Facts(jobs=(job(),))))
        desk.performer.perform(StartJob(job=job()), desk.world)
        desk.performer.restarted(desk.world)  # while it is being started
        assert desk.posted == []
        await until(lambda: desk.posted)
        (seen,) = desk.posted
        desk.posted.clear()
        desk.performer.restarted(desk.world)  # the word was lost: the world still says `submitting`
        assert desk.posted == [seen]
        assert list(desk.launcher.watched) == [101]
        assert desk.launcher.started == ["job00001"]

    asyncio.run(script())


def test_a_job_started_while_the_disk_was_full_is_known_afterwards() -> None:
    async def script() -> None:
        store, clock = SlowStore(), HandClock()
        store.on_commit = lambda delta, future: future.set_result(None)
        engine = engine_of(store, clock)
        launcher = HandLauncher()
        tasks: list[Coroutine[None, None, None]] = []
        engine.performer = HousePerformer(
            post=engine.post,
            look=lambda: engine.world,
            judge=Judge(cast("Store", store), engine.post),
            spawn=tasks.append,
            launcher=launcher,
            cluster=HandCluster(),
        )
        async with running(engine):
            sweep_id = await opened(engine)
            launched = await engine.submit(LaunchAgents(sweep_id=sweep_id))
            assert isinstance(launched, Accepted)
            store.facts = engine.world.facts()
            store.on_commit = lambda delta, future: done(future, StoreFullError("full"))
            await tasks[0]
            await until(lambda: engine.storage != "ok")
            store.on_commit = lambda delta, future: future.set_result(None)

            def probed() -> bool:
                clock.now_s += 0.5
                return bool(store.probes)

            await until(probed)
            done(store.probes[0])
            await until(lambda: engine.world.jobs[launched.ids[0]].state is JobState.RUNNING)
            assert launcher.started == [launched.ids[0]]
            launcher.watched[101]("signal 9")
            await until(lambda: engine.world.jobs[launched.ids[0]].state is JobState.ENDED)

    asyncio.run(script())


def test_a_death_seen_while_the_disk_was_full_is_known_afterwards(tmp_path: Path) -> None:
    async def script() -> None:
        store, clock = SlowStore(), HandClock()
        store.on_commit = lambda delta, future: future.set_result(None)
        engine = engine_of(store, clock)
        launcher = HandLauncher()
        engine.performer = HousePerformer(
            post=engine.post,
            look=lambda: engine.world,
            judge=Judge(cast("Store", store), engine.post),
            spawn=asyncio.get_running_loop().create_task,
            launcher=launcher,
            cluster=HandCluster(),
        )
        async with running(engine):
            sweep_id = await opened(engine)
            launched = await engine.submit(LaunchAgents(sweep_id=sweep_id))
            assert isinstance(launched, Accepted)
            (job_id,) = launched.ids
            await until(lambda: engine.world.jobs[job_id].state is JobState.RUNNING)
            joined = AgentJoined(agent_id="a", sweep_id=sweep_id, host="h", pid=101, job_id=job_id)
            await engine.submit(joined)
            store.facts = engine.world.facts()
            store.on_commit = lambda delta, future: done(future, StoreFullError("full"))
            launcher.watched[101]("signal 9")
            await until(lambda: engine.storage != "ok")
            store.on_commit = lambda delta, future: future.set_result(None)
            launcher.watched.clear()

            def probed() -> bool:
                clock.now_s += 0.5
                return bool(store.probes)

            await until(probed)
            done(store.probes[0])
            await until(lambda: 101 in launcher.watched)

    asyncio.run(script())
