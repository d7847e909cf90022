"""How long an agent waits for its next run while search thinks: 50 agents at a bayes sweep.

    python benchmarks/ask.py [N_AGENTS] [RUN_S] [SECONDS]

Simulated agents over the controller's socket; each keeps its run for about RUN_S seconds, reports one
value and asks again. Compared, in the same session, with the same asks at a random sweep, where there is
nothing to compute.
"""

from __future__ import annotations

import asyncio
import math
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from controller.client.connection import connect
from controller.domain.events import AgentJoined, RunAsked, RunEnded, RunReported, RunStarted
from controller.domain.replies import RunOrder
from controller.domain.runs import Point
from controller.domain.states import AttemptState
from tests.system.lab import Lab


def value(config: dict[str, Any]) -> float:
    return sum((math.log10(config[f"x{i}"]) + 2) ** 2 for i in range(6)) + (config["kind"] != "b")


async def agent(lab: Lab, sweep_id: str, name: str, run_s: float, until: float) -> list[float]:
    """Be an agent; return how long each ask took, in seconds."""
    dice, client, waits = random.Random(name), connect(lab.home), []
    try:
        await client.send(AgentJoined(agent_id=name, sweep_id=sweep_id, host="h", pid=1))
        ask = 0
        while time.perf_counter() < until:
            ask += 1
            began = time.perf_counter()
            order = None
            while not isinstance(order, RunOrder):
                order = await client.send(RunAsked(agent_id=name, ask=ask, wait_s=25.0))
            if ask > 1:  # the first is asked by all at once, before anything can be known
                waits.append(time.perf_counter() - began)
            await client.send(RunStarted(agent_id=name, token=order.token, host="h"))
            await asyncio.sleep(dice.uniform(0.5, 1.5) * run_s)
            point = Point(1, 0, 0.0, {"loss": value(order.config)})
            await client.send(
                RunReported(agent_id=name, token=order.token, first_seq=1, last_seq=1, points=(point,))
            )
            await client.send(
                RunEnded(agent_id=name, token=order.token, state=AttemptState.FINISHED, last_seq=1)
            )
        return waits
    finally:
        await client.close()


def measure(method: str, n_agents: int, run_s: float, seconds: float) -> list[float]:
    lab = Lab()
    try:
        lab.start_controller()
        axes = {f"x{i}": {"distribution": "log_uniform_values", "min": 0.0001, "max": 1.0} for i in range(6)}
        parameters = {**axes, "kind": {"values": ["a", "b", "c"]}}
        sweep_id = lab.register(0, method=method, parameters=parameters, command=["/bin/true"])

        async def all_of_them() -> list[list[float]]:
            until = time.perf_counter() + seconds
            names = [f"agent{n}" for n in range(n_agents)]
            return await asyncio.gather(*(agent(lab, sweep_id, name, run_s, until) for name in names))

        return sorted(wait for waits in asyncio.run(all_of_them()) for wait in waits)
    finally:
        lab.close()


def bare_sync(place: Path, n: int = 200) -> list[float]:
    """Return how long it takes to append 4 kB to a file and have it on disk, sorted, in seconds."""
    took = []
    with (place / "bare").open("ab", buffering=0) as file:
        for _ in range(n):
            time.sleep(0.01)
            began = time.perf_counter()
            file.write(b"x" * 4096)
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    return sorted(took)


def main() -> None:
    n_agents = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    run_s = float(sys.argv[2]) if len(sys.argv) > 2 else 10.0
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 60.0
    print(f"{n_agents} agents, runs of about {run_s:g} s, {seconds:g} s")
    for method in ("bayes", "random"):
        waits = measure(method, n_agents, run_s, seconds)
        p50, p99 = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
        print(
            f"{method:7} {len(waits):5d} asks   p50 {p50 * 1e3:6.1f} ms   p99 {p99 * 1e3:6.1f} ms"
            f"   longest {waits[-1] * 1e3:6.1f} ms"
        )
    with tempfile.TemporaryDirectory() as place:
        took = bare_sync(Path(place))
    p50, p99 = took[len(took) // 2], took[int(len(took) * 0.99)]
    print(
        f"a bare fsync of 4 kB   p50 {p50 * 1e3:6.1f} ms   p99 {p99 * 1e3:6.1f} ms (an ask waits for 1 or 2)"
    )


if __name__ == "__main__":
    main()
