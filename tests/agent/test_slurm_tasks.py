"""An agent that is a SLURM task: what it says, asks, and finds again."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from controller.agent import Steering
from controller.client import connection
from controller.domain.events import AgentJoined, RunAsked, RunEnded
from controller.domain.states import AttemptState
from controller.settings import Home

from .conftest import Bench, shell
from .fake import FakeController
from .slurm import Slurm
from .test_ends import _started


@pytest.fixture
def bench(tmp_path: Path, slurm: Slurm) -> Bench:
    made = Bench(tmp_path)
    made.steering = Steering(in_slurm=True, clock=lambda: made.now_s)
    return made


def test_agent_says_which_task_it_is_and_how_to_cancel_it(bench: Bench, slurm: Slurm) -> None:
    assert bench.run(("/bin/true",)) == 0
    joined = bench.controller.events[0]
    assert isinstance(joined, AgentJoined)
    assert (joined.job, joined.node, joined.cluster, joined.restart) == ("8_3", "n1", "lab", 0)
    assert (joined.array_job, joined.array_task, joined.slurm_job) == ("8", "3", "9")
    assert "SLURM task 8_3, restart 0; to cancel it: scancel 8_3" in bench.said.getvalue()


def test_agent_tells_how_much_time_it_has_where_that_matters(bench: Bench, slurm: Slurm) -> None:
    slurm.says(RunTime="00:10:00", TimeLimit="01:00:00")
    bench.run(("/bin/true",), prepare=lambda c: c.joined_extra.update(time_matters=True))
    asked = next(e for e in bench.controller.events if isinstance(e, RunAsked))
    assert asked.time_left_s is not None
    assert 2900.0 < asked.time_left_s <= 3000.0


def test_agent_asks_without_its_time_where_slurm_is_away(bench: Bench, slurm: Slurm, tmp_path: Path) -> None:
    (tmp_path / "bin" / "scontrol").write_text("#!/bin/sh\nexit 1\n")
    bench.run(("/bin/true",), prepare=lambda c: c.joined_extra.update(time_matters=True))
    asked = next(e for e in bench.controller.events if isinstance(e, RunAsked))
    assert asked.time_left_s is None


def test_agent_begins_without_waiting_for_slurm_where_time_does_not_matter(
    bench: Bench, slurm: Slurm, tmp_path: Path
) -> None:
    (tmp_path / "bin" / "scontrol").write_text("#!/bin/sh\nexec sleep 1000\n")
    assert bench.run(("/bin/true",)) == 0


def test_requeued_task_tells_what_it_left_behind_before_it_asks(
    bench: Bench, slurm: Slurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away_at_the_end(bench: Bench) -> None:
        await _started(bench)
        bench.controller.away = True
        bench.steering.signal(signal.SIGTERM)

    slurm.says(JobState="COMPLETING", Restarts=1)
    bench.run(("/bin/sleep", "1000"), meanwhile=away_at_the_end, flush_s=0.1, grace_s=0.1)
    assert bench.attempt.ended is None
    before = bench.controller.attempts

    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    bench.steering = Steering(in_slurm=True)

    def same_store(controller: FakeController) -> None:
        controller.attempts = before

    bench.run(("/bin/true",), prepare=same_store)
    ends = [n for n, e in enumerate(bench.controller.events) if isinstance(e, RunEnded) and e.token == 1]
    first_ask = next(n for n, e in enumerate(bench.controller.events) if isinstance(e, RunAsked))
    assert ends
    assert ends[0] < first_ask
    ended = before[1].ended
    assert ended is not None
    assert (ended.state, ended.comes_back) == (AttemptState.PREEMPTED, True)


def test_checkpoints_stay_where_they_are_and_a_resumed_run_is_told(bench: Bench, slurm: Slurm) -> None:
    command = shell('echo "$TUI_SWEEPS_CHECKPOINT_DIR $TUI_SWEEPS_RESUME"')
    bench.run(command, prepare=lambda c: setattr(c, "resume", True))
    assert bench.attempt.lines[0] == f"{bench.place().parent / 'checkpoints'} 1"


def test_no_secret_of_the_home_reaches_a_run_or_anything_that_is_kept(
    bench: Bench, slurm: Slurm, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    home.path.mkdir(mode=0o700)
    home.secret.touch(mode=0o600)
    home.secret.write_text("SECRETOFTHEHOME")
    where = connection.Connection(
        host="h", boot_id="", pid=1, socket="", instance="i", started_at=0.0, version="1",
        wandb_url="https://127.0.0.1:8443",
    )  # fmt: skip
    connection.write(home.connection, where)
    bench.run(shell("env; tr '\\0' ' ' < /proc/$PPID/cmdline"), home=home)
    kept = b"".join(file.read_bytes() for file in bench.directory.rglob("*") if file.is_file())
    assert b"WANDB_API_KEY=" in kept, "the run has a key of its own"
    told = [repr(event).encode() for event in bench.controller.events]
    recorded = b"".join(told) + kept.replace(home.secret.read_bytes(), b"", 1)
    assert b"SECRETOFTHEHOME" not in recorded
