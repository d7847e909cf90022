"""The one poller: asks SLURM about all arrays in one call, seldom, and only when there is something to learn.

Agents speak for themselves; SLURM is asked only while a task waits or an agent is overdue. Sites end tools
whose users' queries slow slurmctld down, so calls are a minute apart at least, further apart while nothing
changes or no answer comes, and never two at a time. `scontrol` is asked only about arrays with a task whose
end nobody explained, `sacct` only about tasks that SLURM's memory has lost, and only where it works.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from time import localtime, strftime
from typing import Protocol

from controller.domain.agents import Job
from controller.domain.arrays import TASK_OVER, Array
from controller.domain.events import Event, TasksSeen
from controller.domain.timing import TIMING, Timing
from controller.domain.world import World
from controller.launch.answers import index_of, is_ours, is_single, recorded, task_seen
from controller.launch.overdue import needs_detail, unexplained
from controller.launch.parsing import (
    QUEUE_ARGUMENTS,
    RECORD_FIELDS,
    JobDetail,
    QueueRow,
    Record,
    read_details,
    read_queue,
    read_records,
)
from controller.launch.programs import Programs, short

log = logging.getLogger(__name__)

FIRST_S = 10.0
"""After a submission SLURM is asked this soon, if it was not asked within the last minute: many mistakes show
in the first seconds."""
LONGEST_S = 600.0
"""Furthest apart when nothing changes."""
SLOWER = 1.5
JITTER_FRACTION = 0.1
"""Controllers of many users must not ask in the same second."""
N_DETAILS = 10
"""Arrays that are asked about one by one in a turn."""
NO_RECORDS_S = 3600.0
"""How long sacct is left alone after it failed: many sites keep no accounting."""


class Clock(Protocol):
    """Where the poller reads the time."""

    def wall(self) -> float:
        """Return Unix seconds."""
        ...

    def mono(self) -> float:
        """Return monotonic seconds."""
        ...


class Poller:
    """Asks when it is time, and posts what SLURM told."""

    def __init__(
        self,
        *,
        post: Callable[[Event], None],
        look: Callable[[], World],
        programs: Programs,
        clock: Clock,
        every_s: float,
        timing: Timing = TIMING,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._post = post
        self._look = look
        self._programs = programs
        self._clock = clock
        self._every_s = every_s
        self._timing = timing
        self._chance = chance
        self._pace_s = every_s
        """Time to the next question: longer while nothing changes."""
        self._asked_s = float("-inf")
        self._wanted_s: float | None = None
        """Since when something is to be learned; None: nothing is."""
        self._about: frozenset[str] = frozenset()
        self._told: object = None
        self._records_s = float("-inf")
        """When sacct may be tried again."""

    async def run(self) -> None:
        """Work until cancelled."""
        pause_s = min(5.0, self._every_s / 10)
        while True:
            await asyncio.sleep(pause_s)
            try:
                await self.turn()
            except Exception:
                log.exception("SLURM's answer could not be followed up")

    async def turn(self) -> None:
        """Ask if it is time."""
        now_s = self._clock.mono()
        world = self._look()
        jobs = unexplained(world, now_s, self._timing)
        about = frozenset(job.id for job in jobs)
        if about - self._about:
            self._pace_s = self._every_s
            self._wanted_s = now_s
        self._about = about
        if not jobs or self._wanted_s is None:
            return
        first_s = self._wanted_s + min(FIRST_S, self._every_s)
        if now_s < max(first_s, self._asked_s + self._pace_s):
            return
        self._asked_s = now_s
        self._pace(await self._ask(world, jobs))

    def _pace(self, told: object) -> None:
        """Ask later again while nothing changes or nobody answers."""
        if told is not None and told != self._told:
            pace_s = self._every_s
        else:
            pace_s = min(self._pace_s * SLOWER, max(LONGEST_S, self._every_s))
        self._told = told
        self._pace_s = pace_s * (1 + JITTER_FRACTION * self._chance())

    async def _ask(self, world: World, jobs: list[Job]) -> object:
        """Ask about these arrays; return what was told, to be compared with the next answer."""
        asked_at = self._clock.wall()
        said = await self._programs.run("squeue", *QUEUE_ARGUMENTS)
        if not said.ok:
            # SLURM being away says nothing about a task.
            log.warning("squeue: %s", short(said.complaint))
            return None
        rows: dict[str, list[QueueRow]] = {}
        for row in read_queue(said.text):
            rows.setdefault(row.array_id, []).append(row)
        for n, job in enumerate(jobs):
            array = job.array
            if array is None or any(not is_ours(row, array) for row in rows.get(array.slurm_id, ())):
                continue  # the id came back with somebody else's job
            mine = {index_of(row): row for row in rows.get(array.slurm_id, ()) if is_single(row, array)}
            await self._explain(world, job, array, mine, asked_at, detailed=n < N_DETAILS)
        ids = {job.array.slurm_id for job in jobs if job.array}
        return [(r.array_id, r.index, r.state, r.reason) for i in sorted(ids) for r in rows.get(i, ())]

    async def _explain(
        self,
        world: World,
        job: Job,
        array: Array,
        rows: dict[int, QueueRow],
        asked_at: float,
        *,
        detailed: bool,
    ) -> None:
        now_s = self._clock.mono()
        open_tasks = [task for task in world.tasks_of[job.id].values() if task.state not in TASK_OVER]
        details: dict[int, JobDetail] = {}
        if detailed and any(needs_detail(task, rows, world, now_s, self._timing) for task in open_tasks):
            said = await self._programs.run("scontrol", "--oneliner", "show", "job", array.slurm_id)
            details = {d.index or 0: d for d in read_details(said.text)} if said.ok else {}
        seen = [task_seen(row, details.get(index)) for index, row in rows.items()]
        lost = [task for task in open_tasks if task.index not in rows]
        if lost and any(task.agent_id or task.raw not in ("", "PENDING") for task in lost):
            records = await self._records(array, asked_at)
            indexes = {task.index for task in lost}
            seen += [found for r in records if (r.index or 0) in indexes and (found := recorded(r))]
        self._post(TasksSeen(job_id=job.id, tasks=tuple(seen), complete=True, asked_at=asked_at))

    async def _records(self, array: Array, asked_at: float) -> Iterable[Record]:
        """Return what the accounting database knows, the last of each task; nothing where there is none."""
        now_s = self._clock.mono()
        if now_s < self._records_s:
            return ()
        # Without a start sacct begins at midnight.
        since = strftime("%Y-%m-%dT%H:%M:%S", localtime(array.submitted_at or asked_at - 86400.0))
        said = await self._programs.run(
            "sacct",
            "--noheader",
            "--parsable2",
            "--allocations",
            "--duplicates",
            f"--starttime={since}",
            f"--jobs={array.slurm_id}",
            f"--format={RECORD_FIELDS}",
        )
        if not said.ok:
            self._records_s = now_s + NO_RECORDS_S
            log.info("sacct: %s; it is left alone for an hour", short(said.complaint))
            return ()
        return {record.index: record for record in read_records(said.text)}.values()
