"""What a training script can rely on, whatever it hands over."""

from __future__ import annotations

import enum
import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tui_sweeps
from controller.agent.records import parse_line
from tui_sweeps.reporter import MAX_REPR, Reporter

Report = Callable[[], list[dict[str, Any]]]


def test_log_counts_steps_from_zero(report: Report) -> None:
    tui_sweeps.log({"loss": 1.0})
    tui_sweeps.log({"loss": 0.5})
    assert [(r["kind"], r["step"], r["values"]) for r in report()] == [
        ("log", 0, {"loss": 1.0}),
        ("log", 1, {"loss": 0.5}),
    ]


def test_log_keeps_a_given_step_even_backwards(report: Report) -> None:
    for step in (10, None, 3, None, np.int64(20)):
        tui_sweeps.log({"a": 1}, step=step)
    assert [r["step"] for r in report()] == [10, 11, 3, 12, 20]


def test_agent_understands_every_line(report: Report, tmp_path: Path) -> None:
    run = tui_sweeps.init()
    run.log({"a": 1})
    run.summary["best"] = 2
    run.mark_preempting()
    run.finish()
    lines = (tmp_path / "report.jsonl").read_bytes().splitlines()
    parsed = [parse_line(line) for line in lines]
    assert [record and record["kind"] for record in parsed] == ["log", "summary", "preempting", "finish"]


class Hostile:
    def __repr__(self) -> str:
        raise RuntimeError("no")


class Colour(enum.Enum):
    RED = 1


class Tensor:
    def __init__(self, value: object) -> None:
        self.value = value

    def item(self) -> object:
        if isinstance(self.value, Exception):
            raise self.value
        return self.value

    def __repr__(self) -> str:
        return "tensor"


CYCLE: list[Any] = []
CYCLE.append(CYCLE)

DEEP: Any = 1
for _ in range(5000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.float64(0.1), 0.1),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array(2.5), 2.5),
        (np.array([1, 2]), "array([1, 2])"),
        (Tensor(1.25), 1.25),
        (Tensor(ValueError("more than one element")), "tensor"),
        (Tensor([1]), "tensor"),
        (True, True),
        (None, None),
        (10**40, 10**40),
        ("\ud800", "\ud800"),
        ("\x1b[31m", "\x1b[31m"),
        ({"a": {"b": np.float32(1)}}, {"a": {"b": 1.0}}),
        ({1: 2}, {"1": 2}),
        ({(1, 2): 3}, {"(1, 2)": 3}),
        ((1, 2), [1, 2]),
        ({1}, "{1}"),
        (Colour.RED, "<Colour.RED: 1>"),
        (b"x", "b'x'"),
        (1j, "1j"),
        (Hostile(), "<Hostile>"),
        (object, "<class 'object'>"),
    ],
)
def test_value_arrives_as_itself_or_as_a_description(report: Report, value: Any, expected: Any) -> None:
    tui_sweeps.log({"v": value, "good": 1})
    assert report()[0]["values"] == {"v": expected, "good": 1}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_numbers_that_are_not_finite_are_kept(report: Report, value: float) -> None:
    tui_sweeps.log({"v": value})
    assert repr(report()[0]["values"]["v"]) == repr(float(value))


