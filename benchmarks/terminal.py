"""From key to repaint on a real pseudo-terminal, and what a terminal that is not read does to the controller.

    python benchmarks/terminal.py [N_RUNS] [N_KEYS]

Keys: the runs table of a sweep with N_RUNS runs; from writing a key to the first bytes that change the
screen. Compared in the same session with `less` on a file of as many lines.
Unread: a client asks the controller, embedded in the dashboard, every 20 ms while nobody reads the
terminal for 15 s and a run logs ten points a second; the longest time between two answers is what
counts. Compared with the same while the terminal is read.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from controller.client.connection import connect
from controller.domain.events import AgentJoined, RunAsked, RunEnded, RunReported, RunStarted
from controller.domain.queries import GetStatus
from controller.domain.replies import RunOrder
from controller.domain.runs import Point
from controller.domain.states import AttemptState
from tests.system.lab import Lab
from tests.system.terminal import Terminal

UNREAD_S = 15.0
PING_S = 0.02


async def fill(lab: Lab, sweep_id: str, n_runs: int) -> None:
    """Have one simulated agent finish that many runs."""
    client = connect(lab.home)
    await client.send(AgentJoined(agent_id="filler", sweep_id=sweep_id, host="h", pid=1))
    for n in range(1, n_runs + 1):
        order = await client.send(RunAsked(agent_id="filler", ask=n, wait_s=10.0))
        assert isinstance(order, RunOrder), order
        token = order.token
        await client.send(RunStarted(agent_id="filler", token=token, host="h"))
        point = Point(1, 0, 0.0, {"loss": float(n % 97)})
        await client.send(
            RunReported(agent_id="filler", token=token, first_seq=1, last_seq=1, points=(point,))
        )
        await client.send(RunEnded(agent_id="filler", token=token, state=AttemptState.FINISHED, last_seq=1))
    await client.close()


def key_times(terminal: Terminal, keys: list[str]) -> list[float]:
    """Return seconds from each key to the first change on the screen."""
    times = []
    for key in keys:
        time.sleep(0.05)  # a person, not a burst
        terminal.read(0.01)
        terminal.screen.dirty.clear()
        began = time.perf_counter()
        terminal.press(key)
        while not terminal.screen.dirty and time.perf_counter() - began < 2.0:
            terminal.read(0.5)
        times.append(time.perf_counter() - began)
    return sorted(times)


def told(name: str, times: list[float]) -> None:
    p50, p95 = times[len(times) // 2], times[int(len(times) * 0.95)]
    print(f"{name:28} p50 {p50 * 1e3:6.1f} ms   p95 {p95 * 1e3:6.1f} ms")


def keys(n_runs: int, n_keys: int) -> None:
    lab = Lab()
    try:
        lab.start_controller()
        sweep_id = lab.register(n_runs + 10, name="many")
        asyncio.run(fill(lab, sweep_id, n_runs))
        terminal = Terminal(lab)
        terminal.until("many")
        terminal.press("enter")
        terminal.until(f"many-{n_runs}")
        told(f"row keys, {n_runs} runs", key_times(terminal, ["j"] * n_keys))
        told(f"page keys, {n_runs} runs", key_times(terminal, ["\x1b[6~"] * min(20, n_runs // 30)))
        terminal.close()
        listing = lab.write("listing", "\n".join(f"line {n} {n % 97}" for n in range(n_runs)))
        less = Terminal(lab, program=("less", str(listing)))
        less.until("line 5")
        told("less, line keys", key_times(less, ["j"] * n_keys))
        less.close()
    finally:
        lab.close()


async def longest_gap(lab: Lab, seconds: float) -> float:
    """Ask the controller again and again; return the longest time between two answers."""
    client = connect(lab.home)
    longest, last, until = 0.0, time.perf_counter(), time.perf_counter() + seconds
    while time.perf_counter() < until:
        await client.ask(GetStatus())
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
        await asyncio.sleep(PING_S)
    await client.close()
    return longest


def unread() -> None:
    lab = Lab()
    try:
        terminal = Terminal(lab)
        terminal.until("No sweeps yet")
        lab.write(
            "program.py",
            """
            import time
            import tui_sweeps
            tui_sweeps.init()
            for step in range(600):
                tui_sweeps.log({"loss": float(step % 17)})
                print("step", step, flush=True)
                time.sleep(0.1)
            """,
        )
        sweep_id = lab.register(4)
        terminal.press("enter")
        for _ in range(2):
            lab.spawn("agent", sweep_id)
        lab.until(lambda world: sum(run.n_points > 5 for run in world.runs.values()) == 2)
        gap = asyncio.run(longest_gap(lab, UNREAD_S))
        print(f"terminal not read for {UNREAD_S:g} s    longest gap {gap * 1e3:6.1f} ms")
        stop = threading.Event()

        def read() -> None:
            while not stop.is_set() and terminal.read(0.05):
                pass

        reader = threading.Thread(target=read)
        reader.start()
        gap = asyncio.run(longest_gap(lab, UNREAD_S))
        stop.set()
        reader.join()
        print(f"terminal read meanwhile        longest gap {gap * 1e3:6.1f} ms")
        terminal.close()
    finally:
        lab.close()


def main() -> None:
    n_runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    n_keys = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    keys(n_runs, n_keys)
    unread()


if __name__ == "__main__":
    main()
