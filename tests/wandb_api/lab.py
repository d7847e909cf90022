"""The laboratory with the real client in it: unmodified `wandb`, TLS, nothing but loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from controller.domain.runs import Run
from controller.domain.states import RunState
from controller.domain.world import World
from tests.system.lab import Lab

PROGRAM = """
    import os, sys
    import wandb
    run = wandb.init(config={"x": -1, "epochs": 4})
    for step in range(5):
        run.log({"loss": run.config.x + 1.0 / (step + 1), "nested": {"a": step}})
    print("x is", run.config.x, "epochs", run.config.epochs, flush=True)
    if os.path.exists("gate"):
        with open("gate") as gate:
            gate.read()
    for step in range(5, 10):
        run.log({"loss": run.config.x + 1.0 / (step + 1)})
    run.finish()
"""
"""Logs five points, waits at the gate if there is one, logs five more.

It says goodbye: release 0.31 loses its own message to its helper process when a program ends by itself within
milliseconds of `init`, while an answer is on its way, and both wait for each other for ever.
"""


class WandbLab(Lab):
    """A home whose controller listens for the real client."""

    def __init__(self) -> None:
        super().__init__()
        self.environment |= {"WANDB_ERROR_REPORTING": "false", "WANDB_X_DISABLE_STATS": "true"}
        self._furnish(Path(sys.executable))

    def _furnish(self, interpreter: Path) -> None:
        self.write("program.py", PROGRAM)
        self.environment |= {"HOME": str(self.place), "WANDB_DIR": str(self.project)}
        self.n_words = 0
        self.use(interpreter)

    def use(self, interpreter: Path) -> None:
        """Take the client of another Python; its `${interpreter}` is whatever `python` is found first."""
        self.interpreter = str(interpreter)
        self.environment["PATH"] = f"{interpreter.parent}{os.pathsep}{os.environ['PATH']}"

    def open(self, *flags: str) -> subprocess.Popen[bytes]:
        """Start the controller and learn what the client needs."""
        process = self.listen("--listen", "127.0.0.1:0", *flags)
        self.environment |= self.json("env")
        self.environment["WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL"] = "1"
        return process

    def listen(self, *flags: str) -> subprocess.Popen[bytes]:
        from controller.client import connection
        from controller.runtime.standing import wait_until_reachable

        earlier = connection.read(self.home.connection)
        process = self.spawn("controller", "run", "--wait", "10", *flags)
        assert wait_until_reachable(
            self.home, wait_s=self.wait_s, other_than=earlier.pid if earlier else None
        )
        return process

    def wandb(self, *argv: str, **more: str) -> subprocess.Popen[bytes]:
        """Start a command of the real client."""
        return self.python("-m", "wandb", *argv, **more)

    def python(self, *argv: str, **more: str) -> subprocess.Popen[bytes]:
        return self.start([self.interpreter, *argv], {**self.environment, **more})

    def start(self, argv: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        self.n_words += 1
        with open(self.place / f"out-{self.n_words}", "wb") as out:
            process = subprocess.Popen(
                argv,
                cwd=self.project,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)
        return process

    def words(self) -> str:
        """What the last started process said so far."""
        return (self.place / f"out-{self.n_words}").read_text("utf-8", "replace")

    def done(self, *argv: str, code: int = 0, **more: str) -> str:
        """Run a command of the real client to its end; what it said."""
        process = self.wandb(*argv, **more)
        number = self.n_words
        found = process.wait(self.wait_s)
        words = (self.place / f"out-{number}").read_text("utf-8", "replace")
        assert found == code, (argv, found, words)
        return words

    def sweep(self, n_cells: int, **more: Any) -> str:
        """Register a grid with `wandb sweep`; its id."""
        return made_by(self.done("sweep", str(self.sweep_file(n_cells, **more))))

    def left(self, *agents: subprocess.Popen[bytes]) -> None:
        """Wait until agents have left by themselves."""
        until = time.monotonic() + self.wait_s
        for agent in agents:
            try:
                code = agent.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                code = None
            assert code == 0, (code, self.everything())

    def everything(self) -> str:
        """All that was said here, for the reader of a failed test."""
        paths = [
            *sorted(self.place.glob("out-*")),
            *sorted(self.project.glob("wandb/run-*/logs/debug-*.log")),
            self.home.logs / "controller.log",
        ]
        said = [f"--- {path.name}\n{path.read_text('utf-8', 'replace')[-4000:]}" for path in paths]
        return "\n".join([*said, *(self.cli("runs", sweep["id"]) for sweep in self.json("ls"))])

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait for something that no change tells of."""
        until = time.monotonic() + self.wait_s
        while not condition():
            assert time.monotonic() < until
            time.sleep(0.1)

    def runs(self, sweep_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.json("runs", sweep_id)
        return found

    def losses(self, run_id: str) -> list[float]:
        lines = self.cli("history", run_id, "--json").splitlines()
        return [row["loss"] for line in lines if "loss" in (row := json.loads(line))]


class Desk(WandbLab):
    """A place to work at within a laboratory: its controller, but files and processes of its own."""

    wait_s = 300.0
    """Many desks share two cores."""

    def __init__(self, lab: WandbLab, name: str) -> None:
        self.home = lab.home
        self.place = lab.place / name
        self.project = self.place / "project"
        self.project.mkdir(parents=True)
        self.environment = dict(lab.environment)
        self.processes = []
        self._furnish(Path(lab.interpreter))

    def close(self) -> None:
        """End what was started here; a program that still waits at the gate goes on to its own end."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
        if (self.project / "gate").exists():
            self.open_gate()


def made_by(words: str) -> str:
    """The id of the sweep that `wandb sweep` made."""
    return words.split("Creating sweep with ID: ")[1].split()[0]


def one_at_the_gate(sweep_id: str) -> Callable[[World], bool]:
    return lambda world: any(is_at_the_gate(world.runs[run_id]) for run_id in world.runs_of[sweep_id])


def state_of(world: World, run_id: str) -> RunState:
    return world.runs[run_id].state


def expected_losses(x: int, n: int = 10) -> list[float]:
    return [x + 1.0 / (step + 1) for step in range(n)]


def is_at_the_gate(run: Run) -> bool:
    return run.state.value == "running" and run.n_points == 5
