"""A laboratory: a home of its own, real controller, real agents, real programs; everything ended by pid."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from controller.client import connection
from controller.client.connection import connect
from controller.client.door import UnreachableError
from controller.domain.feed import Resync
from controller.domain.world import World
from controller.launch.local import started_ticks
from controller.runtime.standing import wait_until_reachable
from controller.settings import Home

WAIT_S = 60.0
"""Patience on a loaded machine; a test that works needs a fraction of it."""

PROGRAM = """
    import os, sys
    import tui_sweeps
    run = tui_sweeps.init()
    witness = os.open("witness", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(witness, f"start {run.config.x} {os.getpid()}\\n".encode())
    for step in range(5):
        tui_sweeps.log({"loss": run.config.x + 1.0 / (step + 1)})
    print("x is", run.config.x, flush=True)
    if os.path.exists("gate"):
        with open("gate") as gate:
            gate.read()
    for step in range(5, 10):
        tui_sweeps.log({"loss": run.config.x + 1.0 / (step + 1)})
    os.write(witness, f"end {run.config.x} {os.getpid()}\\n".encode())
"""
"""Logs five points, waits at the gate if there is one, logs five more; a witness file sees it all."""


class Lab:
    """One home, one project directory."""

    wait_s = WAIT_S

    def __init__(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="tsl-"))
        self.home = Home(self.place / "home")
        self.project = self.place / "project"
        self.project.mkdir()
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("WANDB", "TUI_SWEEPS", "PYTHON"))},
            "TUI_SWEEPS_HOME": str(self.home.path),
            "XDG_RUNTIME_DIR": str(self.place),
        }
        self.processes: list[subprocess.Popen[bytes]] = []
        self.write("program.py", PROGRAM)

    def write(self, name: str, text: str) -> Path:
        path = self.project / name
        path.write_text(textwrap.dedent(text))
        return path

    def sweep_file(self, n_cells: int, **more: Any) -> Path:
        config = {
            "program": "program.py",
            "method": "grid",
            "metric": {"name": "loss"},
            "parameters": {"x": {"values": list(range(n_cells))}},
            **more,
        }
        return self.write("sweep.yaml", json.dumps(config))

    def spawn(self, *argv: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tui_sweeps", *argv],
            cwd=self.project,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.processes.append(process)
        return process

    def cli(self, *argv: str, code: int = 0) -> str:
        """Run a command; its stdout. The exit code must be `code`, and nothing may look like a traceback."""
        process = self.spawn(*argv)
        out, err = process.communicate(timeout=self.wait_s)
        assert b"Traceback" not in err, err.decode()
        assert process.returncode == code, (argv, process.returncode, out.decode(), err.decode())
        self.last_err = err.decode()
        return out.decode()

    def json(self, *argv: str) -> Any:
        return json.loads(self.cli(*argv, "--json"))

    def start_controller(self) -> subprocess.Popen[bytes]:
        earlier = connection.read(self.home.connection)
        process = self.spawn("controller", "run", "--wait", "10")
        assert wait_until_reachable(
            self.home, wait_s=self.wait_s, other_than=earlier.pid if earlier else None
        )
        return process

    def register(self, n_cells: int, **more: Any) -> str:
        sweep_id: str = self.json("sweep", str(self.sweep_file(n_cells, **more)))["id"]
        return sweep_id

    def make_gate(self) -> None:
        os.mkfifo(self.project / "gate")

    def open_gate(self) -> None:
        """Let everybody through who waits now, and everybody who comes later."""
        gate = self.project / "gate"
        gate.rename(self.project / "gate.open")
        fd = os.open(self.project / "gate.open", os.O_RDWR | os.O_NONBLOCK)
        os.close(fd)

    def witness(self) -> list[list[str]]:
        path = self.project / "witness"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    def until(self, condition: Callable[[World], Any]) -> World:
        """Follow the controller's changes until the condition holds."""
        return asyncio.run(asyncio.wait_for(self._until(condition), self.wait_s))

    async def _until(self, condition: Callable[[World], Any]) -> World:
        while True:
            with contextlib.suppress(UnreachableError):
                client = connect(self.home)
                try:
                    snapshot = await client.snapshot()
                    world = World(snapshot.facts)
                    if condition(world):
                        return world
                    async for item in client.changes(snapshot.seq):
                        if isinstance(item, Resync):
                            break
                        world.evolve(item.changes)
                        if condition(world):
                            return world
                finally:
                    await client.close()
            await asyncio.sleep(0.05)  # the controller is on its way back

    def close(self) -> None:
        """End everything this laboratory started, by pid."""
        for pid, ticks in self._started():
            if started_ticks(pid) == ticks:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
        shutil.rmtree(self.place, ignore_errors=True)

    def _started(self) -> list[tuple[int, int]]:
        """Return agents and controllers that commands started in the background."""
        found = []
        with contextlib.suppress(Exception):
            world = asyncio.run(self._world())
            found += [(j.pid, j.started_ticks) for j in world.jobs.values() if j.pid and j.started_ticks]
        with contextlib.suppress(Exception):
            reached = connection.read(self.home.connection)
            if reached is not None and (ticks := started_ticks(reached.pid)) is not None:
                found.append((reached.pid, ticks))
        return found

    async def _world(self) -> World:
        client = connect(self.home)
        try:
            return World((await asyncio.wait_for(client.snapshot(), 2.0)).facts)
        finally:
            await client.close()


def alive(pid: int) -> bool:
    """Say whether a process runs (a zombie does not)."""
    return started_ticks(pid) is not None
