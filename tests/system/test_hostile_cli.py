"""The tables and lines of the command line on a terminal, where every string from outside is hostile."""

from __future__ import annotations

import asyncio
import os
import pty
import random
import re
import sys
from collections.abc import Iterator

import pytest
import yaml

from controller.client.connection import connect
from controller.domain.events import AgentJoined, RunAsked, RunEnded, RunReported, RunStarted
from controller.domain.replies import RunOrder
from controller.domain.runs import LogLines, Point
from controller.domain.states import AttemptState
from tests.dashboard.hostile_terminal import hostile_text
from tests.dashboard.judge import ALLOWED
from tests.system.lab import Lab

N_RUNS = 40
LINE_END = re.compile(r"\r?\n|\t")


def text_of(dice: random.Random) -> str:
    """Return hostile text that JSON can carry."""
    return hostile_text(dice).encode("utf-8", "replace").decode()


async def make_runs(lab: Lab, sweep_id: str, dice: random.Random) -> list[str]:
    """Have an agent with hostile words finish some runs; return their ids."""
    client, ids = connect(lab.home), []
    await client.send(AgentJoined(agent_id="a", sweep_id=sweep_id, host=text_of(dice), pid=1))
    for ask in range(1, N_RUNS + 1):
        order = await client.send(RunAsked(agent_id="a", ask=ask, wait_s=10.0))
        assert isinstance(order, RunOrder), order
        ids.append(order.run_id)
        argv = (text_of(dice), text_of(dice))
        await client.send(
            RunStarted(
                agent_id="a", token=order.token, host=text_of(dice), directory=text_of(dice), argv=argv
            )
        )
        await client.send(
            RunReported(
                agent_id="a",
                token=order.token,
                last_seq=1,
                points=(Point(1, 0, 0.0, {"loss": 0.1 * ask, text_of(dice): 1.0}),),
                lines=(LogLines(first=0, lines=tuple(text_of(dice) for _ in range(50))),),
                summary={text_of(dice): text_of(dice)},
                own_config={text_of(dice): text_of(dice)},
            )
        )
        await client.send(
            RunEnded(
                agent_id="a",
                token=order.token,
                state=AttemptState.FAILED if ask % 2 else AttemptState.FINISHED,
                cause=text_of(dice),
                last_seq=1,
            )
        )
    await client.close()
    return ids


@pytest.fixture(scope="module")
def ids() -> Iterator[tuple[Lab, str, list[str]]]:
    """Return a laboratory with a hostile sweep, its id and its runs'."""
    lab, dice = Lab(), random.Random(12)
    try:
        lab.start_controller()
        values = [text_of(dice).replace("\0", "") + str(n) for n in range(N_RUNS)]
        config = {
            "name": text_of(dice),
            "program": "program.py",
            "method": "grid",
            "metric": {"name": "loss"},
            "parameters": {"x": {"values": list(dict.fromkeys(values))}},
        }
        sweep_id = lab.json("sweep", str(lab.write("hostile.yaml", yaml.safe_dump(config))))["id"]
        yield lab, sweep_id, asyncio.run(make_runs(lab, sweep_id, dice))
    finally:
        lab.close()


def on_terminal(lab: Lab, *argv: str) -> str:
    """Run a command on a pseudo-terminal; return everything it wrote there."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(lab.project)
        environment = {**lab.environment, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        os.execve(sys.executable, [sys.executable, "-m", "tui_sweeps", *argv], environment)
    data = b""
    try:
        while part := os.read(fd, 1 << 16):
            data += part
    except OSError:
        pass  # the program has closed its terminal
    os.close(fd)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, data.decode("utf-8", "replace")
    return data.decode()


COMMANDS = ("ls", "runs SWEEP", "show RUN", "logs RUN", "best SWEEP", "history RUN", "watch SWEEP --once")


@pytest.mark.parametrize("command", COMMANDS)
def test_hostile_strings_reach_the_terminal_as_plain_text(
    ids: tuple[Lab, str, list[str]], command: str
) -> None:
    lab, sweep_id, run_ids = ids
    words = command.split()
    for run_id in run_ids[:3] if "RUN" in words else run_ids[:1]:
        argv = [{"SWEEP": sweep_id, "RUN": run_id}.get(word, word) for word in words]
        text, at = on_terminal(lab, *argv), 0
        assert len(text) > 20
        while at < len(text):
            found = LINE_END.match(text, at) or ALLOWED.match(text, at)
            assert found is not None, repr(text[max(0, at - 30) : at + 30])
            assert not found[0].startswith("\x1b") or re.fullmatch(r"\x1b\[[0-9;]*m", found[0]), repr(
                found[0]
            )
            at = found.end()
