"""A dashboard full of hostile strings on a real pseudo-terminal.

Run as a program it is that dashboard; at its end it writes down what was sent to the controller.
"""

from __future__ import annotations

import fcntl
import os
import pty
import random
import select
import struct
import sys
import termios
import time
from pathlib import Path

from controller.domain.agents import Agent
from controller.domain.queries import (
    Answer,
    Attempts,
    GetAttempts,
    GetImportance,
    GetLog,
    GetNotes,
    ImportanceRow,
    ImportanceTable,
    Log,
    Note,
    Notes,
    Query,
)
from controller.domain.runs import Attempt, Run
from controller.domain.states import AttemptState, RunState
from controller.domain.sweeps import Goal, Method, Metric, SweepConfig
from controller.domain.world import Facts, Snapshot
from tests import scenes
from tests.dashboard.judge import Judge

PIECES = (
    *("\x1b[2J", "\x1b[31m", "\x1b[?1049l", "\x1b[?1003h", "\x1b[6n", "\x1b[c", "\x1b[20t", "\x1b[8;1;1t"),
    *(
        "\x1b]0;owned\x07",
        "\x1b]52;c;ZXZpbA==\x07",
        "\x1b]8;;http://x\x1b\\",
        "\x1b]9;hi\x07",
        "\x1bP$qm\x1b\\",
    ),
    *("\x1bc", "\x1b7", "\x1b(0", "\x9b2J", "\x9d0;x\x9c", "\x90q\x9c", "\x1b", "\x1b[", "\x1b]", "\x9b"),
    *("[@click=app.quit]", "[/]", "[bold red]", "[link=file:///x]", "\\[", "[@click='app.bell']x[/@click]"),
    *("\u202e", "\u2066", "\u2069", "\u200f", "\u200b", "\ufeff", "\u2028", "\u00ad", "\ufe0f", "\U000e0041"),
    *(
        "\u0301" * 1000,
        "Z\u0351\u036b\u0343",
        "宽字符",
        "👩‍👩‍👧‍👦",
        "🏳️‍🌈",
        "\uff46\uff55\uff4c\uff4c",
        "\u1160",
        "ไทย",
        "العربية",
    ),
    *("\x00", "\x07", "\x08" * 9, "\t", "\n", "\r", "\x0e", "\x0f", "\x18", "\x1a", "\x7f", "\x85", "\x84"),
    *("\ud800", "\udfff", "\uffff", "\U0010ffff", "plain", " ", "0", "'; rm -rf", "%s%n", "${x}"),
)


def hostile_text(dice: random.Random) -> str:
    """Return one hostile string."""
    return "".join(dice.choices(PIECES, k=dice.randint(1, 5)))


def answers(query: Query, n_lines: int, seed: int = 6) -> Answer | None:
    """Return what a controller knows beside the World, every string of it hostile; None: ask another."""
    dice = random.Random(f"{seed}{query}")
    match query:
        case GetLog():
            first = query.first if query.first >= 0 else max(0, n_lines + query.first)
            n_more = min(query.limit, n_lines - first)
            lines = tuple(hostile_text(dice) for _ in range(n_more))
            return Log(run_id=query.run_id, first=first, lines=lines, n_lines=n_lines)
        case GetNotes():
            notes = (
                Note(
                    id=n,
                    at=scenes.NOW,
                    actor=hostile_text(dice),
                    text=hostile_text(dice),
                    sweep_id="",
                    run_id="",
                )
                for n in range(200)
            )
            return Notes(notes=tuple(notes))
        case GetImportance():
            rows = (
                ImportanceRow(
                    name=hostile_text(dice),
                    importance=0.1,
                    importance_low=0.05,
                    importance_high=0.2,
                    correlation=-0.5,
                )
                for _ in range(20)
            )
            return ImportanceTable(
                metric=hostile_text(dice), n_runs=40, parameters=tuple(rows), note=hostile_text(dice)
            )
        case GetAttempts():
            attempt = Attempt(
                token=1,
                run_id=query.run_id,
                sweep_id="hostile0",
                number=1,
                agent_id=hostile_text(dice),
                ask=1,
                state=AttemptState.FAILED,
                cause=hostile_text(dice),
                host=hostile_text(dice),
            )
            return Attempts(attempts=(attempt,))
        case _:
            return None


