"""How programs start, end, and what the controller learns about it."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest

from controller.agent import execution, read_spool
from controller.agent.place import RunPlace
from controller.domain.events import AgentLeft, RunAsked, RunStarted
from controller.domain.replies import Refused
from controller.domain.states import AttemptState

from .conftest import Bench, python, shell
from .fake import WAIT, FakeController

LOG = (
    "import os, zlib, json\n"
    "def log(r):\n"
    "    t = json.dumps(r).encode()\n"
    "    with open(os.environ['TUI_SWEEPS_REPORT'], 'ab') as f: f.write(b'%08x %s\\n' % (zlib.crc32(t), t))\n"
)


def test_agent_leaves_with_zero_when_the_sweep_is_done(bench: Bench) -> None:
    assert bench.run(("/bin/true",), n_runs=3) == 0
    ends = [bench.controller.attempts[i].ended for i in (1, 2, 3)]
    assert [(e.state, e.exit_code) for e in ends if e] == [(AttemptState.FINISHED, 0)] * 3
    assert isinstance(bench.controller.events[-1], AgentLeft)
    assert [e.ask for e in bench.controller.events if isinstance(e, RunAsked)] == [1, 2, 3, 4]


def test_agent_takes_only_count_runs(bench: Bench) -> None:
    assert bench.run(("/bin/true",), n_runs=3, count=2) == 0
    assert len(bench.controller.attempts) == 2


@pytest.mark.parametrize(
    ("code", "state", "cause", "exit_code", "signum"),
    [
        ("exit 0", "finished", "", 0, None),
        ("exit 3", "failed", "exit code 3", 3, None),
        ("exit 255", "failed", "exit code 255", 255, None),
        ("nosuchcommand_x", "failed", "exit code 127 (command not found)", 127, None),
        ("kill -9 $$", "failed", "signal 9 (SIGKILL)", None, 9),
        ("kill -TERM $$", "failed", "signal 15 (SIGTERM)", None, 15),
    ],
)
def test_end_of_a_program_is_told_exactly(
    bench: Bench, code: str, state: str, cause: str, exit_code: int | None, signum: int | None
) -> None:
    bench.run(shell(code))
    ended = bench.attempt.ended
    assert (ended.state, ended.cause, ended.exit_code, ended.signal) == (state, cause, exit_code, signum)


def test_program_that_cannot_start_fails_with_its_exact_cause(bench: Bench, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("no program")
    orphan = tmp_path / "orphan"
    orphan.write_text("#!/no/such/interpreter\n")
    orphan.chmod(0o755)
    nonsense = tmp_path / "nonsense"
    nonsense.write_bytes(b"\1\2\3")
    nonsense.chmod(0o755)
    for i, (argv, cause) in enumerate(
        [
            (("/no/such/program",), "program not found: /no/such/program"),
            ((str(plain),), f"program not executable: {plain}"),
            ((str(orphan),), f"interpreter of {orphan} not found"),
            ((str(nonsense),), f"program is neither a binary nor a script with a #! line: {nonsense}"),
            (("/bin/echo", "x" * 200_000), "the command with its environment is too long for the system"),
            (
                ("/bin/echo", "a\0b"),
                "the word 'a\\x00b' holds a NUL byte; no program can be given one; change the value",
            ),
            (("${nothing}",), "the command has no words left to execute; name a program in command"),
        ]
    ):
        work = tmp_path / f"work{i}"
        work.mkdir()
        fresh = Bench(work)
        assert fresh.run(argv) == 0
        assert (fresh.attempt.ended.state, fresh.attempt.ended.cause) == (AttemptState.FAILED, cause)


def test_working_directory_that_is_missing_is_the_cause(bench: Bench, tmp_path: Path) -> None:
    def elsewhere(controller: FakeController) -> None:
        controller.joined_extra = {"directory": str(tmp_path / "gone")}

    bench.run(("/bin/true",), prepare=elsewhere, directory=tmp_path)
    assert bench.attempt.ended.cause == f"working directory not found: {tmp_path / 'gone'}"


def test_program_finds_its_run_in_the_environment(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_SERVICE", "x")
    monkeypatch.setenv("SLURM_PROCID", "3")

    def resumed(controller: FakeController) -> None:
        controller.resume = True

    code = "import json, os; print(json.dumps([os.getcwd(), os.getsid(0) == os.getpid(), dict(os.environ)]))"
    bench.run(python(code), configs=[{"lr": 0.5, "net": {"depth": 2}}], prepare=resumed)
    cwd, own_session, env = json.loads(bench.attempt.lines[0])
    place = bench.place()
    assert cwd == str(bench.directory)
    assert own_session
    assert env["WANDB_SWEEP_ID"] == env["TUI_SWEEPS_SWEEP_ID"] == "abcd1234"
    assert env["WANDB_RUN_ID"] == env["TUI_SWEEPS_RUN_ID"] == "run1"
    assert (env["WANDB_PROJECT"], env["WANDB_ENTITY"]) == ("digits", "me")
    assert env["WANDB_SWEEP_PARAM_PATH"] == str(place / "params.yaml")
    assert env["TUI_SWEEPS_RESUME"] == env["PYTHONUNBUFFERED"] == "1"
    assert env["TUI_SWEEPS_CHECKPOINT_DIR"] == str(place.parent / "checkpoints")
    assert env["TUI_SWEEPS_RANKS"] == "SLURM_PROCID=3"
    assert "WANDB_SERVICE" not in env
    assert json.loads((place / "config.json").read_text()) == {"lr": 0.5, "net": {"depth": 2}}
    assert "lr" in (place / "params.yaml").read_text()
    assert place.stat().st_mode & 0o077 == 0


def test_interpreter_is_the_agents_own(bench: Bench) -> None:
    bench.run(("${interpreter}", "-S", "-E", "-c", "import sys; print(sys.executable)"))
    assert bench.attempt.lines == {0: sys.executable}
    started = next(e for e in bench.controller.events if isinstance(e, RunStarted))
    assert started.argv[0] == sys.executable


def test_reports_arrive_once_and_in_full(bench: Bench) -> None:
    code = LOG + (
        "for i in range(1200): log({'kind': 'log', 'step': i, 't': 1.5, 'values': {'loss': i / 7}})\n"
        "log({'kind': 'summary', 'values': {'best': 3}})\n"
        "log({'kind': 'log', 'step': 1200, 't': 2, 'values': {'loss': float('inf')}})\n"
    )
    bench.run(python(code))
    points = bench.attempt.points
    assert sorted(points) == [*range(1, 1201), 1202]
    assert all(points[i + 1].values == {"loss": i / 7} for i in range(1200))
    assert points[1202].values["loss"] == float("inf")
    assert bench.attempt.summary == {"best": 3}
    assert bench.attempt.ended.last_seq == 1202


def test_lines_that_are_torn_or_foreign_say_nothing_and_are_counted(bench: Bench) -> None:
    code = LOG + (
        "f = open(os.environ['TUI_SWEEPS_REPORT'], 'ab')\n"
        "f.write(b'garbage\\n'); f.write(b'00000000 {\"kind\": \"log\"}\\n'); f.write(b'\\n'); f.flush()\n"
        "log({'kind': 'log', 'step': 0, 't': 0, 'values': {'a': 1}})\n"
        "f.write(b'half a li'); f.flush()\n"
    )
    bench.run(python(code))
    assert list(bench.attempt.points) == [4]
    assert bench.attempt.ended.last_seq == 4


def test_progress_bar_rewrites_its_line(bench: Bench) -> None:
    bench.run(shell(r"printf 'start\n 10%%\r 50%%\r100%%\r\nodd \377 byte\nlast'"))
    assert bench.attempt.lines == {0: "start", 1: "100%", 2: "odd � byte", 3: "last"}


def test_captured_lines_become_points(bench: Bench) -> None:
    def capturing(controller: FakeController) -> None:
        controller.joined_extra = {"capture": (r"loss=(?P<loss>\S+)", r"epoch (?P<step>\d+)")}

    bench.run(shell("echo epoch 4 loss=0.5; echo nothing; echo loss=nan; printf loss=7"), prepare=capturing)
    points = list(bench.attempt.points.values())
    assert [p.step for p in points] == [4, 5, 6]
    assert points[0].values == {"loss": 0.5}
    assert str(points[1].values["loss"]) == "nan"
    assert points[2].values == {"loss": 7}


def test_program_that_says_preempting_and_exits_badly_is_preempted(bench: Bench) -> None:
    bench.run(python(LOG + "log({'kind': 'preempting'}); raise SystemExit(143)"))
    assert bench.attempt.preempting
    assert bench.attempt.ended.state is AttemptState.PREEMPTED


def test_lost_answers_cost_nothing(bench: Bench) -> None:
    def lossy(controller: FakeController) -> None:
        controller.lose_answers = 5

    bench.run(python(LOG + "log({'kind': 'log', 'step': 0, 't': 0, 'values': {'a': 1}})"), prepare=lossy)
    assert len(bench.controller.attempts) == 1
    assert list(bench.attempt.points) == [1]
    assert bench.attempt.ended.state is AttemptState.FINISHED


def test_superseded_start_is_thrown_away(bench: Bench) -> None:
    def stale(controller: FakeController) -> None:
        asked = controller._next

        def next_run(event: RunAsked) -> object:
            reply = asked(event)
            if 1 in controller.attempts:
                controller.attempts[1].superseded = True
            return reply

        controller._next = next_run  # type: ignore[method-assign, assignment]

    bench.run(shell("touch ran-$WANDB_RUN_ID"), n_runs=2, prepare=stale)
    assert not (bench.directory / "ran-run1").exists()
    assert (bench.directory / "ran-run2").exists()


def test_unknown_sweep_is_a_sentence_and_exit_code_seventy_eight(bench: Bench) -> None:
    def refusing(controller: FakeController) -> None:
        controller.refuse = Refused(
            reason="no sweep \x1b[31mabcd1234", hint="see `tui-sweeps ls`", code="unknown"
        )

    assert bench.run(("/bin/true",), prepare=refusing) == 78
    assert "no sweep \\x1b[31mabcd1234; see" in bench.said.getvalue()


def test_no_controller_at_start_is_exit_code_75(bench: Bench) -> None:
    def absent(controller: FakeController) -> None:
        controller.away = True

    assert bench.run(("/bin/true",), prepare=absent, connect_s=0.05) == 75


def test_agent_waits_while_paused(bench: Bench) -> None:
    async def resume(bench: Bench) -> None:
        await bench.controller.until(
            lambda: sum(isinstance(e, RunAsked) for e in bench.controller.events) > 2
        )
        bench.controller.configs = [{}]
        await bench.controller.until(lambda: 1 in bench.controller.attempts)
        bench.controller.drained = await _exit_order()

    def paused(controller: FakeController) -> None:
        controller.configs, controller.drained = [], WAIT

    assert bench.run(("/bin/true",), prepare=paused, meanwhile=resume) == 0
    asks = {e.ask for e in bench.controller.events if isinstance(e, RunAsked)}
    assert asks == {1, 2}
    assert "waiting: the sweep is paused" in bench.said.getvalue()


async def _exit_order() -> object:
    from controller.domain.replies import ExitOrder

    return ExitOrder(reason="done")


def test_run_directory_falls_back_when_the_sweeps_own_cannot_be_made(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "sweeps").write_text("a file in the way")
    assert bench.run(("/bin/true",)) == 0
    assert "run directories go to" in bench.said.getvalue()
    assert bench.attempt.ended.state is AttemptState.FINISHED


def test_linked_run_directory_that_leads_out_is_refused(bench: Bench, tmp_path: Path) -> None:
    base = tmp_path / "sweeps" / "abcd1234"
    base.mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (base / "run1").symlink_to(tmp_path / "outside")
    bench.run(("/bin/true",))
    assert bench.attempt.ended.state is AttemptState.FAILED
    assert "leads out of" in bench.attempt.ended.cause
    assert not list((tmp_path / "outside").iterdir())


def test_full_disk_does_not_end_the_agent(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object, **_kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(execution, "write_result", full)
    monkeypatch.setattr(RunPlace, "mark_delivered", full)
    assert bench.run(("/bin/true",), n_runs=2) == 0
    assert bench.controller.attempts[2].ended is not None
    assert "No space left" in bench.said.getvalue()


def test_signal_number_is_kept(bench: Bench) -> None:
    bench.run(python(f"import os; os.kill(os.getpid(), {int(signal.SIGUSR1)})"))
    assert bench.attempt.ended.cause == "signal 10 (SIGUSR1)"


def test_finished_run_leaves_a_delivered_spool(bench: Bench) -> None:
    bench.run(python(LOG + "log({'kind': 'log', 'step': 0, 't': 0, 'values': {'a': 1}}); print('hello')"))
    spool = read_spool(bench.place())
    assert spool is not None
    assert spool.delivered
    assert spool.result is not None
    assert spool.result.state is AttemptState.FINISHED
    assert [p.values for p in spool.points()] == [{"a": 1}]
    assert not list((bench.directory / "sweeps" / "abcd1234" / ".open").iterdir())
    assert spool.last_seq == 1
