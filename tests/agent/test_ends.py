"""Stopping runs, and what they leave behind: nothing."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from controller.domain.events import AgentLeft
from controller.domain.replies import Wish
from controller.domain.states import AttemptState

from .conftest import Bench, gone, python, shell
from .fake import FakeController

SLEEP = ("/bin/sleep", "1000")

GRACEFUL = (
    "import signal, sys, time\n"
    "def end(*_):\n"
    "    print('saved'); sys.exit(CODE)\n"
    "signal.signal(signal.SIGTERM, end); sys.stdout.write('ready\\n'); time.sleep(1000)\n"
)

DAEMON = """
import os, signal, sys, time
def child(*after):
    if os.fork() == 0:
        for act in after: act()
        print(os.getpid(), flush=True)
        time.sleep(1000)
        os._exit(0)
def fork_again():
    if os.fork(): os._exit(0)
def ignore_term():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child()
child(os.setsid)
child(os.setsid, fork_again)
child(os.setsid, fork_again, ignore_term)
"""


async def _started(bench: Bench, n_lines: int = 0) -> None:
    await bench.controller.until(
        lambda: (
            1 in bench.controller.attempts
            and bench.attempt.pid is not None
            and len(bench.attempt.lines) >= n_lines
        )
    )


def _pids(bench: Bench) -> list[int]:
    return [int(line) for line in (bench.place() / "output.log").read_text().split()]


def test_stop_ends_the_run_and_the_agent_takes_the_next(bench: Bench) -> None:
    async def stop(bench: Bench) -> None:
        await _started(bench)
        await bench.controller.order(Wish.STOP, 1)
        await bench.controller.until(lambda: bench.attempt.ended)
        await bench.controller.order(Wish.GO_ON)

    command = shell('[ "$WANDB_RUN_ID" = run1 ] && exec sleep 1000; exit 0')
    assert bench.run(command, n_runs=2, meanwhile=stop) == 0
    assert bench.attempt.stop_obeyed
    assert (bench.attempt.ended.state, bench.attempt.ended.signal) == (AttemptState.KILLED, 15)
    second = bench.controller.attempts[2].ended
    assert second is not None
    assert second.state is AttemptState.FINISHED


def test_run_that_ignores_term_is_killed_after_the_grace(bench: Bench) -> None:
    async def stop(bench: Bench) -> None:
        await _started(bench, 1)
        await bench.controller.order(Wish.STOP_LEAVE, 1)

    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready'); time.sleep(1000)"
    assert bench.run(python(code), n_runs=2, grace_s=0.2, meanwhile=stop) == 0
    assert (bench.attempt.ended.state, bench.attempt.ended.signal) == (AttemptState.KILLED, 9)
    assert len(bench.controller.attempts) == 1


def test_run_may_use_its_grace(bench: Bench) -> None:
    async def stop(bench: Bench) -> None:
        await _started(bench, 1)
        await bench.controller.order(Wish.STOP, 1)
        await bench.controller.until(lambda: bench.attempt.ended)
        await bench.controller.order(Wish.GO_ON)

    bench.run(python(GRACEFUL.replace("CODE", "0")), meanwhile=stop)
    assert bench.attempt.lines == {0: "ready", 1: "saved"}
    assert (bench.attempt.ended.state, bench.attempt.ended.exit_code) == (AttemptState.KILLED, 0)


def test_kill_gives_no_handler_a_chance(bench: Bench) -> None:
    async def kill(bench: Bench) -> None:
        await _started(bench, 1)
        await bench.controller.order(Wish.KILL_LEAVE)

    bench.run(python(GRACEFUL.replace("CODE", "0")), meanwhile=kill)
    assert bench.attempt.lines == {0: "ready"}
    assert (bench.attempt.ended.state, bench.attempt.ended.signal) == (AttemptState.KILLED, 9)


def test_leave_lets_the_run_end(bench: Bench) -> None:
    async def leave(bench: Bench) -> None:
        await _started(bench)
        await bench.controller.order(Wish.LEAVE)
        (bench.directory / "go").touch()

    command = shell("while [ ! -e go ]; do sleep 0.02; done")
    assert bench.run(command, n_runs=2, meanwhile=leave) == 0
    assert bench.attempt.ended.state is AttemptState.FINISHED
    assert len(bench.controller.attempts) == 1


def test_order_about_another_attempt_does_not_stop_this_one(bench: Bench) -> None:
    async def old_order(bench: Bench) -> None:
        await _started(bench)
        await bench.controller.order(Wish.STOP, 99)
        (bench.directory / "go").touch()

    bench.run(shell("while [ ! -e go ]; do sleep 0.02; done"), meanwhile=old_order)
    assert bench.attempt.ended.state is AttemptState.FINISHED


@pytest.mark.parametrize("end", ["exits", "stopped", "killed"])
def test_no_descendant_survives(bench: Bench, end: str) -> None:
    async def stop(bench: Bench) -> None:
        await _started(bench, 4)
        await bench.controller.order(Wish.STOP_LEAVE if end == "stopped" else Wish.KILL_LEAVE, 1)

    wait = "while len(open('" + str(bench.place() / "output.log") + "').readlines()) < 4: time.sleep(0.01)\n"
    code = DAEMON + wait + ("" if end == "exits" else "time.sleep(1000)")
    bench.run(python(code), grace_s=0.3, meanwhile=None if end == "exits" else stop)
    pids = _pids(bench)
    assert len(set(pids)) == 4
    assert all(gone(pid) for pid in pids)
    expected = AttemptState.FINISHED if end == "exits" else AttemptState.KILLED
    assert bench.attempt.ended.state is expected


def test_only_descendants_are_touched(bench: Bench) -> None:
    decoy = subprocess.Popen(SLEEP)
    try:

        async def kill(bench: Bench) -> None:
            await _started(bench)
            await bench.controller.order(Wish.KILL_LEAVE, 1)

        bench.run(SLEEP, meanwhile=kill)
        assert decoy.poll() is None
    finally:
        decoy.kill()
        decoy.wait()


def test_attempt_closes_on_exit_not_when_the_output_is_closed(bench: Bench) -> None:
    bench.run(shell("sleep 1000 & echo $!; exit 4"))
    assert bench.attempt.ended.exit_code == 4
    assert gone(int(bench.attempt.lines[0]))


def test_five_hundred_children_are_gone(bench: Bench) -> None:
    code = "import os, time\nfor i in range(500):\n    if os.fork() == 0: time.sleep(1000)\n"
    bench.run(python(code))
    assert bench.attempt.ended.exit_code == 0
    assert bench.attempt.pid is None or gone(bench.attempt.pid)


def test_superseded_run_is_ended_and_its_data_not_insisted_on(bench: Bench) -> None:
    async def supersede(bench: Bench) -> None:
        await _started(bench, 1)
        bench.attempt.superseded = True
        (bench.directory / "go").touch()

    command = shell(
        '[ "$WANDB_RUN_ID" = run1 ] || exit 0; echo a; while [ ! -e go ]; do sleep 0.02; done; echo; sleep 9'
    )
    assert bench.run(command, n_runs=2, meanwhile=supersede) == 0
    assert bench.attempt.ended is None
    assert bench.controller.attempts[2].ended is not None
    assert "it does not count" in bench.said.getvalue()


def test_first_signal_ends_the_run_gracefully_and_leaves(bench: Bench) -> None:
    async def term(bench: Bench) -> None:
        await _started(bench, 1)
        bench.steering.signal(signal.SIGTERM)

    command = python(GRACEFUL.replace("CODE", "1"))
    assert bench.run(command, n_runs=2, meanwhile=term) == 0
    ended = bench.attempt.ended
    assert (ended.state, ended.cause, ended.exit_code) == (AttemptState.KILLED, "agent got SIGTERM", 1)
    assert bench.attempt.lines[1] == "saved"
    last = bench.controller.events[-1]
    assert isinstance(last, AgentLeft)
    assert last.cause == "agent got SIGTERM"


def test_second_signal_kills_at_once(bench: Bench) -> None:
    async def twice(bench: Bench) -> None:
        await _started(bench, 1)
        bench.steering.signal(signal.SIGINT)
        bench.steering.signal(signal.SIGINT)

    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready'); time.sleep(1000)"
    assert bench.run(python(code), meanwhile=twice, grace_s=1000.0) == 0
    assert bench.attempt.ended.signal == 9


def test_run_of_an_agent_whose_guard_was_killed_has_crashed(bench: Bench) -> None:
    async def orphan(bench: Bench) -> None:
        await _started(bench, 1)
        bench.steering.orphaned()

    bench.run(python("import time; print('ready'); time.sleep(1000)"), meanwhile=orphan)
    ended = bench.attempt.ended
    assert (ended.state, ended.cause) == (AttemptState.CRASHED, "agent was killed")


def test_signal_while_idle_leaves_at_once(bench: Bench) -> None:
    async def term(bench: Bench) -> None:
        await bench.controller.until(lambda: len(bench.controller.events) > 2)
        bench.steering.signal(signal.SIGHUP)

    def held(controller: FakeController) -> None:
        from controller.domain.replies import WaitOrder

        controller.configs, controller.drained = [], WaitOrder(retry_s=1000.0)

    assert bench.run(SLEEP, prepare=held, meanwhile=term) == 0


AGENT = """
import asyncio, os, sys
from pathlib import Path
from controller.agent import AgentOptions
from controller.agent.guard import guarded
from controller.agent.runner import work_with_signals
from tests.agent.fake import FakeController