def scene(n_runs: int, seed: int = 5) -> Snapshot:
    """One sweep whose every run's every string is hostile."""
    dice = random.Random(seed)
    parameters = tuple(scenes.categorical(f"p{n}", "a", "b") for n in range(3))
    metric = Metric(name="loss\x1b[31m", goal=Goal.MINIMIZE)
    config = SweepConfig(method=Method.GRID, parameters=parameters, metric=metric)
    runs = tuple(
        Run(
            id=f"h{number}",
            sweep_id="hostile0",
            number=number,
            name=hostile_text(dice),
            config={f"p{n}": hostile_text(dice) for n in range(3)},
            suggestion=number,
            state=RunState.FAILED,
            cause=hostile_text(dice),
            host=hostile_text(dice),
            job=hostile_text(dice),
            argv=(hostile_text(dice), hostile_text(dice)),
            summary={hostile_text(dice): hostile_text(dice)},
            best=dice.random(),
            started_at=scenes.NOW - 10,
            ended_at=scenes.NOW,
        )
        for number in range(1, n_runs + 1)
    )
    agents = tuple(
        Agent(
            id=hostile_text(dice) + str(n),
            sweep_id="hostile0",
            host=hostile_text(dice),
            pid=n,
            node=hostile_text(dice),
            job=hostile_text(dice),
            cause=hostile_text(dice),
            joined_at=scenes.NOW,
            heard_at=scenes.NOW,
        )
        for n in range(60)
    )
    sweeps = tuple(
        scenes.digits_sweep(
            f"hostile{n}",
            name=hostile_text(dice),
            project=hostile_text(dice),
            config=config,
            cause=hostile_text(dice),
        )
        for n in range(40)
    )
    return Snapshot(seq=1, facts=Facts(sweeps=sweeps, runs=runs, agents=agents))


class HostileTerminal:
    """The dashboard on its terminal."""

    def __init__(
        self, n_runs: int, report: Path, environment: dict[str, str] | None = None, *, n_lines: int = 100
    ) -> None:
        self.judge = Judge()
        self.heard = b""
        """What came while it settled the last time."""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # Line editing of the test's own process has set a size in its environment, behind Python's back.
            inherited = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
            own = {"TERM": "xterm-256color", "LANG": "C.UTF-8"} | (environment or {})
            argv = [sys.executable, "-m", __name__, str(n_runs), str(n_lines), str(report)]
            os.execve(sys.executable, argv, inherited | own)
        self.resize(120, 40)

    def resize(self, width: int, height: int) -> None:
        """Give the terminal another size."""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def send(self, key: bytes) -> None:
        """Press a key."""
        os.write(self.fd, key)

    def press(self, *keys: bytes) -> None:
        """Press keys, judging what comes after each."""
        for key in keys:
            self.send(key)
            self.settle(0.03, 0.3)

    def settle(self, quiet_s: float, first_s: float = 1.0) -> int:
        """Judge until nothing comes any more; return the characters seen."""
        before, wait_s, self.heard = self.judge.n_chars, first_s, b""
        while select.select([self.fd], [], [], wait_s)[0]:
            try:
                data = os.read(self.fd, 1 << 16)
            except OSError:
                break
            if not data:
                break
            self.judge.take(data)
            self.heard += data
            wait_s = quiet_s
        return self.judge.n_chars - before

    def end(self) -> int:
        """Leave by key; return the exit code."""
        self.send(b"d")
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            self.settle(0.05, 0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.judge.take(b"", last=True)
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        raise AssertionError("the dashboard did not end")


def main(n_runs: int, n_lines: int, report: Path) -> None:
    """Be the dashboard."""
    from tests.fake_client import FakeClient
    from tui_sweeps.app import run_dashboard

    class Hostile(FakeClient):
        async def ask(self, query: Query) -> Answer:
            return answers(query, n_lines) or await super().ask(query)

    client = Hostile(scene(n_runs))

    async def begin() -> str:
        return "hostile0"

    reason = run_dashboard(client, begin=begin)
    report.write_text(f"{reason} {len(client.sent)}", "utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
