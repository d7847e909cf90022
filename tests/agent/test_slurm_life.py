"""An agent inside SLURM: signalled, warned, requeued. SLURM's own word comes from a double of `scontrol`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from controller.agent import Steering
from controller.domain.events import AgentLeft, RunAsked, RunEnded, RunReported
from controller.domain.replies import WaitOrder
from controller.domain.states import AttemptState

from .conftest import Bench, python
from .fake import FakeController
from .slurm import Slurm
from .test_ends import _started

HANDLERS = """
import signal, sys, time
def end(signum, _):
    print(signal.Signals(signum).name); STAY or sys.exit(3)
for signum in SIGNALS: signal.signal(signum, end)
sys.stdout.write('ready\\n')
while True: time.sleep(1000)
"""


def program(*signals: int, stay: bool = False) -> tuple[str, ...]:
    """A program that says which of these signals it got, and then exits with 3."""
    code = HANDLERS.replace("SIGNALS", repr([int(s) for s in signals])).replace("STAY", repr(stay))
    return python(code)


@pytest.fixture
def bench(tmp_path: Path, slurm: Slurm) -> Bench:
    made = Bench(tmp_path)
    made.steering = Steering(in_slurm=True, clock=lambda: made.now_s)
    return made


@pytest.mark.parametrize(
    ("said", "state", "cause", "back"),
    [
        ({"JobState": "COMPLETING"}, AttemptState.KILLED, "job cancelled (SIGTERM)", False),
        ({"JobState": "COMPLETING", "Restarts": 1}, AttemptState.PREEMPTED, "requeued (SIGTERM)", True),
        (
            {"JobState": "COMPLETING", "Reason": "TimeLimit"},
            AttemptState.PREEMPTED,
            "time limit reached (SIGTERM)",
            False,
        ),
    ],
)
def test_signalled_agent_says_preempting_first_and_then_how_its_run_ended(
    bench: Bench, slurm: Slurm, said: dict[str, Any], state: AttemptState, cause: str, back: bool
) -> None:
    async def term(bench: Bench) -> None:
        await _started(bench, 1)
        slurm.says(**said)
        bench.steering.signal(signal.SIGTERM)

    assert bench.run(program(signal.SIGTERM), n_runs=2, meanwhile=term) == 0
    ended = bench.attempt.ended
    assert (ended.state, ended.cause, ended.comes_back, ended.exit_code) == (state, cause, back, 3)
    assert bench.attempt.lines == {0: "ready", 1: "SIGTERM"}
    words = [e for e in bench.controller.events if isinstance(e, RunReported | RunEnded | AgentLeft)]
    first = next(n for n, e in enumerate(words) if isinstance(e, RunReported) and e.preempting)
    assert isinstance(words[-2], RunEnded)
    assert isinstance(words[-1], AgentLeft)
    assert first < len(words) - 2
    assert len(bench.controller.attempts) == 1, "it asked for another run"


def test_run_that_exits_with_zero_when_told_to_end_is_not_finished(bench: Bench, slurm: Slurm) -> None:
    async def term(bench: Bench) -> None:
        await _started(bench, 1)
        slurm.says(JobState="COMPLETING", Restarts=1)
        bench.steering.signal(signal.SIGTERM)

    code = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(0)); print(1); time.sleep(1000)"
    bench.run(python(code), meanwhile=term)
    assert (bench.attempt.ended.state, bench.attempt.ended.exit_code) == (AttemptState.PREEMPTED, 0)


def test_warning_reaches_a_program_that_knows_it(bench: Bench, slurm: Slurm) -> None:
    async def warn(bench: Bench) -> None:
        await _started(bench, 1)
        slurm.says(RunTime="00:59:00")
        bench.steering.signal(signal.SIGUSR1)

    bench.run(program(signal.SIGUSR1, signal.SIGTERM), meanwhile=warn)
    assert bench.attempt.lines[1] == "SIGUSR1"
    ended = bench.attempt.ended
    assert (ended.state, ended.cause) == (AttemptState.PREEMPTED, "time limit near (SIGUSR1)")


def test_warning_terminates_a_program_that_does_not_know_it(bench: Bench, slurm: Slurm) -> None:
    async def warn(bench: Bench) -> None:
        await _started(bench, 1)
        bench.steering.signal(signal.SIGUSR1)

    bench.run(program(signal.SIGTERM), meanwhile=warn)
    assert bench.attempt.lines[1] == "SIGTERM"
    assert bench.attempt.ended.state is AttemptState.PREEMPTED


def test_order_after_a_warning_terminates_and_does_not_kill(bench: Bench, slurm: Slurm) -> None:
    async def warn_then_end(bench: Bench) -> None:
        await _started(bench, 1)
        slurm.says(PreemptTime="2026-11-27T06:39:58")
        bench.steering.signal(signal.SIGUSR1)
        await bench.controller.until(lambda: len(bench.attempt.lines) > 1)
        slurm.says(JobState="COMPLETING", Restarts=1)
        bench.steering.signal(signal.SIGTERM)

    command = python(
        "import signal, sys, time\n"
        "signal.signal(10, lambda *_: print('warned'))\n"
        "signal.signal(15, lambda *_: sys.exit(print('saved') or 4))\n"
        "print('ready')\nwhile True: time.sleep(1000)\n"
    )
    bench.run(command, meanwhile=warn_then_end, grace_s=1000.0)
    assert list(bench.attempt.lines.values()) == ["ready", "warned", "saved"]
    ended = bench.attempt.ended
    assert (ended.exit_code, ended.cause, ended.comes_back) == (4, "requeued (SIGTERM)", True)


def test_agent_that_heeded_a_warning_of_preemption_stays_until_slurm_takes_the_node(
    bench: Bench, slurm: Slurm
) -> None:
    async def warn(bench: Bench) -> None:
        await _started(bench, 1)
        slurm.says(PreemptTime="2026-11-27T06:39:58")
        bench.steering.signal(signal.SIGUSR1)
        await bench.controller.until(lambda: isinstance(bench.controller.events[-1], AgentLeft))
        bench.steering.signal(signal.SIGTERM)

    assert bench.run(program(signal.SIGUSR1), meanwhile=warn) == 0
    assert "waiting for SLURM to requeue the task" in bench.said.getvalue()
    assert bench.attempt.ended.comes_back


def test_same_signal_twice_in_a_moment_is_one(bench: Bench, slurm: Slurm) -> None:
    async def twice(bench: Bench) -> None:
        await _started(bench, 1)
        bench.steering.signal(signal.SIGTERM)
        bench.now_s += 1.0
        bench.steering.signal(signal.SIGTERM)

    bench.run(program(signal.SIGTERM), meanwhile=twice)
    assert bench.attempt.ended.exit_code == 3


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_second_signal_kills(bench: Bench, slurm: Slurm, second: int) -> None:
    async def twice(bench: Bench) -> None:
        await _started(bench, 1)
        bench.steering.signal(signal.SIGTERM)
        bench.now_s += 3.0
        bench.steering.signal(second)

    bench.run(program(signal.SIGTERM, stay=True), meanwhile=twice, grace_s=1000.0)
    assert bench.attempt.ended.signal == 9


def test_warning_after_an_order_changes_nothing(bench: Bench) -> None:
    bench.steering.signal(signal.SIGTERM)
    bench.now_s += 60.0
    bench.steering.signal(signal.SIGUSR1)
    demand = bench.steering.demand(1)
    assert demand is not None
    assert (demand.kill, demand.signum) == (False, signal.SIGTERM)


def test_idle_agent_leaves_at_once(bench: Bench, slurm: Slurm) -> None:
    async def warn(bench: Bench) -> None:
        await bench.controller.until(lambda: any(isinstance(e, RunAsked) for e in bench.controller.events))
        bench.steering.signal(signal.SIGUSR1)

    def held(controller: FakeController) -> None:
        controller.configs, controller.drained = [], WaitOrder(retry_s=1000.0)

    assert bench.run(("/bin/true",), prepare=held, meanwhile=warn) == 0


PROCESS = """
import asyncio, os, sys
from pathlib import Path
from controller.agent import AgentOptions
from controller.agent.guard import guarded
from controller.agent.runner import work_with_signals
from tests.agent.fake import FakeController

def live():
    fake = FakeController(Path(sys.argv[1]), ("/bin/sh", "-c", "echo > go; exec sleep 1000"), [{}])
    return asyncio.run(work_with_signals(fake, AgentOptions(sweep_id="abcd1234")))

os.chdir(sys.argv[1])
sys.exit(guarded(live, ignore_hangup=False))
"""


@pytest.mark.parametrize(
    ("signum", "code"),
    [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129), (signal.SIGUSR1, 0)],
)
def test_exit_code_says_which_signal_it_was(tmp_path: Path, slurm: Slurm, signum: int, code: int) -> None:
    go = tmp_path / "go"
    os.mkfifo(go)
    root = Path(__file__).parents[2]
    agent = subprocess.Popen(
        [sys.executable, "-c", PROCESS, str(tmp_path)],
        cwd=root,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    go.read_text()
    agent.send_signal(signum)
    assert agent.wait(20) == code