def live():
    fake = FakeController(Path(sys.argv[1]), (sys.executable, "-S", "-E", "-u", "-c", sys.argv[2]), [{}])
    print(os.getpid(), flush=True)
    return asyncio.run(work_with_signals(fake, AgentOptions(sweep_id="abcd1234")))

sys.exit(guarded(live, ignore_hangup=False))
"""


@pytest.mark.parametrize("victim", ["guard", "agent"])
def test_no_process_survives_kill_nine(tmp_path: Path, victim: str) -> None:
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    code = DAEMON.replace(
        "print(os.getpid(), flush=True)", f"open({str(ready)!r}, 'w').write(f'{{os.getpid()}}\\n')"
    )
    code += f"open({str(ready)!r}, 'w').write(f'{{os.getpid()}}\\n'); time.sleep(1000)"
    guard = subprocess.Popen(
        [sys.executable, "-c", AGENT, str(tmp_path), code],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert guard.stdout is not None
    with guard.stdout:
        agent = int(guard.stdout.readline())
    said = b""
    # Open for both ways: between two readers a word would be lost, and with it the wait for it would not end.
    with open(os.open(ready, os.O_RDWR), "rb", buffering=0) as fifo:
        while said.count(b"\n") < 5:
            said += fifo.read(4096)
    pids = [int(word) for word in said.split()]
    handles = [os.pidfd_open(pid) for pid in [*pids, agent]]
    os.kill(guard.pid if victim == "guard" else agent, signal.SIGKILL)
    for handle in handles:
        assert select.select([handle], [], [], 20)[0], "still alive"
        os.close(handle)
    assert guard.wait(20) == (-9 if victim == "guard" else 137)
