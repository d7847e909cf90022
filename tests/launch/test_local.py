"""Local agents: sessions of their own, known by pid and start time, their end seen without polling."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from controller.domain.agents import Job, JobKind
from controller.launch.local import LaunchError, LocalLauncher, Watch, reap, start, started_ticks

JOB = Job(id="job00001", kind=JobKind.LOCAL, sweep_id="sweep001")


@pytest.fixture
def pids() -> Iterator[list[int]]:
    """Collect what a test starts; whatever of it is left is ended by its pid."""
    found: list[int] = []
    yield found
    for pid in found:
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


def launcher(tmp_path: Path, command: Sequence[str]) -> LocalLauncher:
    return LocalLauncher(
        command=lambda job: [*command, job.id], environment={"MARK": "m"}, logs=tmp_path / "logs"
    )


def kill(pid: int) -> None:
    """End a process and wait until it has, leaving it to be collected."""
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


async def end_of(pid: int, ticks: int, watch: Watch) -> str:
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    watch.add(pid, ticks, ended.set_result)
    async with asyncio.timeout(30):
        return await ended


def test_agent_is_started_with_its_command_environment_and_a_log_of_ours_alone(
    tmp_path: Path, pids: list[int]
) -> None:
    program = (
        "import os, sys; print(sys.argv[1], os.environ['MARK'], os.getsid(0) == os.getpid(), os.getcwd())"
    )

    async def script() -> Path:
        starter = launcher(tmp_path, [sys.executable, "-S", "-c", program])
        pid, ticks, log = starter.start(JOB)
        pids.append(pid)
        ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        starter.watch(pid, ticks, ended.set_result)
        async with asyncio.timeout(30):
            assert await ended == "exit code 0"
        return Path(log)

    log = asyncio.run(script())
    assert log.read_text() == "job00001 m True /\n"
    assert log.stat().st_mode & 0o777 == 0o600
    assert log.parent.stat().st_mode & 0o777 == 0o700
    assert log.parent == tmp_path / "logs"


def test_log_of_an_agent_is_appended_to(tmp_path: Path, pids: list[int]) -> None:
    log = tmp_path / "agent.log"
    log.write_text("before\n")

    async def script() -> None:
        program = "import sys; print('out'); print('err', file=sys.stderr)"
        started = start([sys.executable, "-S", "-c", program], log=log, environment={})
        pids.append(started.pid)
        await end_of(started.pid, started.started_ticks, Watch())

    asyncio.run(script())
    assert sorted(log.read_text().split()) == ["before", "err", "out"]


@pytest.mark.parametrize("how", ["missing", "not executable", "log in the way"])
def test_agent_that_cannot_be_started_says_which_and_why(tmp_path: Path, how: str) -> None:
    program = tmp_path / "program"
    if how != "missing":
        program.write_text("#!/bin/sh\n")
    if how == "log in the way":
        program.chmod(0o700)
        (tmp_path / "logs").write_text("a file, no directory")
    with pytest.raises(LaunchError) as caught:
        launcher(tmp_path, [str(program)]).start(JOB)
    assert str(program) in str(caught.value)
    assert isinstance(caught.value, OSError)


@pytest.mark.parametrize(("code", "cause"), [(0, "exit code 0"), (3, "exit code 3"), (75, "exit code 75")])
def test_end_is_told_with_the_exit_code(tmp_path: Path, pids: list[int], code: int, cause: str) -> None:
    async def script() -> None:
        program = f"import os; os._exit({code})"
        started = start([sys.executable, "-S", "-c", program], log=tmp_path / "log", environment={})
        pids.append(started.pid)
        assert await end_of(started.pid, started.started_ticks, Watch()) == cause

    asyncio.run(script())


def test_end_by_a_signal_is_told_at_once(tmp_path: Path, pids: list[int]) -> None:
    async def script() -> None:
        started = start(["/bin/sleep", "60"], log=tmp_path / "log", environment={})
        pids.append(started.pid)
        end = asyncio.create_task(end_of(started.pid, started.started_ticks, Watch()))
        await asyncio.sleep(0)
        os.kill(started.pid, signal.SIGKILL)
        assert await end == "signal 9"
        assert reap(started.pid) == "", "it is collected: no zombie stays"

    asyncio.run(script())


def test_end_before_the_watch_began_is_told_with_its_cause(tmp_path: Path, pids: list[int]) -> None:
    async def script() -> None:
        started = start(["/bin/sleep", "60"], log=tmp_path / "log", environment={})
        pids.append(started.pid)
        kill(started.pid)
        assert await end_of(started.pid, started.started_ticks, Watch()) == "signal 9"

    asyncio.run(script())


def test_a_reused_pid_is_not_mistaken_for_the_agent(tmp_path: Path, pids: list[int]) -> None:
    async def script() -> None:
        started = start(["/bin/sleep", "60"], log=tmp_path / "log", environment={})
        pids.append(started.pid)
        watch = Watch()
        cause = await end_of(started.pid, started.started_ticks - 1, watch)
        assert cause == "its process is gone"
        assert started_ticks(started.pid) == started.started_ticks, "and the other process is left alone"

    asyncio.run(script())


def test_a_pid_that_nobody_has_is_gone() -> None:
    async def script() -> None:
        assert await end_of(2**22 + 1, 5, Watch()) == "its process is gone"

    asyncio.run(script())


def test_agents_go_on_and_their_end_is_no_news_when_the_watch_is_over(
    tmp_path: Path, pids: list[int]
) -> None:
    async def script() -> None:
        starter = launcher(tmp_path, ["/bin/sh", "-c", "sleep 60"])
        pid, ticks, _ = starter.start(JOB)
        pids.append(pid)
        told: list[str] = []
        starter.watch(pid, ticks, told.append)
        starter.forget()
        assert started_ticks(pid) == ticks
        kill(pid)
        await asyncio.sleep(0)
        assert told == []

    asyncio.run(script())


def test_watching_the_same_agent_again_tells_its_end_once(tmp_path: Path, pids: list[int]) -> None:
    async def script() -> None:
        started = start(["/bin/sleep", "60"], log=tmp_path / "log", environment={})
        pids.append(started.pid)
        watch = Watch()
        told: list[str] = []
        watch.add(started.pid, started.started_ticks, told.append)
        n_open = len(os.listdir("/proc/self/fd"))
        end = asyncio.create_task(end_of(started.pid, started.started_ticks, watch))
        await asyncio.sleep(0)
        assert len(os.listdir("/proc/self/fd")) == n_open
        kill(started.pid)
        assert await end == "signal 9"
        assert told == []
        watch.close()
        assert len(os.listdir("/proc/self/fd")) == n_open - 1

    asyncio.run(script())


def test_started_ticks_are_none_for_the_dead(tmp_path: Path, pids: list[int]) -> None:
    started = start(["/bin/sleep", "60"], log=tmp_path / "log", environment={})
    pids.append(started.pid)
    assert started_ticks(started.pid) == started.started_ticks > 0
    kill(started.pid)
    assert started_ticks(started.pid) is None, "a zombie runs nothing"
    assert reap(started.pid) == "signal 9"
    assert started_ticks(started.pid) is None


def test_log_is_ours_alone_under_an_open_umask(tmp_path: Path, pids: list[int]) -> None:
    old = os.umask(0)
    try:
        pid, _, log = launcher(tmp_path, ["/bin/true"]).start(JOB)
        pids.append(pid)
    finally:
        os.umask(old)
    assert Path(log).stat().st_mode & 0o777 == 0o600
    assert Path(log).parent.stat().st_mode & 0o777 == 0o700
