"""One user on a cluster: home and projects on the shared file system, a controller on the login node."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from controller.client import connection
from controller.domain.runs import Run
from controller.domain.world import World
from controller.runtime.standing import wait_until_reachable
from tests.slurm.cluster import WAIT_S, Cluster
from tests.slurm.configuration import LOGIN_ADDRESS
from tests.system.lab import Lab

PROGRAM = """
    import os, signal, sys, time
    import tui_sweeps

    def note(word):
        os.write(witness, f"{word} {run.config.x} {os.getpid()}\\n".encode())

    def on_term(signum, frame):
        note("term")
        sys.exit(143)

    run = tui_sweeps.init()
    witness = os.open("witness", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    signal.signal(signal.SIGTERM, on_term)
    note("resume" if os.environ.get("TUI_SWEEPS_RESUME") else "start")
    tui_sweeps.log({"loss": float(run.config.x)})
    while os.path.exists("shut"):
        time.sleep(0.05)
    tui_sweeps.log({"loss": run.config.x - 0.5})
    note("end")
"""
"""Logs a point, waits while the file `shut` is there, logs another; a witness file sees it all."""


class Site(Lab):
    """Commands run on the login node unless said otherwise."""

    wait_s = WAIT_S

    def __init__(self, cluster: Cluster) -> None:
        super().__init__()
        self.cluster = cluster
        self.environment |= cluster.environment | {
            "TUI_SWEEPS_HOME": str(self.home.path),
            "XDG_RUNTIME_DIR": str(self.place / "run"),
        }
        (self.place / "run").mkdir(mode=0o700)
        self._n_projects = 0

    def command(self, argv: Sequence[str] = (), where: str = "login") -> list[str]:
        """Return what runs tui-sweeps on a host of the cluster."""
        return self.cluster.at(where, [sys.executable, "-m", "tui_sweeps", *argv])

    def spawn(self, *argv: str, where: str = "login") -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            self.command(argv, where),
            cwd=self.project,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.processes.append(process)
        return process

    def listen(self, port: int = 0) -> subprocess.Popen[bytes]:
        """Start the controller, reachable from the nodes."""
        return self.begin("--listen", f"{LOGIN_ADDRESS}:{port}")

    def begin(self, *flags: str) -> subprocess.Popen[bytes]:
        """Start the controller on the login node."""
        earlier = connection.read(self.home.connection)
        process = self.spawn("controller", "run", "--wait", "10", *flags)
        assert wait_until_reachable(
            self.home, wait_s=self.wait_s, other_than=earlier.pid if earlier else None
        )
        return process

    def new_project(self) -> None:
        """Make an empty project directory the current one."""
        self._n_projects += 1
        self.project = self.place / f"project-{self._n_projects}"
        self.project.mkdir()
        self.write("program.py", PROGRAM)

    def shut(self) -> None:
        """Have runs wait until `open_gate`."""
        (self.project / "shut").touch()

    def open_gate(self) -> None:
        (self.project / "shut").unlink()

    def submit(self, sweep_id: str, array: str, *more: str) -> str:
        """Submit agents as an array; return SLURM's id of it."""
        options, sbatch = (more[: more.index("--")], more[more.index("--") :]) if "--" in more else (more, ())
        reply = json.loads(self.cli("submit", sweep_id, "--array", array, *options, "--json", *sbatch))
        return str(reply["slurm_id"])

    def sbatch(self, sweep_id: str, *arguments: str, agent: str = "") -> str:
        """Submit the user's own batch file, whose last line is an agent; return SLURM's id."""
        logs = self.project / "logs"
        logs.mkdir(exist_ok=True)
        script = self.write(
            "batch.sh",
            f"""\
            #!/bin/bash
            #SBATCH --open-mode=append
            #SBATCH -o {logs}/%A_%a.out
            exec {sys.executable} -m tui_sweeps agent {agent} {sweep_id}
            """,
        )
        done = subprocess.run(
            self.cluster.at("login", ["sbatch", "--parsable", *arguments, str(script)]),
            cwd=self.project,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip().split(";")[0]

    def until(self, condition: Callable[[World], Any]) -> World:
        try:
            return super().until(condition)
        except TimeoutError:
            queue = self.cluster.run("squeue", "-r", "-t", "all", check=False)
            raise AssertionError(f"{self.cli('runs', *self._sweeps())}\n{queue}\n{self.logs()}") from None

    def _sweeps(self) -> list[str]:
        return [sweep["id"] for sweep in self.json("ls")][-1:]

    def runs(self, world: World, sweep_id: str) -> list[Run]:
        return [world.runs[run_id] for run_id in world.runs_of[sweep_id]]

    def logs(self) -> str:
        """Return what the tasks of the current project printed."""
        return "\n".join(path.read_text() for path in sorted(Path(self.project).rglob("*.out")))

    def close(self) -> None:
        for name in (self.cluster.run("squeue", "-h", "-o", "%A", check=False)).split():
            with contextlib.suppress(AssertionError):
                self.cluster.run("scancel", name)
        super().close()


def environment_of(pid: int) -> dict[str, str]:
    """Return a process's environment."""
    words = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return dict(os.fsdecode(word).split("=", 1) for word in words if b"=" in word)
