"""The poller asks seldom, only when there is something to learn, and believes no answer too much."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest

from controller.domain.agents import Agent, Job, JobKind, JobState
from controller.domain.arrays import Array, Fate, Task, TaskState
from controller.domain.changes import AgentSet, TasksSet
from controller.domain.events import Event, TaskSeen, TasksSeen
from controller.domain.sweeps import Method, Sweep, SweepConfig
from controller.domain.timing import TIMING
from controller.domain.world import Facts, World
from controller.launch.poller import FIRST_S, LONGEST_S, Poller
from controller.launch.programs import Output, Programs
from tests.launch.double import Double

NAME = "tui-sweeps-ab12cd34"
EVERY_S = 60.0


class HandClock:
    """A clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def mono(self) -> float:
        return self.now_s

    def wall(self) -> float:
        return 1_000_000.0 + self.now_s


class Desk:
    """A poller before a double, an array of three tasks submitted, the clock in the hand."""

    def __init__(self, place: Path, *, name: str = NAME, n_tasks: int = 3) -> None:
        self.double = Double(place / "double")
        self.clock = HandClock()
        self.posted: list[Event] = []
        programs = self.double.programs()
        asyncio.run(programs.run("sbatch", f"--job-name={NAME}", f"--array=1-{n_tasks}", text=""))
        array = Array(name=name, spec=f"1-{n_tasks}", n_tasks=n_tasks, slurm_id="100")
        job = Job(id="ab12cd34", kind=JobKind.SLURM, sweep_id="s", state=JobState.RUNNING, array=array)
        config = SweepConfig(method=Method.GRID, parameters=(), metric=None)
        sweep = Sweep(id="s", config=config, source="", directory="/", project="p", entity="e", name="n")
        tasks = tuple(Task(job_id=job.id, index=n) for n in range(1, n_tasks + 1))
        self.world = World(Facts(sweeps=(sweep,), jobs=(job,), tasks=tasks))
        self.poller = self.another(programs)

    def another(self, programs: Programs) -> Poller:
        return Poller(
            post=self.posted.append,
            look=lambda: self.world,
            programs=programs,
            clock=self.clock,
            every_s=EVERY_S,
            chance=lambda: 0.0,
        )

    def turn(self, seconds: float = 0.0) -> None:
        self.clock.now_s += seconds
        asyncio.run(self.poller.turn())

    def ask(self) -> list[TaskSeen]:
        """Have the poller ask now; return what it told."""
        self.posted.clear()
        self.turn()
        self.turn(LONGEST_S * 1.2)
        (event,) = self.posted
        assert isinstance(event, TasksSeen)
        return sorted(event.tasks, key=lambda seen: seen.index)

    def n_asked(self, program: str = "squeue") -> int:
        return len(self.double.calls(program))

    def come_up(self, index: int) -> None:
        agent = Agent(id=f"a{index}", sweep_id="s", host="n1", pid=1, job_id="ab12cd34")
        task = Task(job_id="ab12cd34", index=index, state=TaskState.RUNNING, agent_id=agent.id)
        self.world.evolve([AgentSet(agent=agent), TasksSet(job_id="ab12cd34", tasks=(task,))])
        self.world.heard_s[agent.id] = self.clock.now_s

    def finish(self, *indexes: int) -> None:
        tasks = tuple(Task(job_id="ab12cd34", index=n, state=TaskState.FINISHED) for n in indexes)
        self.world.evolve([TasksSet(job_id="ab12cd34", tasks=tasks)])


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_first_question_comes_soon_and_the_next_a_minute_later_at_least(desk: Desk) -> None:
    desk.turn()
    desk.turn(FIRST_S - 0.1)
    assert desk.n_asked() == 0
    desk.turn(0.2)
    assert desk.n_asked() == 1
    desk.turn(EVERY_S - 0.1)
    assert desk.n_asked() == 1
    desk.turn(0.2)
    assert desk.n_asked() == 2


def test_questions_come_further_apart_while_nothing_changes(desk: Desk) -> None:
    asked: list[float] = []
    desk.poller = desk.another(Counting(asked, desk.clock))  # type: ignore[arg-type]
    for _ in range(1800):
        desk.turn(5.0)
    gaps = [after - before for before, after in itertools.pairwise(asked)]
    assert min(gaps) >= EVERY_S
    assert gaps == sorted(gaps)
    assert gaps[-1] >= LONGEST_S


class Counting:
    """Programs that answer nothing new; only when they were asked is of interest."""

    def __init__(self, asked: list[float], clock: HandClock) -> None:
        self._asked, self._clock = asked, clock

    async def run(self, program: str, *arguments: str, **more: Any) -> Output:
        self._asked.append(self._clock.now_s)
        return Output(code=0)


