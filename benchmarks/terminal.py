"""From key to repaint on a real pseudo-terminal, and what a terminal that is not read does to the controller.

    python benchmarks/terminal.py [N_RUNS] [N_KEYS]

Keys: the runs table of a sweep with N_RUNS runs; from writing a key to the first bytes that change the
screen, and the processor time of the program for each. Compared in the same session with `less` on a file
of as many lines. On a busy machine only the processor time is the program's own.
Unread: a client asks the controller, embedded in the dashboard, every 20 ms while nobody reads the
terminal and a run logs ten points a second. Compared with the same while the terminal is read, in turns, so
that what else the machine does falls on both.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
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

N_TURNS = 4
TURN_S = 5.0
PING_S = 0.02
VIEWS = "2131" * 8
"""Keys that draw whole screens, more than the terminal's buffer takes."""


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


def cpu_s(pid: int) -> float:
    """Return the processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def keys_told(name: str, terminal: Terminal, keys: list[str]) -> None:
    """Press keys; print the seconds from each to the first change on the screen, and the processor's."""
    times, spent_s = [], cpu_s(terminal.pid)
    for key in keys:
        time.sleep(0.05)  # a person, not a burst
        terminal.read(0.01)
        terminal.screen.dirty.clear()
        began = time.perf_counter()
        terminal.press(key)
        while not terminal.screen.dirty and time.perf_counter() - began < 2.0:
            terminal.read(0.5)
        times.append(time.perf_counter() - began)
    each_s = (cpu_s(terminal.pid) - spent_s) / len(keys)
    told(name, times, f"   processor {each_s * 1e3:5.1f} ms each")


def told(name: str, times: list[float], more: str = "") -> None:
    times = sorted(times)
    p50, p95, most = (times[int((len(times) - 1) * share)] * 1e3 for share in (0.5, 0.95, 1.0))
    print(f"{name:28} p50 {p50:6.1f} ms   p95 {p95:6.1f} ms   max {most:6.1f} ms{more}")


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
        keys_told(f"row keys, {n_runs} runs", terminal, ["j"] * n_keys)
        keys_told(f"page keys, {n_runs} runs", terminal, ["\x1b[6~"] * min(20, n_runs // 30))
        terminal.close()
        listing = lab.write("listing", "\n".join(f"line {n} {n % 97}" for n in range(n_runs)))
        less = Terminal(lab, program=("less", str(listing)))
        less.until("line 5")
        keys_told("less, line keys", less, ["j"] * n_keys)
        less.close()
    finally:
        lab.close()


async def waits(lab: Lab, seconds: float) -> list[float]:
    """Ask the controller again and again; return how long each answer took."""
    client = connect(lab.home)
    found, until = [], time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        await client.ask(GetStatus())
        found.append(time.perf_counter() - began)
        await asyncio.sleep(PING_S)
    await client.close()
    return found


@contextlib.contextmanager
def read_by_another(terminal: Terminal) -> Iterator[None]:
    """Have a thread read the terminal meanwhile."""
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set() and terminal.read(0.05):
            pass

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield
    finally:
        stop.set()
        reader.join()


def taken(terminal: Terminal) -> int:
    """Take what waits in the terminal; return how many bytes it was."""
    before, seen = terminal.n_bytes, -1
    while seen != terminal.n_bytes:
        seen = terminal.n_bytes
        terminal.read(0.0)
    return seen - before


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
            for step in range(1200):
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
        unread_s, read_s, n_held = [], [], []
        for _ in range(N_TURNS):
            terminal.press(*VIEWS)
            unread_s += asyncio.run(waits(lab, TURN_S))
            n_held.append(taken(terminal))
            with read_by_another(terminal):
                terminal.press(*VIEWS)
                read_s += asyncio.run(waits(lab, TURN_S))
        told(f"not read, {min(n_held) / 1024:.0f} KiB held up", unread_s)
        told("terminal read meanwhile", read_s)
        terminal.close()
    finally:
        lab.close()


def main() -> None:
    n_runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    n_keys = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    print(f"load {os.getloadavg()[0]:.1f}")
    keys(n_runs, n_keys)
    unread()


if __name__ == "__main__":
    main()
