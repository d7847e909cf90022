"""The load of a run, read from the kernel of this host."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from controller.agent.load import EVERY_S, FIRST_S, LoadMeter
from controller.agent.tree import Process, look
from controller.domain.events import RunReported

from .conftest import Bench, shell


def process_of(pid: int) -> Process:
    seen = look(pid)
    assert seen is not None
    return seen[0]


def test_load_is_read_after_a_while_and_then_now_and_again() -> None:
    now_s = [100.0]
    meter = LoadMeter(lambda: [process_of(os.getpid())], lambda: now_s[0])
    assert meter.look() == {}
    now_s[0] += FIRST_S
    assert set(meter.look()) == {"cpu", "memory_percent", "proc.memory.rssMB"}
    now_s[0] += EVERY_S - 0.1
    assert meter.look() == {}
    now_s[0] += 0.1
    assert meter.look() != {}


def test_load_tells_a_busy_process_from_one_that_is_gone() -> None:
    now_s = [0.0]
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        process = process_of(busy.pid)
        meter = LoadMeter(lambda: [process], lambda: now_s[0])
        while _ticks(busy.pid) < 20:
            os.sched_yield()
        now_s[0] = FIRST_S
        load = meter.look()
        assert 0 < load["cpu"] <= 100
        assert load["proc.memory.rssMB"] > 1
        assert 0 < load["memory_percent"] < 100
    finally:
        busy.kill()
        busy.wait()
    now_s[0] += EVERY_S
    gone = meter.look()
    assert (gone["cpu"], gone["proc.memory.rssMB"]) == (0, 0)


def test_load_of_a_run_is_reported_beside_what_its_program_says(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("controller.agent.load.FIRST_S", 0.0)
    seen = tmp_path / "seen"

    async def look_at_it(bench: Bench) -> None:
        def told() -> bool:
            return any(isinstance(event, RunReported) and event.system for event in bench.controller.events)

        await bench.controller.until(told)
        seen.touch()

    assert bench.run(shell(f"while [ ! -e {seen} ]; do :; done"), meanwhile=look_at_it) == 0
    (load,) = [
        event.system for event in bench.controller.events if isinstance(event, RunReported) and event.system
    ]
    assert set(load) == {"cpu", "memory_percent", "proc.memory.rssMB"}


def _ticks(pid: int) -> int:
    with open(f"/proc/{pid}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[11])