def test_nothing_is_asked_while_every_agent_speaks_for_itself(desk: Desk) -> None:
    for index in (1, 2, 3):
        desk.come_up(index)
    desk.turn()
    desk.turn(FIRST_S + 1)
    assert desk.n_asked() == 0
    # An agent is overdue.
    desk.turn(TIMING.silence_for(3))
    desk.turn(FIRST_S + 1)
    assert desk.n_asked() == 1


def test_nothing_is_asked_when_all_is_over(desk: Desk) -> None:
    desk.finish(1, 2, 3)
    desk.turn()
    desk.turn(1_000.0)
    assert not desk.posted
    assert desk.n_asked() == 0


def test_all_arrays_are_asked_about_in_one_call(desk: Desk) -> None:
    assert [seen.state for seen in desk.ask()] == [TaskState.QUEUED] * 3
    (call,) = desk.double.calls("squeue")
    assert "--name" not in " ".join(call["arguments"])
    assert desk.n_asked("scontrol") == desk.n_asked("sacct") == 0


def test_reasons_are_told_as_they_are(desk: Desk) -> None:
    desk.double.set_task(2, reason="QOSMaxJobsPerUserLimit")
    seen = desk.ask()[1]
    assert (seen.state, seen.reason) == (TaskState.BLOCKED, "QOSMaxJobsPerUserLimit")


def test_end_is_explained_by_one_more_question(desk: Desk) -> None:
    desk.double.set_task(1, state="FAILED", exit="0:53", ran="0:02", node="n1")
    seen = desk.ask()[0]
    assert (seen.state, seen.exit, seen.ran_s) == (TaskState.NEVER_STARTED, "0:53", 2.0)
    assert (seen.fate, seen.node) == (Fate.LOST, "n1")
    assert desk.n_asked("scontrol") == 1


def test_requeued_task_of_a_silent_agent_is_told_by_its_restarts(desk: Desk) -> None:
    desk.come_up(1)
    desk.double.set_task(1, state="PENDING", reason="BeginTime", restarts="1")
    assert desk.ask()[0].restart == 1


@pytest.mark.parametrize("mood", ["fail Unable to contact slurm controller", "slow 30"])
def test_nothing_is_concluded_when_slurm_does_not_answer(desk: Desk, mood: str) -> None:
    desk.poller = desk.another(desk.double.programs(limit_s=0.5))
    desk.double.mood("squeue", mood)
    desk.turn()
    desk.turn(FIRST_S)
    assert not desk.posted


def test_scontrol_that_fails_leaves_squeues_word(desk: Desk) -> None:
    desk.double.set_task(1, state="FAILED", exit="1:0", node="n1")
    desk.double.mood("scontrol", "fail slurm_load_jobs error")
    seen = desk.ask()[0]
    assert (seen.state, seen.exit, seen.restart) == (TaskState.FAILED, "", None)


def test_scontrol_that_contradicts_squeue_is_not_believed(desk: Desk) -> None:
    desk.double.set_task(1, state="RUNNING", detail_state="FAILED", exit="1:0", restarts="4")
    desk.come_up(1)
    seen = desk.ask()[0]
    assert (seen.state, seen.fate, seen.restart) == (TaskState.RUNNING, Fate.KEEP, None)


def test_id_that_came_back_with_another_job_tells_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path, name="tui-sweeps-zz99zz99")
    desk.turn()
    desk.turn(FIRST_S)
    assert desk.n_asked() == 1
    assert not desk.posted


def test_task_that_slurm_forgot_is_looked_up_in_the_accounts(desk: Desk, tmp_path: Path) -> None:
    desk.come_up(1)
    desk.double.forget(1)
    records = tmp_path / "records"
    records.write_text("100_1|101|PENDING|0:0|0|None assigned\n100_1|101|TIMEOUT|0:0|60|n1\n")
    desk.double.mood("sacct", f"say {records}")
    seen = desk.ask()[0]
    assert (seen.index, seen.state, seen.fate) == (1, TaskState.TIMED_OUT, Fate.PREEMPTED)


def test_accounts_that_say_pending_of_a_job_that_is_gone_are_not_believed(desk: Desk, tmp_path: Path) -> None:
    desk.come_up(1)
    desk.double.forget(1)
    records = tmp_path / "records"
    records.write_text("100_1|101|RUNNING|0:0|9|n1\n")
    desk.double.mood("sacct", f"say {records}")
    assert [seen.index for seen in desk.ask()] == [2, 3]


def test_accounts_that_a_site_does_not_keep_are_left_alone(desk: Desk) -> None:
    desk.come_up(1)
    desk.double.forget(1)
    desk.double.mood("sacct", *["fail Slurm accounting storage is disabled"] * 5)
    for _ in range(3):
        desk.ask()
    assert desk.n_asked("sacct") == 1
