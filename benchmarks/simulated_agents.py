"""Simulated agents for the benchmarks of the dashboard: a process of their own, at a controller's socket.

    python benchmarks/simulated_agents.py HOME SWEEP fill|live N

`fill` has them finish N runs. `live` has a hundred of them make N reports a second until the process is
ended, and prints a line when each has a run; now and then a run ends and its agent takes another.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from controller.client.connection import connect
from controller.client.door import Client
from controller.domain.events import AgentJoined, RunAsked, RunEnded, RunReported, RunStarted
from controller.domain.replies import RunOrder
from controller.domain.runs import LogLines, Point
from controller.domain.states import AttemptState
from controller.settings import Home

N_AGENTS = 100
"""Each with one run, which reports once a second."""

FEW_REPORTS = 60
"""After so many a run ends and its agent takes another."""


async def take_run(client: Client, name: str, ask: int) -> int:
    """Take a run and start it; return its token."""
    order = await client.send(RunAsked(agent_id=name, ask=ask, wait_s=30.0))
    assert isinstance(order, RunOrder), order
    await client.send(RunStarted(agent_id=name, token=order.token, host=f"node{ask % 50:02d}"))
    return order.token


async def report(client: Client, name: str, token: int, seq: int, value: float) -> None:
    """Report one step of a run, with a line of its log."""
    point = Point(seq, seq, time.time(), {"loss": value, "accuracy": 1.0 - value, "seconds": 0.1 * seq})
    lines = (LogLines(first=seq - 1, lines=(f"step {seq}  loss {value:.4f}",)),)
    await client.send(
        RunReported(agent_id=name, token=token, first_seq=seq, last_seq=seq, points=(point,), lines=lines)
    )


async def fill(client: Client, sweep_id: str, n_runs: int, n_agents: int) -> None:
    """Have simulated agents finish that many runs."""
    dice = random.Random(3)

    async def agent(name: str, n_own: int) -> None:
        await client.send(AgentJoined(agent_id=name, sweep_id=sweep_id, host=name, pid=1))
        for ask in range(1, n_own + 1):
            token = await take_run(client, name, ask)
            await report(client, name, token, 1, dice.random())
            ends = AttemptState.FINISHED if dice.random() > 0.03 else AttemptState.FAILED
            await client.send(RunEnded(agent_id=name, token=token, state=ends, last_seq=1))

    await asyncio.gather(*(agent(f"filler{n}", n_runs // n_agents) for n in range(n_agents)))


async def live(client: Client, sweep_id: str, per_s: float) -> None:
    """Have a hundred agents report in turn until the process is ended."""
    names = [f"agent{n:03d}" for n in range(N_AGENTS)]
    runs: dict[str, tuple[int, int]] = {}
    asks = dict.fromkeys(names, 0)
    dice = random.Random(4)
    for name in names:
        await client.send(AgentJoined(agent_id=name, sweep_id=sweep_id, host=f"node{name[-2:]}", pid=1))
        asks[name] += 1
        runs[name] = (await take_run(client, name, asks[name]), 0)
    print("live", flush=True)
    began, n_done = time.monotonic(), 0
    while True:
        name = names[n_done % N_AGENTS]
        token, seq = runs[name]
        if seq >= FEW_REPORTS:
            await client.send(RunEnded(agent_id=name, token=token, state=AttemptState.FINISHED, last_seq=seq))
            asks[name] += 1
            token, seq = await take_run(client, name, asks[name]), 0
        await report(client, name, token, seq + 1, dice.random() / (1 + 0.05 * seq))
        runs[name] = (token, seq + 1)
        n_done += 1
        await asyncio.sleep(max(0.0, began + n_done / per_s - time.monotonic()))


async def feed(home: Home, what: str, sweep_id: str, n: int) -> None:
    """Be the agents."""
    client = connect(home)
    try:
        await (fill(client, sweep_id, n, 20) if what == "fill" else live(client, sweep_id, float(n)))
    finally:
        await client.close()


def main() -> None:
    """Be the agents that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("home", type=Path)
    parser.add_argument("sweep")
    parser.add_argument("what", choices=("fill", "live"))
    parser.add_argument("n", type=int, help="runs to finish, or reports a second")
    given = parser.parse_args()
    asyncio.run(feed(Home(given.home), given.what, given.sweep, given.n))


if __name__ == "__main__":
    main()
