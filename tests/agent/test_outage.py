"""The controller goes away: training goes on, nothing is lost, nothing is told twice."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

from controller.agent import open_spools, read_spool
from controller.agent.identity import boot_id
from controller.agent.records import write_line
from controller.agent.tree import look
from controller.domain.replies import Wish
from controller.domain.states import AttemptState

from .conftest import Bench, python, shell
from .fake import Attempt, FakeController
from .test_runs import LOG


def test_outage_loses_nothing_and_doubles_nothing(bench: Bench) -> None:
    async def outage(bench: Bench) -> None:
        fake = bench.controller
        await fake.until(lambda: 1 in fake.attempts and 1 in fake.attempts[1].points)
        fake.away = True
        (bench.directory / "go").touch()
        await fake.until(lambda: fake.n_failed_sends > 2 and (bench.place() / "result.json").exists())
        assert fake.attempts[1].last_seq == 1
        fake.away = False

    code = LOG + (
        "import time\n"
        "log({'kind': 'log', 'step': 0, 't': 0, 'values': {'a': 0}})\n"
        "while not os.path.exists('go'): time.sleep(0.01)\n"
        "for i in range(1, 2000): log({'kind': 'log', 'step': i, 't': 0, 'values': {'a': i}})\n"
        "print('done')\n"
    )
    assert bench.run(python(code), meanwhile=outage) == 0
    assert [p.values["a"] for p in bench.attempt.points.values()] == list(range(2000))
    assert bench.attempt.lines == {0: "done"}
    assert bench.attempt.ended.state is AttemptState.FINISHED
    assert "the controller is away" in bench.said.getvalue()


def test_agent_that_must_leave_keeps_the_spool_and_the_next_one_delivers_it(bench: Bench) -> None:
    async def outage(bench: Bench) -> None:
        fake = bench.controller
        await fake.until(lambda: 1 in fake.attempts and 1 in fake.attempts[1].points)
        fake.away = True
        bench.steering.signal(signal.SIGTERM)

    code = LOG + (
        "import signal, sys, time\n"
        "def end(*_):\n"
        "    log({'kind': 'log', 'step': 1, 't': 0, 'values': {'a': 1}}); print('saved'); sys.exit(0)\n"
        "signal.signal(15, end)\n"
        "log({'kind': 'log', 'step': 0, 't': 0, 'values': {'a': 0}})\n"
        "time.sleep(1000)\n"
    )
    assert bench.run(python(code), meanwhile=outage, flush_s=0.1, grace_s=1.0) == 0
    assert "kept in" in bench.said.getvalue()
    first = bench.controller.attempts[1]
    assert first.ended is None

    later = Bench(bench.directory)

    async def recovered(later: Bench) -> None:
        await later.controller.until(lambda: first.ended is not None)
        await later.controller.order(Wish.LEAVE)

    def same_controller(fake: FakeController) -> None:
        from .fake import WAIT

        fake.attempts[1], fake.configs, fake.drained = first, [], WAIT

    assert later.run(("/bin/true",), prepare=same_controller, meanwhile=recovered) == 0
    assert [p.values["a"] for p in first.points.values()] == [0, 1]
    assert first.lines == {0: "saved"}
    assert first.ended is not None
    assert (first.ended.state, first.ended.cause) == (AttemptState.KILLED, "agent got SIGTERM")
    assert not list(open_spools(bench.directory / "sweeps" / "abcd1234"))


def test_fence_ends_a_run_without_acknowledgement(bench: Bench) -> None:
    def fenced(fake: FakeController) -> None:
        fake.joined_extra = {"on_lost": "fence", "lease_s": 0.4}

    async def outage(bench: Bench) -> None:
        fake = bench.controller
        await fake.until(lambda: 1 in fake.attempts and fake.attempts[1].pid)
        fake.away = True
        await fake.until(lambda: (bench.place() / "result.json").exists())
        fake.away = False

    bench.run(("/bin/sleep", "1000"), prepare=fenced, meanwhile=outage, grace_s=0.1, fence_margin_s=0.1)
    assert bench.attempt.ended.state is AttemptState.CRASHED
    assert "fence" in bench.attempt.ended.cause


def test_keep_lets_training_go_on_without_acknowledgement(bench: Bench) -> None:
    def kept(fake: FakeController) -> None:
        fake.joined_extra = {"on_lost": "keep", "lease_s": 0.01}

    bench.run(shell("sleep 0.4; exit 0"), prepare=kept, grace_s=0.0, fence_margin_s=0.0)
    assert bench.attempt.ended.state is AttemptState.FINISHED


def _leave_behind(directory: Path, *, pid: int = 2**22 - 1, ticks: int = 1, host: str | None = None) -> Path:
    place = directory / "sweeps" / "abcd1234" / "run1" / "attempt-1"
    place.mkdir(parents=True)
    opened = directory / "sweeps" / "abcd1234" / ".open"
    opened.mkdir()
    (opened / "run1@attempt-1").touch()
    record = {
        "token": 1,
        "run_id": "run1",
        "sweep_id": "abcd1234",
        "attempt": 1,
        "agent_id": "old",
        "host": host or os.uname().nodename,
        "boot_id": boot_id(),
        "pid": pid,
        "ticks": ticks,
    }
    (place / "attempt.json").write_text(json.dumps(record))
    lines = [write_line({"kind": "log", "step": i, "t": 0, "values": {"a": i}}) for i in range(3)]
    (place / "report.jsonl").write_bytes(b"".join(lines))
    return place


def test_attempt_of_a_dead_agent_is_told_as_crashed(bench: Bench) -> None:
    _leave_behind(bench.directory)
    asyncio.run(_recover_into(bench))
    assert len(bench.attempt.points) == 3
    assert (bench.attempt.ended.state, bench.attempt.ended.agent_id) == (AttemptState.CRASHED, "old")


def test_attempt_of_another_host_is_left_alone_while_its_end_is_unknown(bench: Bench) -> None:
    place = _leave_behind(bench.directory, host="elsewhere")
    asyncio.run(_recover_into(bench))
    assert bench.attempt.ended is None
    result = {"state": "finished", "exit_code": 0, "signal": None, "cause": "", "last_seq": 3}
    (place / "result.json").write_text(json.dumps(result))
    asyncio.run(_recover_into(bench))
    assert bench.attempt.ended is None, "its agent is about to tell it"
    os.utime(place / "result.json", (0.0, 0.0))
    asyncio.run(_recover_into(bench))
    assert bench.attempt.ended.state is AttemptState.FINISHED


def test_attempt_whose_agent_left_before_it_could_tell_is_told_at_once(bench: Bench) -> None:
    place = _leave_behind(bench.directory, host="elsewhere")
    (place / "left").touch()
    asyncio.run(_recover_into(bench))
    assert len(bench.attempt.points) == 3


def test_attempt_of_a_live_agent_of_this_host_is_left_to_it(bench: Bench) -> None:
    mine = look(os.getpid())
    assert mine is not None
    place = _leave_behind(bench.directory, pid=os.getpid(), ticks=mine[0].ticks)
    result = {"state": "finished", "exit_code": 0, "signal": None, "cause": "", "last_seq": 3}
    (place / "result.json").write_text(json.dumps(result))
    asyncio.run(_recover_into(bench))
    assert bench.attempt.ended is None


async def _recover_into(bench: Bench) -> None:
    from controller.agent.identity import new_identity
    from controller.agent.journal import Journal
    from controller.agent.post import Post
    from controller.agent.recovery import recover
    from controller.domain.replies import RunOrder

    fake = bench.controller = FakeController(bench.directory, (), [])
    order = RunOrder(run_id="run1", name="n", number=1, token=1, attempt=1, config={})
    fake.attempts[1] = Attempt(order)
    sweep = (bench.directory / "sweeps" / "abcd1234").resolve()
    await recover(sweep, new_identity(), Post(fake, Journal(bench.said)), Journal(bench.said))


def test_spool_torn_at_any_byte_is_read_up_to_there(tmp_path: Path) -> None:
    place = _leave_behind(tmp_path)
    whole = (place / "report.jsonl").read_bytes()
    ends = [i + 1 for i, byte in enumerate(whole) if byte == 10]
    for size in range(len(whole) + 1):
        (place / "report.jsonl").write_bytes(whole[:size])
        spool = read_spool(place)
        assert spool is not None
        n_whole = sum(end <= size for end in ends)
        assert [p.seq for p in spool.points()] == list(range(1, n_whole + 1))
        assert spool.last_seq == n_whole


def test_spool_with_any_byte_changed_never_tells_a_wrong_point(tmp_path: Path) -> None:
    place = _leave_behind(tmp_path)
    whole = (place / "report.jsonl").read_bytes()
    right = {i + 1: {"a": i} for i in range(3)}
    for i in range(len(whole)):
        (place / "report.jsonl").write_bytes(whole[:i] + bytes([whole[i] ^ 0x11]) + whole[i + 1 :])
        spool = read_spool(place)
        assert spool is not None
        told = [p.values for p in spool.points()]
        assert all(values in right.values() for values in told)
        assert len(told) >= 1


def test_spool_with_torn_json_beside_it_tells_no_owner_or_no_end(tmp_path: Path) -> None:
    place = _leave_behind(tmp_path)
    (place / "result.json").write_text('{"state": "finis')
    spool = read_spool(place)
    assert spool is not None
    assert spool.result is None
    (place / "attempt.json").write_text('{"token": 1, "run')
    assert read_spool(place) is None
