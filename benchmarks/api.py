"""What a request over the socket costs, next to a bare aiohttp handler in the same run.

The server lives in a process of its own, the client in this one; both sides' CPU time is counted. The
door behind the API answers at once, so all that is measured is the wire. Run: `python benchmarks/api.py`.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import sys
import tempfile
import time
from functools import partial
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import aiohttp
from aiohttp import web

from controller.api.server import serve
from controller.client.http import HttpClient
from controller.client.ways import SocketWay
from controller.domain.events import AgentEvent, RunAsked, RunEnded, RunStarted
from controller.domain.replies import Acked, Granted, Reply, RunOrder
from controller.domain.runs import Run
from controller.domain.states import AttemptState
from controller.domain.world import Facts, Snapshot

N_REQUESTS = 6000
N_RUNS = 10_000

ORDER = RunOrder(
    run_id="abcd1234",
    name="amber-otter-1",
    number=1,
    token=1,
    attempt=1,
    config={"lr": 1e-3, "layers": [64, 64]},
)
NO_OP_RUN: tuple[AgentEvent, ...] = (
    RunAsked(agent_id="a" * 12, ask=1),
    RunStarted(agent_id="a" * 12, token=1, host="node", directory="/runs/1", argv=("python", "train.py")),
    RunEnded(agent_id="a" * 12, token=1, state=AttemptState.FINISHED, last_seq=0, exit_code=0),
)


class InstantDoor:
    """Answers at once."""

    def __init__(self) -> None:
        run = Run(
            id="abcd1234", sweep_id="s", number=1, name="amber-otter-1", config=ORDER.config, suggestion=1
        )
        self._snapshot = Snapshot(seq=1, facts=Facts(runs=(run,) * N_RUNS))

    async def snapshot(self) -> Snapshot:
        """Return ten thousand runs."""
        return self._snapshot

    async def send(self, message: AgentEvent) -> Reply:
        """Return what belongs to the message."""
        match message:
            case RunAsked():
                return ORDER
            case RunStarted():
                return Granted()
            case _:
                return Acked()


async def _serve(pipe: Pipe, directory: Path) -> None:
    server = await serve(InstantDoor(), directory / "api" / "c.sock")  # type: ignore[arg-type]

    async def bare(request: web.BaseRequest) -> web.Response:
        await request.read()
        return web.Response(body=b'{"type":"Acked","last_seq":0}', content_type="application/json")

    runner = web.ServerRunner(web.Server(bare, access_log=None))
    await runner.setup()
    await web.UnixSite(runner, str(directory / "bare.sock")).start()
    loop = asyncio.get_running_loop()
    pipe.send("ready")
    while await loop.run_in_executor(None, pipe.recv) == "cpu":
        pipe.send(time.process_time())
    await server.close()
    await runner.cleanup()


def _server_process(pipe: Pipe, directory: str) -> None:
    asyncio.run(_serve(pipe, Path(directory)))


class Meter:
    """Counts wall and CPU time of both processes."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    def _now(self) -> tuple[float, float, float]:
        self._pipe.send("cpu")
        server_s: float = self._pipe.recv()
        return time.perf_counter(), time.process_time(), server_s

    def __enter__(self) -> Meter:
        self._start = self._now()
        return self

    def __exit__(self, *_: object) -> None:
        wall, client, server = (b - a for a, b in zip(self._start, self._now(), strict=True))
        self.wall_s, self.client_s, self.server_s = wall, client, server

    def tell(self, name: str, n: int) -> None:
        """Print what each of `n` pieces of work cost."""
        print(
            f"{name:<34} {n / self.wall_s:8,.0f} /s   {self.wall_s / n * 1e6:7.0f} us each   "
            f"CPU us: client {self.client_s / n * 1e6:6.0f}  server {self.server_s / n * 1e6:6.0f}"
        )


async def _api_requests(client: HttpClient, n: int) -> None:
    for number in range(n):
        await client.send(NO_OP_RUN[number % 3])


async def _bare_requests(session: aiohttp.ClientSession, n: int) -> None:
    body = json.dumps({"type": "RunAsked", "agent_id": "a" * 12, "ask": 1}).encode()
    for _ in range(n):
        async with session.post("http://x/", data=body) as response:
            json.loads(await response.read())


async def _measure(pipe: Pipe, directory: Path) -> None:
    client = HttpClient(SocketWay(directory / "api" / "c.sock"))
    connector = aiohttp.UnixConnector(str(directory / "bare.sock"))
    async with aiohttp.ClientSession(connector=connector) as session:
        await _api_requests(client, 300)
        await _bare_requests(session, 300)
        bare, api = partial(_bare_requests, session), partial(_api_requests, client)
        for n_agents in (1, 2, 50):
            for name, work in (("bare aiohttp", bare), ("api", api)):
                with Meter(pipe) as meter:
                    await asyncio.gather(*(work(N_REQUESTS // n_agents) for _ in range(n_agents)))
                meter.tell(f"{name}, {n_agents} at a time", N_REQUESTS // n_agents * n_agents)
    with Meter(pipe) as meter:
        for _ in range(1000):
            for event in NO_OP_RUN:
                await client.send(event)
    meter.tell("no-op run (3 requests)", 1000)
    await _measure_snapshot(client, pipe, directory)
    await client.close()


async def _measure_snapshot(client: HttpClient, pipe: Pipe, directory: Path) -> None:
    """Tell how long a beat waits on either side while a big snapshot travels."""
    other = HttpClient(SocketWay(directory / "api" / "c.sock"))
    delays = []
    with Meter(pipe) as meter:
        fetching = asyncio.ensure_future(client.snapshot())
        while not fetching.done():
            began = time.perf_counter()
            await other.send(NO_OP_RUN[0])
            delays.append(time.perf_counter() - began)
        snapshot = await fetching
    meter.tell(f"snapshot of {len(snapshot.facts.runs):,} runs", 1)
    print(f"{'requests meanwhile':<34} {len(delays):8,}      worst {max(delays) * 1e3:.1f} ms")
    await other.close()


def main() -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with tempfile.TemporaryDirectory() as directory:
        process = context.Process(target=_server_process, args=(theirs, directory), daemon=True)
        process.start()
        ours.recv()
        print(f"Python {sys.version.split()[0]}, aiohttp {aiohttp.__version__}")
        asyncio.run(_measure(ours, Path(directory)))
        ours.send("end")
        process.join(10)


if __name__ == "__main__":
    main()
