from __future__ import annotations

import asyncio
import io
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from controller.agent import AgentOptions, Steering, scheduler
from controller.agent.journal import Journal
from controller.agent.worker import work

from .fake import FakeController
from .slurm import Slurm


class Bench:
    """A fake controller, the agent that works for it, and what it said."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.said = io.StringIO()
        self.steering = Steering()
        self.controller: FakeController
        self.now_s = 0.0
        """What the clock in the test's hand says."""

    def run(
        self,
        command: tuple[str, ...],
        *,
        n_runs: int = 1,
        configs: list[dict[str, Any]] | None = None,
        meanwhile: Callable[[Bench], Awaitable[None]] | None = None,
        prepare: Callable[[FakeController], None] | None = None,
        **options: Any,
    ) -> int:
        """Work until the agent leaves; return its exit code."""

        async def live() -> int:
            self.controller = FakeController(self.directory, command, configs or [{"lr": 0.1}] * n_runs)
            if prepare is not None:
                prepare(self.controller)
            settings = AgentOptions(
                **(
                    {
                        "sweep_id": "abcd1234",
                        "grace_s": 5.0,
                        "leftover_s": 0.2,
                        "tick_s": 0.02,
                        "retry_s": 0.02,
                    }
                    | options
                )
            )
            async with asyncio.timeout(30), asyncio.TaskGroup() as group:
                task = group.create_task(work(self.controller, settings, self.steering, Journal(self.said)))
                if meanwhile is not None:
                    await meanwhile(self)
            return task.result()

        return asyncio.run(live())

    @property
    def attempt(self) -> Any:
        return self.controller.attempts[1]

    def place(self, token: int = 1) -> Path:
        return self.directory / "sweeps" / "abcd1234" / f"run{token}" / "attempt-1"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Slurm:
    (tmp_path / "bin").mkdir()
    monkeypatch.setattr(scheduler, "LIMIT_S", 30.0)  # the machine may be busy
    return Slurm(tmp_path / "bin", monkeypatch)


def python(code: str) -> tuple[str, ...]:
    """A program that imports next to nothing and says each line at once.

    Not by `-u`: that writes a word and its line end apart, and what several processes say gets mixed.
    """
    line_by_line = "import sys; sys.stdout.reconfigure(line_buffering=True)\n"
    return (sys.executable, "-S", "-E", "-c", line_by_line + code)


def shell(code: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", code)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