@pytest.mark.parametrize(
    "value",
    [CYCLE, DEEP, "x" * 3_000_000, list(range(400_000)), 10**5000],
    ids=["cycle", "deep", "text", "list", "int"],
)
def test_value_without_bounds_is_cut_and_the_line_stays_small(
    report: Report, tmp_path: Path, value: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    tui_sweeps.log({"v": value, "good": 1})
    assert "v" in report()[0]["values"]
    assert (tmp_path / "report.jsonl").stat().st_size < 1_001_000
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("values", [None, 3, "loss", [("a", 1)], object()])
def test_wrong_argument_is_one_line_on_stderr(
    report: Report, tmp_path: Path, values: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    tui_sweeps.log(values)
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "report.jsonl").exists()


@pytest.mark.parametrize("step", ["x", 2**63, math.nan, [1]])
def test_wrong_step_is_one_line_on_stderr(
    report: Report, step: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    tui_sweeps.log({"a": 1}, step=step)
    assert capsys.readouterr().err.count("\n") == 1
    tui_sweeps.log({"a": 2})
    assert [r["step"] for r in report()] == [0]


def test_keys_that_are_no_text_are_described(report: Report) -> None:
    tui_sweeps.log({1: 2, None: 3, Colour.RED: 4})  # type: ignore[dict-item]
    assert report()[0]["values"] == {"1": 2, "None": 3, "<Colour.RED: 1>": 4}


def test_summary_follows_what_is_logged_and_tells_what_is_set(report: Report) -> None:
    run = tui_sweeps.init()
    run.log({"loss": 0.5})
    run.summary["best"] = np.float32(0.25)
    run.summary.update(a=1, b=2)
    assert dict(run.summary) == {"loss": 0.5, "best": 0.25, "a": 1, "b": 2}
    assert [r["values"] for r in report() if r["kind"] == "summary"] == [{"best": 0.25}, {"a": 1, "b": 2}]


def test_init_twice_is_the_same_run(report: Report) -> None:
    assert tui_sweeps.init() is tui_sweeps.init(project="x", name="y", config={"z": 1})
    assert tui_sweeps.init().config.z == 1


def test_run_knows_who_it_is(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_SWEEPS_RESUME", "1")
    monkeypatch.setenv("TUI_SWEEPS_CHECKPOINT_DIR", "/somewhere")
    run = tui_sweeps.init()
    assert (run.id, run.name, run.resumed, run.checkpoint_dir) == (
        "run1",
        "brisk-sweep-1",
        True,
        "/somewhere",
    )


def test_only_the_first_rank_reports(report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "3")
    tui_sweeps.init().log({"a": 1})
    assert not (tmp_path / "report.jsonl").exists()


def test_rank_that_the_agent_had_itself_is_none_of_the_runs(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_PROCID", "3")
    monkeypatch.setenv("TUI_SWEEPS_RANKS", "SLURM_PROCID=3")
    tui_sweeps.log({"a": 1})
    assert len(report()) == 1


def test_outside_a_sweep_it_says_so_once_and_works(
    report: Report, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("TUI_SWEEPS_REPORT", "TUI_SWEEPS_CONFIG"):
        monkeypatch.delenv(name)
    run = tui_sweeps.init(config={"lr": 1})
    run.log({"a": 1})
    tui_sweeps.log({"a": 1})
    run.summary["x"] = 1
    run.finish()
    assert run.config.lr == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_threads_and_forks_write_whole_lines(report: Report) -> None:
    run = tui_sweeps.init()
    run.log({"first": 1})

    def many() -> None:
        for i in range(200):
            run.log({"i": i})

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    child = os.fork()
    if child == 0:
        run.log({"child": 1})
        os._exit(0)
    os.waitpid(child, 0)
    records = report()
    assert len(records) == 802
    assert sorted(r["step"] for r in records[:801]) == list(range(801))


def test_file_that_cannot_be_written_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter(str(tmp_path / "missing" / "report.jsonl"))
    for _ in range(3):
        reporter.append({"kind": "log"})
    assert capsys.readouterr().err.count("\n") == 1
    (tmp_path / "missing").mkdir()
    reporter.append({"kind": "log"})
    assert (tmp_path / "missing" / "report.jsonl").exists()


def test_record_after_a_short_write_starts_on_a_new_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.jsonl"
    reporter = Reporter(str(path))
    whole = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: whole(handle, data[: len(data) // 2]))
    reporter.append({"kind": "log", "n": 1})
    monkeypatch.setattr(os, "write", whole)
    reporter.append({"kind": "log", "n": 2})
    torn, good = path.read_bytes().splitlines()
    assert parse_line(torn) is None
    assert parse_line(good) == {"kind": "log", "n": 2}


def test_import_loads_no_other_package() -> None:
    code = (
        "import sys; before = set(sys.modules); import tui_sweeps;"
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    repo = Path(__file__).parents[2]
    out = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=repo, capture_output=True, text=True, check=True
    )
    loaded = set(out.stdout.split())
    assert loaded <= set(sys.stdlib_module_names) | {"tui_sweeps"}
    assert not loaded & {"json", "asyncio", "logging", "subprocess", "pathlib"}


def test_description_is_short(report: Report) -> None:
    tui_sweeps.log({"v": np.arange(100_000).reshape(10, -1)})
    assert len(report()[0]["values"]["v"]) <= MAX_REPR + 1
